"""What is about one paper: its printed numbers, what is recomputed beside them, and what they add to the pages."""

from typing import TYPE_CHECKING

from ..lazy import import_later
from ..reporting import Supplement
from .hypothesis_tables import Hypothesis
from .inflation import estimate_printed
from .printed import Paper, load, load_all
from .protocols import ProtocolPage, score_run
from .tables import NOTE, WRITERS, lay_out

if TYPE_CHECKING:
    from . import checks
else:
    __getattr__ = import_later(__name__, {"": ("checks",)})  # it needs all that runs analyses; pages do not

TOPT = "topt"
"""The paper whose checks and hypothesis are recomputed."""


def list_supplements() -> list[Supplement]:
    """What the shipped papers add to the pages: printed scores, and what TOPT says of information density."""
    return [*load_all(), Hypothesis(load(TOPT))]


__all__ = [
    "NOTE",
    "TOPT",
    "WRITERS",
    "Hypothesis",
    "Paper",
    "ProtocolPage",
    "checks",
    "estimate_printed",
    "lay_out",
    "list_supplements",
    "load",
    "load_all",
    "score_run",
]
