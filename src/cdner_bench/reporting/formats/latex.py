"""A page as LaTeX: booktabs tables, one after the other, every cell escaped."""

from __future__ import annotations

from collections.abc import Iterable

from tabulate import LATEX_ESCAPE_RULES

from ...foreign import show_line
from ..table import Page, Table
from .text import write_rows

_RULES = {**LATEX_ESCAPE_RULES, "[": "{[}", "]": "{]}", "*": "{*}", "`": "{`}", "'": "{'}", '"': "\\textquotedbl{}"}
"""What stands for a character; brackets and a star mean something after the end of a row, quotes after one another."""


def write_latex(page: Page) -> str:
    """The tables, each under a comment with its title."""
    return "\n\n".join(map(_table, page.tables())) + "\n"


def _table(table: Table) -> str:
    sides = "".join(column.align[0] for column in table.columns)
    lines = [
        f"% {show_line(table.title)}",
        f"\\begin{{tabular}}{{{sides}}}",
        "\\toprule",
        _row(table.headers),
        "\\midrule",
        *map(_row, write_rows(table)),
        "\\bottomrule",
        "\\end{tabular}",
        *([f"\n{{\\footnotesize {escape_latex(table.legend)}}}"] if table.legend else []),
    ]
    return "\n".join(lines)


def _row(texts: Iterable[str]) -> str:
    return f" {' & '.join(map(escape_latex, texts))} \\\\"


def escape_latex(text: str) -> str:
    """A text that is no command."""
    return "".join(_RULES.get(character, character) for character in show_line(text))
