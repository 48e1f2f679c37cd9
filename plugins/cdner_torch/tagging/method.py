"""What methods whose answer is a `Tagger` have in common: how it is opened, answers, is kept and taken over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cdner_bench import Method, Prediction, RunContext, Sentence

from ..batches import blocks
from .encoding import Reader
from .model import Make, Tagger, load_reader, load_tagger, save_tagger
from .training import Tagging, decode


class TaggerMethod(Method):
    """A method that fits `tagger`. Its options have `backbone` and a group `network` with `precision`.

    A method that has a head of its own says with `make` what tagger it trains.
    """

    options: Any
    tagger: Tagger
    reader: Reader
    compute: Tagging

    @property
    def make(self) -> Make:
        """Makes the tagger that is trained."""
        return Tagger

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """In float32, so that a sentence's tags do not depend on its neighbours in a batch."""
        exact = replace(self.compute, precision="fp32")
        for block in blocks(sentences, 256):
            yield from self.decode(self.tagger, block, exact)

    def save(self, folder: Path) -> None:
        """The tagger and its tokenizer: nothing of the backbone is needed any more."""
        save_tagger(self.tagger, folder)
        self.reader.tokenizer.save_pretrained(folder)

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        self.open(str(folder), run)
        self.tagger = load_tagger(folder, self.make)

    def open(self, backbone: str, run: RunContext) -> None:
        """Read sentences as a backbone does, and compute where and how the options say."""
        self.reader = load_reader(backbone)
        self.compute = Tagging(run.device, self.options.network.precision, self.reader.tokenizer.pad_token_id or 0)

    def decode(self, tagger: Tagger, sentences: Sequence[Sentence], compute: Tagging) -> list[Prediction]:
        """What a tagger says of sentences."""
        return decode(tagger, sentences, self.reader.read(sentences), compute)

    def describe(self, run: RunContext) -> None:
        """Tell the record of the model, all of which has learnt."""
        size = sum(p.numel() for p in self.tagger.parameters())
        run.describe(backbone=self.options.backbone, trained=size, total=size, precision=self.compute.resolved)
