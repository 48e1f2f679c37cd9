"""Records in, pages out."""

from . import figures
from .analysis_page import AnalysisPage, Group, Section
from .cells import HOLE, Bracketed, Cell, Estimate, Fixed, Hole, Measure, Remarked, Several
from .figures import Picture, draw, natural, pictures
from .formats import FORMATS, SUFFIXES, terminal, write_cell, write_number, write_rows
from .leaderboard import Board, alike, boards, row_label
from .measured import notes, show_number, tabulate_corpora, tabulate_parts
from .page import Supplement
from .publishing import Publication, publish
from .row import Row
from .table import Column, Table

__all__ = [
    "FORMATS",
    "HOLE",
    "SUFFIXES",
    "AnalysisPage",
    "Board",
    "Bracketed",
    "Cell",
    "Column",
    "Estimate",
    "Fixed",
    "Group",
    "Hole",
    "Measure",
    "Picture",
    "Publication",
    "Remarked",
    "Row",
    "Section",
    "Several",
    "Supplement",
    "Table",
    "alike",
    "boards",
    "draw",
    "figures",
    "natural",
    "notes",
    "pictures",
    "publish",
    "row_label",
    "show_number",
    "tabulate_corpora",
    "tabulate_parts",
    "terminal",
    "write_cell",
    "write_number",
    "write_rows",
]
