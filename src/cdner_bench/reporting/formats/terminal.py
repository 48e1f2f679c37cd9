"""A table for the terminal, drawn by rich. Text of models and plugins is never markup, and moves no cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...foreign import show
from .text import write_rows

if TYPE_CHECKING:
    from rich.text import Text

    from ...drawing import Grid
    from ..table import Table


def draw_table(table: Table, more: str = "") -> Grid:
    """The table, ready to be printed with rich; `more` is what to type to see the columns that have no room."""
    from ...drawing import MORE, Grid

    made = Grid(_plain(table.title), _plain(table.legend), more or MORE)
    for column in table.columns:
        made.add(_plain(column.title), column.align, column.importance)
    for row in write_rows(table):
        made.add_row(*map(_plain, row))
    return made


def _plain(text: str) -> Text:
    """Text that a reader may see."""
    from rich.text import Text

    return Text(show(text))
