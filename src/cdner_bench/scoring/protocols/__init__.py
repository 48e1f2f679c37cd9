"""The protocols: gold sentences and predictions in, counts per entity type out. A new one is a module, entered here.

Only the headline (`span_f1.py`) ranks. The others exist to compare with papers that scored differently; every run
carries all of them, computed from the same predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from ..counts import HEADLINE, Pairs, PerType
from .released import topt_released
from .span_f1 import span_f1, strict_reading
from .strings import string_multiset
from .tags import bio_projected, conlleval_stream, count_unsaid, seqeval_default

PROTOCOLS: Mapping[str, Callable[[Pairs, Collection[str]], PerType]] = {
    HEADLINE: span_f1,
    "strict-reading": strict_reading,
    "topt-released": topt_released,
    "string-multiset": string_multiset,
    "bio-projected": bio_projected,
    "seqeval-default": seqeval_default,
    "conlleval-stream": conlleval_stream,
}

OWN_GOLD = ("topt-released",)
"""Protocols that count gold in a way of their own. Under all others, tp + fn of a type is how often gold has it."""

SAID_IN_TAGS = ("bio-projected", "seqeval-default", "conlleval-stream")
"""Protocols that count what tags can say, and leave out the rest (`count_unsaid`)."""

__all__ = ["OWN_GOLD", "PROTOCOLS", "SAID_IN_TAGS", "count_unsaid"]
