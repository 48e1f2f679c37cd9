"""Somebody's predictions, from any file or from lists: by which gold, how right, how wrong, and how to cite that."""

from .gold import Judged, has_gold_column, judge_by_benchmark, judge_by_column, judge_by_file
from .matching import Split, match_ids, match_order
from .report import Report, choose_types

__all__ = [
    "Judged",
    "Report",
    "Split",
    "choose_types",
    "has_gold_column",
    "judge_by_benchmark",
    "judge_by_column",
    "judge_by_file",
    "match_ids",
    "match_order",
]
