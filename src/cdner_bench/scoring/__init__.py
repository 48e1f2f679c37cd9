"""What counts: protocols, error classes, the alignment of generated text with spans, prediction files."""

from . import diagnosis, predictions, text2text
from .predictions import Split, encode, read_own
from .protocols import (
    HEADLINE,
    OUTSIDE,
    PROTOCOLS,
    Counts,
    Pairs,
    PerType,
    Scores,
    pair,
    score,
    sentence_counts,
    together,
    total,
    unplaced,
)

__all__ = [
    "HEADLINE",
    "OUTSIDE",
    "PROTOCOLS",
    "Counts",
    "Pairs",
    "PerType",
    "Scores",
    "Split",
    "diagnosis",
    "encode",
    "pair",
    "predictions",
    "read_own",
    "score",
    "sentence_counts",
    "text2text",
    "together",
    "total",
    "unplaced",
]
