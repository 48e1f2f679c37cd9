"""How a page is written: one module a format, each with the one function that escapes a text for it."""

from collections.abc import Callable, Mapping

from ..table import Page
from .csv import escape_csv, write_csv, write_lines
from .html import escape_html, write_document, write_html, write_sections
from .json import write_json
from .latex import PREAMBLE, escape_latex, write_latex, write_tabular
from .markdown import escape_markdown, write_markdown
from .terminal import draw_table
from .text import write_cell, write_number, write_rows

FORMATS: Mapping[str, Callable[[Page], str]] = {
    "md": write_markdown,
    "csv": write_csv,
    "latex": write_latex,
    "html": write_html,
    "json": write_json,
}
"""What a page can be written as, by the name that the command line knows."""

SUFFIXES = {"latex": "tex"}
"""How files of a format end, where that is not its name."""

__all__ = [
    "FORMATS",
    "PREAMBLE",
    "SUFFIXES",
    "draw_table",
    "escape_csv",
    "escape_html",
    "escape_latex",
    "escape_markdown",
    "write_cell",
    "write_document",
    "write_lines",
    "write_number",
    "write_rows",
    "write_sections",
    "write_tabular",
]
