"""What is about one paper: its printed numbers, and what is recomputed beside them."""

from . import checks

__all__ = [
    "checks",
]
