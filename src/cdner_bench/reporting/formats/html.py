"""A page as HTML that holds its own style and needs no script, everything that comes from plugins escaped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from ...foreign import show_line
from ..table import Page, Table
from .text import write_rows

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --line: #ccc; --stripe: #f4f4f4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #161616; --line: #444; --stripe: #222; } }
body { font: 1rem/1.45 system-ui, sans-serif; margin: 1rem auto; max-width: 100rem; padding: 0 1rem; }
body { color: var(--ink); background: var(--paper); overflow-wrap: break-word; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { vertical-align: bottom; }
tbody tr:nth-child(even) { background: var(--stripe); }
.right { text-align: right; }
td.right { white-space: nowrap; }
img { max-width: 100%; background: #fff; }
@media screen and (max-width: 40rem) {
  thead { display: none; }
  table, tbody { display: block; }
  tr { display: flex; flex-wrap: wrap; gap: 0 1.2rem; padding: .5rem; border-bottom: 1px solid var(--line); }
  td, td.right { border: 0; padding: 0; text-align: left; min-width: 0; overflow-wrap: anywhere; white-space: normal; }
  td::before { content: attr(data-label) " "; opacity: .7; font-size: .85em; }
}
@media print {
  :root { --ink: #000; --paper: #fff; --stripe: #fff; }
  body { margin: 0; max-width: none; font-size: 8pt; }
  .wide { overflow: visible; }
  th, td { padding: .15rem .3rem; }
  tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
"""
"""Where a window is as narrow as a phone, a row is a paragraph in which every value stands after its column's title."""


def write_html(page: Page) -> str:
    """A document with every table of a page."""
    return write_document(page.title, write_sections(page.tables()))


def write_sections(tables: Sequence[Table]) -> list[str]:
    """Each table under its title, with what stands above and under it."""
    parts = []
    for table in tables:
        legend = [f"<p>{escape_html(table.legend)}</p>"] if table.legend else []
        body = "\n".join([fold(table, _table(table)), *legend, *show_pictures(table, escape_html)])
        note = f"<p>{escape_html(table.note)}</p>\n" if table.note else ""
        parts.append(f"<h2>{escape_html(table.title)}</h2>\n{note}{body}")
    return parts


def write_document(title: str, parts: Sequence[str], style: str = "") -> str:
    """A document of parts that are HTML already, with a style of their own if they need one."""
    title = escape_html(title)
    head = "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>\n<style>{STYLE}{style}</style>\n<h1>{title}</h1>\n",
        ]
    )
    return head + "\n".join(parts) + "\n</html>\n"


def _table(table: Table) -> str:
    titles = list(map(escape_html, table.headers))
    sides = [f' class="{column.align}"' for column in table.columns]
    head = "".join(f'<th scope="col"{side}>{title}</th>' for side, title in zip(sides, titles, strict=True))
    rows = [
        "".join(
            f'<td{side} data-label="{title}">{escape_html(text)}</td>'
            for side, title, text in zip(sides, titles, row, strict=True)
        )
        for row in write_rows(table)
    ]
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


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
