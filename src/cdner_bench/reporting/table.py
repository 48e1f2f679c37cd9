"""A table: columns that know what to show of a row, and the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from .cells import Cell

R_contra = TypeVar("R_contra", contravariant=True)
Align = Literal["left", "right"]


@dataclass(frozen=True)
class Column(Generic[R_contra]):
    """A column: its title, the side on which its cells stand, and the cell that it takes from a row.

    Words are read and stand on the left, numbers are compared and stand on the right.
    """

    title: str
    align: Align
    cell: Callable[[R_contra], Cell]


@dataclass(frozen=True)
class Table:
    """Columns, and the rows that they read.

    `pictures` go with it: paths relative to the page and without suffix (each is an SVG, a PNG and a CSV), and what
    they show. A `folded` table is long and opens on a click, where the format can do that. `note` stands above the
    table, `legend` under it: what the marks in its cells mean.
    """

    title: str
    columns: Sequence[Column[Any]]
    rows: Sequence[Any]
    note: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)
    folded: bool = False
    legend: str = ""

    @property
    def headers(self) -> list[str]:
        """The titles of the columns."""
        return [column.title for column in self.columns]

    @property
    def cells(self) -> list[list[Cell]]:
        """The values of every row, one for each column."""
        return [[column.cell(row) for column in self.columns] for row in self.rows]
