"""What a cell of a table holds: a value, and how precisely it is known. How it is written is the formats' business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from ..plugins import Number

HOLE = "–"
"""The sign for a value that does not exist."""


@dataclass(frozen=True)
class Hole:
    """No value; `reason` says why in a word or two, and is empty where the sign of a hole says enough."""

    reason: str = ""


@dataclass(frozen=True)
class Fixed:
    """A number with a fixed number of digits after the point, between the signs of its unit."""

    value: float
    digits: int = 2
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Measure:
    """A number that an analysis measured: written with all digits of an integer, or four significant ones."""

    value: Number


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, its sample standard deviation (None for one seed) and the number of seeds."""

    mean: float
    sd: float | None
    n: int

    @classmethod
    def over(cls, values: Sequence[float]) -> Estimate | None:
        """The estimate from these values; None where there is nothing to estimate from."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, len(values)) if values else None


@dataclass(frozen=True)
class Bracketed:
    """A number with the ends of its interval."""

    value: Fixed | Measure
    low: Fixed | Measure
    high: Fixed | Measure


@dataclass(frozen=True)
class Remarked:
    """A number, or names, with a word about how they were found, or the letter of a note under the table."""

    value: Fixed | Several | Estimate
    remark: str


@dataclass(frozen=True)
class Several:
    """Values of equal standing, such as percentiles, with what stands between them. Programs read them apart where they
    have `names`.
    """

    values: Sequence[str | int | Fixed]
    between: str
    names: Sequence[str] = ()


def list_values(name: str, cell: Cell) -> dict[str, str | Number]:
    """What a cell holds as values for programs, unrounded, under its name and names that begin with it."""
    made: dict[str, str | Number]
    match cell:
        case Hole(reason):
            made = {name: reason or None}
        case Fixed(value) | Measure(value):
            made = {name: value}
        case Estimate(mean, sd, n):
            made = {name: mean, f"{name}_sd": sd, f"{name}_n": n}
        case Bracketed(middle, low, high):
            made = list_values(name, middle) | list_values(f"{name}_low", low) | list_values(f"{name}_high", high)
        case Remarked(remarked, remark):
            made = list_values(name, remarked) | {f"{name}_remark": remark}
        case Several([value]):
            made = list_values(name, value)
        case Several(values, _, names) if names:
            apart = zip(names, values, strict=True)
            made = {key: v for end, value in apart for key, v in list_values(f"{name}_{end}", value).items()}
        case Several(values, between):
            made = {name: between.join(str(v) for value in values for v in list_values(name, value).values())}
        case str() | int():
            made = {name: cell}
    return made


Cell = str | int | Hole | Fixed | Measure | Estimate | Bracketed | Remarked | Several
