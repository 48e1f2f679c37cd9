"""How a page is written: one module a format. Names come from plugins and are escaped in each."""

from collections.abc import Callable, Mapping

from ..page import Page
from .csv import tidy_csv
from .html import html
from .json import as_json
from .latex import latex
from .markdown import markdown
from .terminal import terminal
from .text import write_cell, write_number, write_rows

FORMATS: Mapping[str, Callable[[Page], str]] = {
    "md": markdown,
    "csv": tidy_csv,
    "latex": latex,
    "html": html,
    "json": as_json,
}
"""What a page can be written as, by the name that the command line knows."""

SUFFIXES = {"latex": "tex"}
"""How files of a format end, where that is not its name."""

__all__ = ["FORMATS", "SUFFIXES", "terminal", "write_cell", "write_number", "write_rows"]
