"""A page as LaTeX: booktabs tables, one after the other, every cell escaped."""

from __future__ import annotations

from tabulate import LATEX_ESCAPE_RULES, tabulate

from ..page import Page
from ..table import Table
from .text import write_rows


def write_latex(page: Page) -> str:
    """The tables, each under a comment with its title."""
    return "\n\n".join(map(_table, page.tables())) + "\n"


def _table(table: Table) -> str:
    shown = tabulate(write_rows(table), table.headers, tablefmt="latex_booktabs", disable_numparse=True)
    legend = f"\n\n{{\\footnotesize {_escape(table.legend)}}}" if table.legend else ""
    return f"% {' '.join(table.title.split())}\n{shown}{legend}"


def _escape(text: str) -> str:
    return "".join(LATEX_ESCAPE_RULES.get(character, character) for character in text)
