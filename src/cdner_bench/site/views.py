"""Tables as the templates show them: texts, what sorts them, where they lead, and the same table as CSV."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

from ..plugins import Number
from ..reporting import METHOD, Cell, Column, Table, list_values, write_lines, write_rows

FILTERS = ("Benchmark", "Setting", "Backbone", "Device")
"""Titles of the columns whose values a reader may choose from."""

Link = tuple[str, str]
"""What is shown, and where it leads."""


class Shown(NamedTuple):
    """A cell: the tag and the side of its column, its text, the number that sorts it if it is one, and what stands in
    place of the text if it leads somewhere.
    """

    tag: str
    align: str
    text: str
    value: Number
    links: Sequence[Link]


@dataclass(frozen=True)
class View:
    """A table on a page, under an `id` that nothing else there has. `link` says where a cell of a row leads, `head` is
    the title of the column that names the rows; a table that is `saved` can be downloaded.
    """

    id: str
    table: Table
    link: Callable[[Any, Column[Any]], Sequence[Link]] | None = None
    head: str = METHOD.title
    saved: bool = True

    @cached_property
    def rows(self) -> list[list[Shown]]:
        """The cells of every row."""
        titles = self.table.headers
        heading = titles.index(self.head) if self.head in titles else 0
        looks = [("td" if n != heading else "th", column.align) for n, column in enumerate(self.table.columns)]
        return [
            [
                Shown(*look, text, number(cell), self.link(row, column) if self.link else ())
                for look, text, cell, column in zip(looks, texts, cells, self.table.columns, strict=True)
            ]
            for row, texts, cells in zip(self.table.rows, write_rows(self.table), self.table.cells, strict=True)
        ]

    @property
    def filters(self) -> Collection[str]:
        """The columns whose values a reader may choose from."""
        return [title for title in self.table.headers if title in FILTERS]

    @property
    def csv(self) -> str:
        """The numbers of the table, unrounded, as an address that holds the whole file."""
        records = self.table.records()
        return address(write_lines([list(records[0]) if records else [], *(record.values() for record in records)]))


def address(csv: str) -> str:
    """A file of CSV as an address that holds all of it."""
    return f"data:text/csv;charset=utf-8,{quote(csv, safe='!$()*,-./:;=?@_~', errors='replace')}"


def number(cell: Cell) -> Number:
    """The first number of a cell, unrounded; None if it does not begin with one."""
    value = next(iter(list_values("", cell).values()), None)
    return None if isinstance(value, str) else value
