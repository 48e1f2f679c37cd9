"""A page as HTML without style, everything that comes from plugins escaped."""

from __future__ import annotations

from html import escape

from tabulate import tabulate

from ..page import Page
from ..table import Table
from .text import write_rows


def write_html(page: Page) -> str:
    """A document with every table of a page."""
    parts = []
    for table in page.tables():
        shown = tabulate(write_rows(table), table.headers, tablefmt="html", disable_numparse=True)
        legend = [f"<p>{escape(table.legend)}</p>"] if table.legend else []
        body = "\n".join([fold(table, shown), *legend, *show_pictures(table)])
        parts.append(f"<h2>{escape(table.title)}</h2>\n<p>{escape(table.note)}</p>\n{body}")
    title = escape(page.title)
    head = f"<!doctype html>\n<meta charset='utf-8'>\n<title>{title}</title>\n<h1>{title}</h1>\n"
    return head + "\n".join(parts) + "\n"


def fold(table: Table, shown: str) -> str:
    """What is shown of a table, behind a line to click on if the table is folded."""
    summary = f"<summary>{len(table.rows)} rows</summary>"
    return f"<details>{summary}\n\n{shown}\n\n</details>" if table.folded else shown


def show_pictures(table: Table) -> list[str]:
    """The pictures of a table, each with links to its numbers and its PNG."""
    return [
        f'<img src="{escape(path)}.svg" alt="{escape(text)}" width="480"><br>\n'
        f'{escape(text)}: <a href="{escape(path)}.csv">numbers</a>, <a href="{escape(path)}.png">PNG</a>'
        for path, text in table.pictures.items()
    ]
