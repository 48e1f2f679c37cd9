"""How a page is written: one module a format. Names come from plugins and are escaped in each."""

from collections.abc import Callable, Mapping

from ..page import Page
from .csv import write_csv
from .html import write_html
from .json import write_json
from .latex import write_latex
from .markdown import write_markdown
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

__all__ = ["FORMATS", "SUFFIXES", "draw_table", "write_cell", "write_number", "write_rows"]
