"""What counts: protocols, error classes, alignment of generated text with spans, prediction files, significance."""

from . import diagnosis, predictions, text2text
from .counts import HEADLINE, OUTSIDE, Counts, Pairs, PerType, Scores, total
from .predictions import Split, encode, read_kept, read_own
from .protocols import PROTOCOLS
from .protocols.span_f1 import list_unplaced, sentence_counts
from .score import add_scores, pair, score
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
    "add_scores",
    "diagnosis",
    "encode",
    "list_unplaced",
    "pair",
    "predictions",
    "read_kept",
    "read_own",
    "score",
    "sentence_counts",
    "spearman",
    "text2text",
    "total",
]
