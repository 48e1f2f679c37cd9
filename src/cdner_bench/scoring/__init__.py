"""What counts: protocols, error classes, alignment of generated text with spans, prediction files, significance."""

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
from .significance import Spearman, spearman

__all__ = [
    "HEADLINE",
    "OUTSIDE",
    "PROTOCOLS",
    "Counts",
    "Pairs",
    "PerType",
    "Scores",
    "Spearman",
    "Split",
    "diagnosis",
    "encode",
    "pair",
    "predictions",
    "read_own",
    "score",
    "sentence_counts",
    "spearman",
    "text2text",
    "together",
    "total",
    "unplaced",
]
