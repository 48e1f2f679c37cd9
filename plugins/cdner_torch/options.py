"""Options that several methods have: what numbers they take, and the groups that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Lt

Positive = Annotated[int, Gt(0)]
Natural = Annotated[int, Ge(0)]
Rate = Annotated[float, Gt(0), Lt(1)]
Share = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True)
class Dev:
    """Where dev selects the epoch: every how many epochs it is answered, and at most how many sentences of it."""

    every: Positive = 1
    sentences: Positive | None = None


@dataclass(frozen=True)
class Decoding:
    """How many tokens an answer has at most."""

    max_answer: Positive = 256
