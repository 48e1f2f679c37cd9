"""The page of analyses: what was measured of corpora, as tables and pictures."""

from . import figures
from .figures import Picture, draw, make_pictures, natural
from .measured import collect_notes, show_number, tabulate_corpora, tabulate_parts
from .page import FIGURES, AnalysisPage, Group, Section

__all__ = [
    "FIGURES",
    "AnalysisPage",
    "Group",
    "Picture",
    "Section",
    "collect_notes",
    "draw",
    "figures",
    "make_pictures",
    "natural",
    "show_number",
    "tabulate_corpora",
    "tabulate_parts",
]
