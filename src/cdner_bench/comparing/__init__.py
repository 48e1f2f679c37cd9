"""Two methods, rows, runs or files of predictions compared: who they are, what differs, and how that is shown."""

from .comparison import Comparison, Domain, compare
from .page import FORMATS, draw_figures, draw_sentences

__all__ = ["FORMATS", "Comparison", "Domain", "compare", "draw_figures", "draw_sentences"]
