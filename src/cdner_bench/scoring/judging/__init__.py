"""Somebody's predictions, from any file or from lists: by which gold, how right, how wrong, and how to cite that."""

from .gold import Judged, judge_by_benchmark, judge_by_column, judge_by_file, rename_types
from .lists import score
from .matching import Split, match_ids, match_order
from .report import Report, choose_types
from .words import name_type

__all__ = [
    "Judged",
    "Report",
    "Split",
    "choose_types",
    "judge_by_benchmark",
    "judge_by_column",
    "judge_by_file",
    "match_ids",
    "match_order",
    "name_type",
    "rename_types",
    "score",
]
