"""Entities as text: the prompt, the answer format, its readings, and the alignment of strings to token spans.

Shared by every generative method, so that their rows differ by model and training, not by how output was read.
The answer to a sentence is `(type, words) (type, words) …` in reading order, empty when there is none.
Nothing a model claims is lost: what cannot be placed comes back as `Rejected` with its reason.
"""

from .alignment import UNKNOWN, Searchable, align, fold_text
from .checking import Reading, check
from .grammar import Grammar
from .items import Mention, find_items, parse
from .objects import read_exactly
from .packaging import unwrap
from .reading import read, read_again, was_folded
from .wording import answer, prompt

__all__ = [
    "UNKNOWN",
    "Grammar",
    "Mention",
    "Reading",
    "Searchable",
    "align",
    "answer",
    "check",
    "find_items",
    "fold_text",
    "parse",
    "prompt",
    "read",
    "read_again",
    "read_exactly",
    "unwrap",
    "was_folded",
]
