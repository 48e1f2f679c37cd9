"""A tagger as the training loop sees it, and the decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from cdner_bench import Cut, Prediction, Sentence, conll

from ..batches import IGNORED, OneStream, mix, shuffle
from ..compute import Compute
from ..descent import move_network
from ..learner import Learner
from .encoding import Batch, Window, collate
from .model import Tagger, save_tagger


@dataclass(frozen=True)
class Tagging(Compute):
    """A place to compute, and the id that pads a batch."""

    pad: int

    def logits(self, tagger: Tagger, batch: Batch) -> Tensor:
        """The tagger's answer to a batch."""
        with self.autocast():
            return tagger.score(batch.to(self.device))


class Pupil(Learner[Window]):
    """A tagger that learns the labels of first sub-words."""

    network: Tagger
    compute: Tagging

    def __init__(self, tagger: Tagger, compute: Tagging) -> None:
        self.network = move_network(tagger, compute.device, self.relief)
        self.cells = tagger.cells
        self.compute = compute

    def loss(self, windows: Sequence[Window]) -> Tensor:
        """Cross-entropy summed over the words."""
        batch = collate(windows, self.compute.pad)
        logits, labels = self.compute.logits(self.network, batch), batch.labels.to(self.compute.device)
        flat = logits.flatten(0, 1)
        return nn.functional.cross_entropy(flat, labels.flatten(), ignore_index=IGNORED, reduction="sum")

    def terms(self, windows: Sequence[Window]) -> int:
        """How many words have a label."""
        return sum(len(window.labels) for window in windows)

    def keep(self, folder: Path) -> None:
        """Leave the tagger in a folder, as `load_tagger` reads it."""
        save_tagger(self.network, folder)


def draw_from(pools: Sequence[Sequence[Window]], batch_size: int, seed: int, *, sqrt: bool) -> OneStream[Window]:
    """Shuffled batches of a mixture of domains, which is drawn anew for each epoch."""

    def draw(generator: torch.Generator) -> list[list[Window]]:
        return shuffle(mix(pools, generator, sqrt=sqrt), batch_size, generator)

    return OneStream(draw, seed)


@torch.no_grad()
def decode(
    tagger: Tagger, sentences: Sequence[Sentence], windows: Sequence[Window], compute: Tagging
) -> list[Prediction]:
    """The most probable tag of every word; entities by conlleval's reading of the tags, which are kept beside them."""
    move_network(tagger, compute.device, Pupil.relief).eval()

    def say(group: Sequence[Window]) -> list[list[int]]:
        return compute.logits(tagger, collate(group, compute.pad)).argmax(-1).tolist()

    tags = [["O"] * len(s.tokens) for s in sentences]
    longest_first = sorted(windows, key=lambda window: -len(window))
    for group, best in tagger.portions.answer(longest_first, len, say):
        for window, row in zip(group, best, strict=True):
            for word, position in zip(window.words, window.first, strict=True):
                tags[window.sentence][word] = tagger.labels[row[position]]
    cut = {window.sentence for window in windows if window.cut}
    return [
        Prediction(s.id, conll.chunks(t), tags=tuple(t), cut=(Cut.PROMPT,) if n in cut else ())
        for n, (s, t) in enumerate(zip(sentences, tags, strict=True))
    ]
