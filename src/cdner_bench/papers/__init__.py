"""What is about one paper: its printed numbers, what is recomputed beside them, and what they add to the pages."""

from ..reporting import Supplement
from . import checks
from .hypothesis_tables import Hypothesis
from .printed import Paper, load, load_all

TOPT = "topt"
"""The paper whose checks and hypothesis are recomputed."""


def list_supplements() -> list[Supplement]:
    """What the shipped papers add to the pages: printed scores, and what TOPT says of information density."""
    return [*load_all(), Hypothesis(load(TOPT))]


__all__ = ["TOPT", "Hypothesis", "Paper", "checks", "list_supplements", "load", "load_all"]
