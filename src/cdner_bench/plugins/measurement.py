"""What an analysis says about a corpus."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..types import Interval

Number = float | int | None


class NoNumberError(ValueError):
    """A NaN or an infinity where a number should be."""


@dataclass(frozen=True)
class Plot:
    """A picture of measurements of one kind, side by side.

    "points": the columns `x` and `y`, one point a unit. "bars": the number `y`, with its interval if it has one.
    `x_label` and `y_label` say what is on the axes, and in what unit.
    """

    name: str
    kind: Literal["points", "bars"]
    y: str
    y_label: str
    x: str = ""
    x_label: str = ""


@dataclass(frozen=True)
class Measurement:
    """Numbers about a corpus; None where there is no such number, and a note then says why.

    `intervals` are 95 % intervals of some of the numbers, by the same names. `parts` are numbers of named parts of the
    corpus, such as entity types. `columns` are values of its units, all of the same length: of every unit, or of a
    sample where there are many. `notes` say what a reader of the numbers has to know. Raises `NoNumberError`.
    """

    numbers: Mapping[str, Number]
    parts: Mapping[str, Mapping[str, Number]] = field(default_factory=dict)
    columns: Mapping[str, Sequence[float]] = field(default_factory=dict)
    plots: Sequence[Plot] = ()
    notes: Sequence[str] = ()
    intervals: Mapping[str, Interval] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for numbers in (self.numbers, *self.parts.values()):
            for name, value in numbers.items():
                if value is not None and not math.isfinite(value):
                    raise NoNumberError(f"{name} is {value}")
        for name, interval in self.intervals.items():
            if self.numbers.get(name) is None:
                raise ValueError(f"there is an interval of {name}, but no such number")
            if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
                raise NoNumberError(f"the interval of {name} is {interval}")
        for name, column in self.columns.items():
            if not all(map(math.isfinite, column)):
                raise NoNumberError(f"the column {name} has values that are no numbers")
        if len({len(column) for column in self.columns.values()}) > 1:
            raise ValueError("columns are of different lengths")
