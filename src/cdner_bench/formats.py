"""A leaderboard as Markdown, CSV, LaTeX, HTML or JSON. Names come from plugins and are escaped everywhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from html import escape

from tabulate import tabulate

from .leaderboard import Board


def markdown(board: Board) -> str:
    """A page. `|` in a name cannot break a table."""
    parts = [
        f"# {_escape(board.title)}",
        f"Benchmark `{board.benchmark.name}`, version {board.benchmark.version}. "
        "Written by `cdner-bench leaderboard` from the result files; do not edit.",
    ]
    for table in board.tables():
        rows = [[_escape(cell) for cell in row] for row in table.rows]
        align = ["right" if _numeric(header) else "left" for header in table.headers]
        parts += [
            f"## {table.title}",
            table.note,
            tabulate(rows, [_escape(h) for h in table.headers], tablefmt="pipe", disable_numparse=True, colalign=align),
        ]
    return "\n\n".join(filter(None, parts)) + "\n"


def latex(board: Board) -> str:
    """Booktabs tables, one after the other."""
    return (
        "\n\n".join(
            f"% {t.title}\n{tabulate(t.rows, t.headers, tablefmt='latex_booktabs', disable_numparse=True)}"
            for t in board.tables()
        )
        + "\n"
    )


def html(board: Board) -> str:
    """A page without style, every cell escaped."""
    parts = [
        f"<h2>{escape(t.title)}</h2>\n<p>{escape(t.note)}</p>\n"
        + tabulate(t.rows, t.headers, tablefmt="html", disable_numparse=True)
        for t in board.tables()
    ]
    title = escape(board.title)
    return (
        f"<!doctype html>\n<meta charset='utf-8'>\n<title>{title}</title>\n<h1>{title}</h1>\n" + "\n".join(parts) + "\n"
    )


def tidy_csv(board: Board) -> str:
    """One line a row, target and protocol, unrounded."""
    records = board.records()
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**r, "options": json.dumps(r["options"], sort_keys=True)} for r in records)
    return stream.getvalue()


def as_json(board: Board) -> str:
    """The records of `tidy_csv` as a list."""
    return json.dumps(board.records(), indent=1, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Board], str]] = {
    "md": markdown,
    "csv": tidy_csv,
    "latex": latex,
    "html": html,
    "json": as_json,
}
SUFFIXES = {"latex": "tex"}


def _escape(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


TEXT = (
    "Method", "Backbone", "Preset", "Device", "Precision", "Source", "Model", "Asked (UTC)", "Prompt",
    "Not plain answers",
)  # fmt: skip
"""Columns that are read and not compared."""


def _numeric(header: str) -> bool:
    return header not in TEXT
