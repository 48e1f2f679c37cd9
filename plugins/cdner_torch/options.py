"""Options that several methods have: what numbers they take, and the groups that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

from .compute import Precision

Positive = Annotated[int, Gt(0)]
Natural = Annotated[int, Ge(0)]
Length = Annotated[int, Ge(16)]
"""So many tokens that some are left beside the special ones."""
Rate = Annotated[float, Gt(0), Lt(1)]
Factor = Annotated[float, Ge(0)]
Answers = Literal["free", "spans"]
Share = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True)
class Dev:
    """Where dev selects the epoch."""

    every: Positive = 1
    """Every how many epochs dev is answered."""
    sentences: Positive | None = None
    """How many sentences of dev are answered at most; none: all."""


@dataclass(frozen=True)
class Decoding:
    """How answers are generated."""

    max_answer: Positive = 256
    """How many tokens an answer has at most."""
    answers: Answers = "free"
    """What an answer may say: anything (`free`), or only items of a type of the prompt and a span of the sentence, from
    left to right (`spans`).
    """


@dataclass(frozen=True)
class Generation:
    """How the model computes in every stage."""

    dropout: Share | None = None
    """The backbone's dropout; none leaves its own."""
    max_source: Length = 256
    """To how many tokens what is read is cut."""
    max_target: Length = 256
    """To how many tokens what is to be said is cut, in training."""
    precision: Precision = "auto"
    """What is computed in: `auto` is bf16 where the device has it, else fp32. Test sentences are always answered in
    fp32.
    """


@dataclass(frozen=True)
class Prefix:
    """What guides attention."""

    length: Positive = 10
    """How many keys and values stand before those of the tokens."""
    hidden: Positive = 800
    """How wide the layer is that prefixes are made by."""
    dropout: Share = 0.0
    """The dropout of the prefixes."""
