"""Tables, of columns that know what to show of a row; pages of them; and the seam by which others add to a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from ..plugins import Number
from .cells import Cell, Hole, list_values

if TYPE_CHECKING:
    from .analyses import Section
    from .leaderboard import Board

R_contra = TypeVar("R_contra", contravariant=True)
S = TypeVar("S")
Align = Literal["left", "right"]


@dataclass(frozen=True)
class Column(Generic[R_contra]):
    """A column: its title, the side on which its cells stand, and the cell that it takes from a row.

    Words are read and stand on the left, numbers are compared and stand on the right. Where there is no room for all,
    columns of less `importance` are left out first. `key` is what programs call it.
    """

    title: str
    align: Align
    cell: Callable[[R_contra], Cell]
    importance: int = 0
    key: str = ""

    @property
    def name(self) -> str:
        """The column's key: the title in small letters, with _ between words, where it has no other."""
        return self.key or "_".join(re.findall(r"[\w-]+", self.title.lower()))

    def of(self, find: Callable[[S], R_contra | None]) -> Column[S]:
        """The same column of a table whose rows have those of this one in them, or a hole where they have none."""
        return Column(
            self.title,
            self.align,
            lambda row: Hole() if (found := find(row)) is None else self.cell(found),
            key=self.key,
        )


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

    @cached_property
    def cells(self) -> list[list[Cell]]:
        """The values of every row, one for each column."""
        return [[column.cell(row) for column in self.columns] for row in self.rows]

    def records(self) -> list[dict[str, str | Number]]:
        """One record a row: what its cells hold for programs, unrounded, all with the same keys. Of columns that are
        called alike, those after the first have a number behind their name.
        """
        taken = [column.name for column in self.columns]
        names = [f"{name}_{n}" if (n := taken[:place].count(name)) else name for place, name in enumerate(taken)]
        made = [
            {
                key: value
                for name, cell in zip(names, cells, strict=True)
                for key, value in list_values(name, cell).items()
            }
            for cells in self.cells
        ]
        keys = list(dict.fromkeys(key for record in made for key in record)) or names
        return [{key: record.get(key) for key in keys} for record in made]


class Page(Protocol):
    """What a format writes: a leaderboard, or the page of analyses."""

    @property
    def title(self) -> str:
        """The heading of the page."""
        ...

    @property
    def lead(self) -> str:
        """The paragraph under the heading, in Markdown."""
        ...

    def tables(self) -> Sequence[Table]:
        """Everything that is shown, in order."""
        ...

    def records(self) -> Sequence[Mapping[str, Any]]:
        """The unrounded numbers, all with the same keys."""
        ...


class Supplement(Protocol):
    """What stands on a page after what was measured. A supplement with nothing to say of a page returns nothing."""

    def board_tables(self, board: Board) -> Sequence[Table]:
        """What stands under the tables of a leaderboard."""
        ...

    def analysis_tables(self, section: Section) -> Sequence[Table]:
        """What stands under the analyses of one benchmark."""
        ...

    def analysis_records(self, section: Section) -> Sequence[Mapping[str, Any]]:
        """The numbers behind those tables, with the keys of a measurement's record."""
        ...
