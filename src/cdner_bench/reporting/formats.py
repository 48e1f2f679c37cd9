"""A page of tables as Markdown, CSV, LaTeX, HTML or JSON. Names come from plugins and are escaped everywhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Protocol

from tabulate import tabulate

from .leaderboard import Table


class Page(Protocol):
    """What can be written: a leaderboard, or the page of analyses."""

    @property
    def title(self) -> str:
        """Its heading."""
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


def markdown(page: Page) -> str:
    """A page. `|` in a name cannot break a table."""
    parts = [f"# {_escape(page.title)}", page.lead]
    for table in page.tables():
        rows = [[_escape(cell) for cell in row] for row in table.rows]
        align = ["right" if _numeric(header) else "left" for header in table.headers]
        headers = [_escape(h) for h in table.headers]
        shown = tabulate(rows, headers, tablefmt="pipe", disable_numparse=True, colalign=align)
        parts += [f"## {_escape(table.title)}", _escape(table.note), _folded(table, shown), *_images(table)]
    return "\n\n".join(filter(None, parts)) + "\n"


def latex(page: Page) -> str:
    """Booktabs tables, one after the other."""
    return (
        "\n\n".join(
            f"% {' '.join(t.title.split())}\n"
            + tabulate(t.rows, t.headers, tablefmt="latex_booktabs", disable_numparse=True)
            for t in page.tables()
        )
        + "\n"
    )


def html(page: Page) -> str:
    """A page without style, every cell escaped."""
    parts = []
    for t in page.tables():
        shown = tabulate(t.rows, t.headers, tablefmt="html", disable_numparse=True)
        parts.append(
            f"<h2>{escape(t.title)}</h2>\n<p>{escape(t.note)}</p>\n" + "\n".join([_folded(t, shown), *_images(t)])
        )
    title = escape(page.title)
    return (
        f"<!doctype html>\n<meta charset='utf-8'>\n<title>{title}</title>\n<h1>{title}</h1>\n" + "\n".join(parts) + "\n"
    )


def tidy_csv(page: Page) -> str:
    """One line a number, unrounded, with what it is a number of."""
    records = page.records()
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**r, "options": json.dumps(r["options"], sort_keys=True)} for r in records)
    return stream.getvalue()


def as_json(page: Page) -> str:
    """The records of `tidy_csv` as a list."""
    return json.dumps(page.records(), indent=1, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Page], str]] = {
    "md": markdown,
    "csv": tidy_csv,
    "latex": latex,
    "html": html,
    "json": as_json,
}
SUFFIXES = {"latex": "tex"}


def _escape(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _folded(table: Table, shown: str) -> str:
    summary = f"<summary>{len(table.rows)} rows</summary>"
    return f"<details>{summary}\n\n{shown}\n\n</details>" if table.folded else shown


def _images(table: Table) -> list[str]:
    """HTML, which Markdown may contain: there, nothing else sets a width."""
    return [
        f'<img src="{escape(path)}.svg" alt="{escape(text)}" width="480"><br>\n'
        f'{escape(text)}: <a href="{escape(path)}.csv">numbers</a>, <a href="{escape(path)}.png">PNG</a>'
        for path, text in table.pictures.items()
    ]


TEXT = (
    "Method", "Backbone", "Preset", "Device", "Precision", "Source", "Model", "Asked (UTC)", "Prompt",
    "Not plain answers", "Domain", "Corpus", "Part", "Setting", "Variance of", "Over", "Hypothesis 3.2",
)  # fmt: skip
"""Columns that are read and not compared."""


def _numeric(header: str) -> bool:
    return header not in TEXT
