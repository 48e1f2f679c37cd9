"""The source domains: what is learnt of them, and a tagger that learns it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from cdner_bench import Corpus, RunContext

from ..batches import draw_source
from ..loop import train
from ..schedule import Schedule
from .encoding import Reader
from .model import Make, Tagger, bio_labels
from .options import Finetuning, Source
from .training import Pupil, Tagging, draw_from


def draw(sources: Sequence[Corpus], sentences: int | None, seed: int) -> list[Corpus]:
    """The sources with at most so many train sentences each, drawn by the seed."""
    generator = torch.Generator().manual_seed(seed)
    return [draw_source(s, sentences, generator) for s in sources]


def unite_types(corpora: Sequence[Corpus]) -> list[str]:
    """The types that one of the corpora has, sorted."""
    return sorted({kind for corpus in corpora for kind in corpus.types})


class Sources:
    """Pooled source domains, each with a loss over its own labels only, and what kind of tagger learns them."""

    def __init__(
        self, drawn: Sequence[Corpus], source: Source, finetuning: Finetuning, reader: Reader, make: Make = Tagger
    ) -> None:
        self.drawn, self.source, self.finetuning, self.reader, self.make = drawn, source, finetuning, reader, make

    def learn(self, encoder: Any, compute: Tagging, place: Path, run: RunContext) -> None:
        """Train an encoder on them, and leave the tagger in `place`, as `load_tagger` reads it."""
        torch.manual_seed(run.seed)
        tagger = self.make(encoder, bio_labels(unite_types(self.drawn)), [bio_labels(c.types) for c in self.drawn])
        pools = [self.reader.read(corpus.train, tagger.labels, n) for n, corpus in enumerate(self.drawn)]
        tagger.set_dropout(self.finetuning.dropout)
        size, group = self.finetuning.batch_size, self.source
        data = draw_from(pools, size, run.seed, sqrt=group.sampling == "sqrt")
        train(
            Pupil(tagger, compute),
            data,
            Schedule(group.epochs, size, group.learning_rate, decay=False),
            "source",
            run,
            place,
        )
