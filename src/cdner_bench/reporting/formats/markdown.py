"""A page as Markdown, with HTML where Markdown has no words: for pictures and for what is folded."""

from __future__ import annotations

from tabulate import tabulate

from ..page import Page
from ..table import Table
from .html import fold, show_pictures
from .text import write_rows


def write_markdown(page: Page) -> str:
    """A page. `|` in a name cannot break a table."""
    parts = [f"# {_escape(page.title)}", page.lead]
    for table in page.tables():
        parts += [f"## {_escape(table.title)}", _escape(table.note), fold(table, _table(table)), _escape(table.legend)]
        parts += show_pictures(table)
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(table: Table) -> str:
    rows = [[_escape(text) for text in row] for row in write_rows(table)]
    headers = [_escape(header) for header in table.headers]
    align = [column.align for column in table.columns]
    return tabulate(rows, headers, tablefmt="pipe", disable_numparse=True, colalign=align)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
