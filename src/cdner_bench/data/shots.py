"""How many labels does one have? A setting with a part of the target's labelled sentences, drawn by the seed of a run.

`single-shots25` is the setting `single` with 25 sentences of the target's train split and as many of its dev split;
`single-shots25-full-dev` leaves dev whole. Draws of one seed are nested: the 25 sentences are among the 50.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..errors import OptionError
from ..hashing import digest
from ..types import Corpus, Sentence

_NUMBER = "[1-9][0-9]{0,5}"
_NAME = re.compile(rf"(?P<setting>.+)-shots(?P<number>{_NUMBER})(?P<full>-full-dev)?")


@dataclass(frozen=True)
class Shots:
    """So many labelled sentences of the target, and as many of its dev split, or all of that."""

    number: int
    full_dev: bool = False

    @property
    def title(self) -> str:
        """What to know of the data, in words."""
        dev = "all of dev" if self.full_dev else "as many of dev"
        return f"{self.number} labelled sentences of the target and {dev}, drawn by seed"

    def count(self, train: int, dev: int) -> tuple[int, int]:
        """How many sentences of train and dev there are to learn from."""
        return min(self.number, train), dev if self.full_dev else min(self.number, dev)

    def draw(self, corpus: Corpus, seed: int) -> Corpus:
        """The corpus with the sentences that a run with this seed learns from. Those of train that were not drawn are
        `removed`, so that no explanation of their entities is learnt from either.
        """
        train, dev = self.count(len(corpus.train), len(corpus.dev))
        kept = _shuffle(corpus.train, seed)[:train]
        left = {digest(s.text) for s in corpus.train} - {digest(s.text) for s in kept}
        scaled = corpus.dev if self.full_dev else _shuffle(corpus.dev, seed)[:dev]
        return replace(corpus, train=kept, dev=scaled, removed=corpus.removed | left)


def name_shots(setting: str, shots: Shots) -> str:
    """The name of a setting with so many labelled sentences."""
    return f"{setting}-shots{shots.number}{'-full-dev' if shots.full_dev else ''}"


def read_shots(name: str) -> tuple[str, Shots] | None:
    """The setting that a name builds on, and how many labelled sentences it says; None if it says nothing of that."""
    match = _NAME.fullmatch(name)
    return (match["setting"], Shots(int(match["number"]), bool(match["full"]))) if match else None


def parse_numbers(text: str) -> list[int]:
    """`"10, 25"` as numbers, each once, the fewest first. Raises `OptionError` for what is none."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(re.fullmatch(_NUMBER, part) for part in parts):
        raise OptionError(f"--shots {text}: numbers of labelled sentences", hint="write --shots 10,25,50,100")
    return sorted(set(map(int, parts)))


def _shuffle(sentences: Iterable[Sentence], seed: int) -> tuple[Sentence, ...]:
    """In an order that depends on the seed and on the sentences only."""
    return tuple(sorted(sentences, key=lambda sentence: digest([seed, sentence.id])))
