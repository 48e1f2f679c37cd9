"""A table for the terminal, drawn by rich. Text of models and plugins is never markup, and moves no cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...foreign import show
from .text import write_rows

if TYPE_CHECKING:
    from rich.table import Table as Drawing
    from rich.text import Text

    from ..table import Table


def draw_table(table: Table) -> Drawing:
    """The table, ready to be printed with rich."""
    from rich import box
    from rich.table import Table as Drawing

    made = Drawing(title=_plain(table.title), box=box.SIMPLE, title_justify="left", pad_edge=False)
    if table.legend:
        made.caption, made.caption_justify = _plain(table.legend), "left"
    for column in table.columns:
        made.add_column(_plain(column.title), justify=column.align, overflow="fold")
    for row in write_rows(table):
        made.add_row(*map(_plain, row))
    return made


def _plain(text: str) -> Text:
    """Text that a reader may see."""
    from rich.text import Text

    return Text(show(text))
