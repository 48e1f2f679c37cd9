"""The protocols: gold sentences and predictions in, counts per entity type out. A new one is a module, entered here.

Only the headline (`span_f1.py`) ranks. The others exist to compare with papers that scored differently; every run
carries all of them, computed from the same predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from ..counts import HEADLINE, Pairs, PerType
from .released import topt_released
from .span_f1 import span_f1, strict_reading
from .strings import string_multiset
from .tags import bio_projected, conlleval_stream, count_strays, count_unsaid, seqeval_default, seqeval_strict
from .tokens import count_tokenless, token_f1

PROTOCOLS: Mapping[str, Callable[[Pairs, Collection[str]], PerType]] = {
    HEADLINE: span_f1,
    "strict-reading": strict_reading,
    "topt-released": topt_released,
    "string-multiset": string_multiset,
    "bio-projected": bio_projected,
    "seqeval-default": seqeval_default,
    "seqeval-strict": seqeval_strict,
    "conlleval-stream": conlleval_stream,
    "token-f1": token_f1,
}

RELEASED = "topt-released"
"""The protocol that may find more than there is: of it alone fn may be negative, and F1 exceed 100."""

OWN_GOLD = (RELEASED, "token-f1")
"""Protocols that count gold in a way of their own. Under all others, tp + fn of a type is how often gold has it."""

_LEFT_OUT: Sequence[tuple[Callable[[Pairs], int], str, Sequence[str]]] = (
    (
        count_unsaid,
        "predictions that tags cannot say",
        ("bio-projected", "seqeval-default", "seqeval-strict", "conlleval-stream"),
    ),
    (count_strays, "tags I-x that continue nothing", ("seqeval-strict",)),
    (count_tokenless, "predictions that are not in their sentence", ("token-f1",)),
)
"""What protocols cannot count: how many of it there are, what it is, and which leave it out."""


def tell_left_out(pairs: Pairs) -> list[str]:
    """What of these predictions protocols leave out, because they have no way to count it: a line each."""
    counted = [(count(pairs), what, names) for count, what, names in _LEFT_OUT]
    return [f"{number:,} {what} are left out by {', '.join(names)}" for number, what, names in counted if number]


__all__ = ["OWN_GOLD", "PROTOCOLS", "RELEASED", "tell_left_out"]
