"""A page as HTML without style, everything that comes from plugins escaped."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from tabulate import tabulate

from ...foreign import show_line
from ..table import Page, Table
from .text import write_rows


def write_html(page: Page) -> str:
    """A document with every table of a page."""
    parts = []
    for table in page.tables():
        rows = [list(map(escape_html, row)) for row in write_rows(table)]
        headers = list(map(escape_html, table.headers))
        shown = tabulate(rows, headers, tablefmt="unsafehtml", disable_numparse=True)
        legend = [f"<p>{escape_html(table.legend)}</p>"] if table.legend else []
        body = "\n".join([fold(table, shown), *legend, *show_pictures(table, escape_html)])
        parts.append(f"<h2>{escape_html(table.title)}</h2>\n<p>{escape_html(table.note)}</p>\n{body}")
    title = escape_html(page.title)
    head = f"<!doctype html>\n<meta charset='utf-8'>\n<title>{title}</title>\n<h1>{title}</h1>\n"
    return head + "\n".join(parts) + "\n"


def escape_html(text: str) -> str:
    """A text that is neither a tag nor the end of an attribute."""
    return escape(show_line(text))


def fold(table: Table, shown: str) -> str:
    """What is shown of a table, behind a line to click on if the table is folded."""
    summary = f"<summary>{len(table.rows)} rows</summary>"
    return f"<details>{summary}\n\n{shown}\n\n</details>" if table.folded else shown


def show_pictures(table: Table, write: Callable[[str], str]) -> list[str]:
    """The pictures of a table, each with links to its numbers and its PNG, under a text that `write` escapes."""
    return [
        f'<img src="{escape_html(path)}.svg" alt="{escape_html(text)}" width="480"><br>\n'
        f'{write(text)}: <a href="{escape_html(path)}.csv">numbers</a>, <a href="{escape_html(path)}.png">PNG</a>'
        for path, text in table.pictures.items()
    ]
