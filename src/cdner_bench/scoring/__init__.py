"""What counts: protocols, error classes, alignment of generated text with spans, prediction files, significance."""

from . import diagnosis, predictions, resampling, text2text
from .counts import HEADLINE, OUTSIDE, Counts, Pairs, PerType, Scores, total
from .diagnosis import MISSED, SPURIOUS
from .doubts import FROM_PREDICTIONS, doubt_counts
from .floor import measure_floor
from .judging import (
    Judged,
    Report,
    Split,
    choose_types,
    judge_by_benchmark,
    judge_by_column,
    judge_by_file,
    name_type,
    rename_types,
)
from .novelty import NOVELTIES, RETYPED, SEEN, UNSEEN, count_by_train, know_train
from .predictions import encode, read_kept, read_own
from .protocols import OWN_GOLD, PROTOCOLS, RELEASED, tell_left_out
from .protocols.span_f1 import list_unplaced, sentence_counts
from .resampling import Sample, estimate_intervals, find_ties
from .score import add_scores, pair, score
from .significance import Spearman, spearman

__all__ = [
    "FROM_PREDICTIONS",
    "HEADLINE",
    "MISSED",
    "NOVELTIES",
    "OUTSIDE",
    "OWN_GOLD",
    "PROTOCOLS",
    "RELEASED",
    "RETYPED",
    "SEEN",
    "SPURIOUS",
    "UNSEEN",
    "Counts",
    "Judged",
    "Pairs",
    "PerType",
    "Report",
    "Sample",
    "Scores",
    "Spearman",
    "Split",
    "add_scores",
    "choose_types",
    "count_by_train",
    "diagnosis",
    "doubt_counts",
    "encode",
    "estimate_intervals",
    "find_ties",
    "judge_by_benchmark",
    "judge_by_column",
    "judge_by_file",
    "know_train",
    "list_unplaced",
    "measure_floor",
    "name_type",
    "pair",
    "predictions",
    "read_kept",
    "read_own",
    "rename_types",
    "resampling",
    "score",
    "sentence_counts",
    "spearman",
    "tell_left_out",
    "text2text",
    "total",
]
