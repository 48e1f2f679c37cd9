"""Records in, pages out."""

from . import figures
from .analysis_page import AnalysisPage, notes, number
from .figures import Picture, draw, natural, pictures
from .formats import FORMATS, SUFFIXES
from .leaderboard import Board, Table, alike, boards, paper_rows, paper_tables, row_label
from .row import HOLE, Row

__all__ = [
    "FORMATS",
    "HOLE",
    "SUFFIXES",
    "AnalysisPage",
    "Board",
    "Picture",
    "Row",
    "Table",
    "alike",
    "boards",
    "draw",
    "figures",
    "natural",
    "notes",
    "number",
    "paper_rows",
    "paper_tables",
    "pictures",
    "row_label",
]
