"""Records in, pages out: rows and columns of results and measurements, their formats, pictures and files."""

from . import figures
from .analysis_page import AnalysisPage, Group, Section
from .cells import HOLE, Bracketed, Cell, Estimate, Fixed, Hole, Measure, Remarked, Several
from .chosen import Choice, Chosen, choose
from .costs import QUIET
from .figures import Picture, draw, make_pictures, natural
from .formats import (
    FORMATS,
    SUFFIXES,
    draw_table,
    escape_html,
    escape_latex,
    escape_markdown,
    write_cell,
    write_document,
    write_lines,
    write_number,
    write_rows,
    write_sections,
)
from .leaderboard import Board, find_newest, make_boards, name_row, select_alike
from .left_out import tell_left_out, tell_strangers
from .measured import collect_notes, show_number, tabulate_corpora, tabulate_parts
from .publishing import Publication, collect_boards, publish
from .row import Row
from .table import Column, Page, Supplement, Table

__all__ = [
    "FORMATS",
    "HOLE",
    "QUIET",
    "SUFFIXES",
    "AnalysisPage",
    "Board",
    "Bracketed",
    "Cell",
    "Choice",
    "Chosen",
    "Column",
    "Estimate",
    "Fixed",
    "Group",
    "Hole",
    "Measure",
    "Page",
    "Picture",
    "Publication",
    "Remarked",
    "Row",
    "Section",
    "Several",
    "Supplement",
    "Table",
    "choose",
    "collect_boards",
    "collect_notes",
    "draw",
    "draw_table",
    "escape_html",
    "escape_latex",
    "escape_markdown",
    "figures",
    "find_newest",
    "make_boards",
    "make_pictures",
    "name_row",
    "natural",
    "publish",
    "select_alike",
    "show_number",
    "tabulate_corpora",
    "tabulate_parts",
    "tell_left_out",
    "tell_strangers",
    "write_cell",
    "write_document",
    "write_lines",
    "write_number",
    "write_rows",
    "write_sections",
]
