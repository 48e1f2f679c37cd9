"""Options that the methods which tag words have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..compute import Precision
from ..options import Positive, Rate, Share


@dataclass(frozen=True)
class Network:
    """How the model computes in every stage."""

    precision: Precision = "auto"
    """What is computed in: `auto` is bf16 where the device has it, else fp32. Test sentences are always answered in
    fp32.
    """


@dataclass(frozen=True)
class Finetuning:
    """How the sources and the target are learnt."""

    batch_size: Positive = 16
    """How many windows (a sentence, or a stretch of one that is too long) make a step."""
    dropout: Share | None = None
    """The encoder's dropout; none leaves the backbone's own."""


@dataclass(frozen=True)
class Source:
    """The source domains."""

    epochs: Positive = 2
    """How often they are gone through."""
    learning_rate: Rate = 5e-5
    """The learning rate, constant."""
    sentences: Positive | None = None
    """How many train sentences of each are learnt at most, drawn by the seed; none: all."""
    sampling: Literal["sqrt", "concat"] = "sqrt"
    """How several are mixed: `sqrt` draws from each with weight √size, `concat` takes them as they are."""


@dataclass(frozen=True)
class Target:
    """The target domain."""

    epochs: Positive = 300
    """How often it is gone through at most."""
    patience: Positive | None = 8
    """After how many epochs without a better dev score training stops; none: never."""
    learning_rate: Rate = 5e-5
    """The learning rate at the beginning."""
    schedule: Literal["constant", "linear"] = "constant"
    """Whether the learning rate stays `constant` or falls to 0 (`linear`)."""
