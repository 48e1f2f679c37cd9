"""A page as Markdown, with HTML where Markdown has no words: for pictures and for what is folded."""

from __future__ import annotations

import re

from tabulate import tabulate

from ...foreign import show_line
from ..table import Page, Table
from .html import fold, show_pictures
from .text import write_rows

_MARKS = re.compile(
    r"`cdner-bench [a-z -]+`"  # what is to be typed, and stays code
    r"|&(?=\#?\w+;)|<"  # an entity, a tag
    r"|[\\`|*~]|(?<!\w)_|_(?!\w)"  # code, the end of a cell, emphasis
    r"|(?<=\])[(\[:]|!(?=\[)"  # a link, a picture, where a link leads
    r"|:(?=//)|(?<=www)\.",  # an address, which would be a link
    re.IGNORECASE,
)
_BEGINNINGS = re.compile(r"(?<=^\d)[.)]|(?<=^\d\d)[.)]|^[#>+=-]")
"""What makes a heading, a quotation or an item of a list of a paragraph."""


def write_markdown(page: Page) -> str:
    """A page. Nothing in a name can break a table, or be more than text."""
    parts = [f"# {escape_markdown(page.title)}", page.lead]
    for table in page.tables():
        shown = fold(table, _table(table))
        parts += [f"## {escape_markdown(table.title)}", _paragraph(table.note), shown, _paragraph(table.legend)]
        parts += show_pictures(table, _paragraph)
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(table: Table) -> str:
    rows = [[escape_markdown(text) for text in row] for row in write_rows(table)]
    headers = [escape_markdown(header) for header in table.headers]
    align = [column.align for column in table.columns]
    return tabulate(rows, headers, tablefmt="pipe", disable_numparse=True, colalign=align)


def _paragraph(text: str) -> str:
    return _BEGINNINGS.sub(r"\\\g<0>", escape_markdown(text).strip())


def escape_markdown(text: str) -> str:
    """A text that is neither a mark nor a tag."""
    return _MARKS.sub(_escape, show_line(text))


def _escape(mark: re.Match[str]) -> str:
    return mark[0] if len(mark[0]) > 1 else {"&": "&amp;", "<": "&lt;"}.get(mark[0], f"\\{mark[0]}")
