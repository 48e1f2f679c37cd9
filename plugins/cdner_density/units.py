"""Surprisals summed up over units, and the one number of each that uniform information density is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Base = Literal["2", "e", "10"]
Operationalisation = Literal["mean", "variance", "local", "super-linear"]
Normalise = Literal["token", "bigram", "none"]

PER_BIT = {"2": 1.0, "e": float(np.log(2)), "10": float(np.log10(2))}
"""What a bit is in units of each base."""
NAMES = {"2": "bits", "e": "nats", "10": "hartleys"}


@dataclass(frozen=True)
class Units:
    """Sums over the surprisals (bits) of each unit: arrays of one number a unit that has tokens.

    `length` counts tokens, `scored` those that have a surprisal; `jumps` are squared differences of neighbouring
    surprisals, `joint` surprisals weighted by the probability of their pair.
    """

    length: Floats
    scored: Floats
    total: Floats
    squares: Floats
    jumps: Floats
    powers: Floats
    joint: Floats


def sum_up(surprisals: Sequence[Floats], lengths: Sequence[int], exponent: float) -> Units:
    """The sums over units whose surprisals (bits) are known one by one; `joint` is zero."""
    scored = np.array([len(s) for s in surprisals], float)
    return Units(
        length=np.array(lengths, float),
        scored=scored,
        total=np.array([s.sum() for s in surprisals]),
        squares=np.array([np.square(s).sum() for s in surprisals]),
        jumps=np.array([np.square(np.diff(s)).sum() for s in surprisals]),
        powers=np.array([(s**exponent).sum() for s in surprisals]),
        joint=np.zeros(len(scored)),
    )


@dataclass(frozen=True)
class PerUnit:
    """Which number of a unit is looked at.

    "mean": the sum of surprisals, divided by tokens (the paper's, as its numbers come out), by scored tokens
    ("bigram"), or by nothing (as section 3.4 prints it). "variance": of the surprisals within the unit. "local": the
    mean squared difference of neighbours. "super-linear": like "mean", each surprisal raised to `exponent`.
    Meister et al. (2021), section 3, has them all.
    """

    operationalisation: Operationalisation
    normalise: Normalise
    base: Base
    exponent: float

    def has(self, units: Units) -> NDArray[np.bool_]:
        """Which units have the number: "local" needs two surprisals, the others one."""
        return units.scored >= (2 if self.operationalisation == "local" else 1)

    def of(self, units: Units) -> Floats:
        """The number of each unit; where `has` is false it means nothing."""
        scale, scored = PER_BIT[self.base], np.maximum(units.scored, 1)
        if self.operationalisation == "variance":
            mean = units.total / scored
            return np.maximum(units.squares / scored - mean**2, 0) * scale**2
        if self.operationalisation == "local":
            return units.jumps / np.maximum(units.scored - 1, 1) * scale**2
        divisor = {"token": units.length, "bigram": scored, "none": np.ones_like(scored)}[self.normalise]
        if self.operationalisation == "super-linear":
            sums = units.powers * scale**self.exponent
        else:
            sums = units.total * scale
        numbers: Floats = sums / divisor
        return numbers
