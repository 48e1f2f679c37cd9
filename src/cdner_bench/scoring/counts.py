"""Counts of right, wrong and missed entities, and the pairs of gold and prediction that they are counted over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from ..types import Doubt, Prediction, Sentence

HEADLINE = "span-f1"
RATIOS = ("precision", "recall", "f1")
OUTSIDE = "?"
"""The type under which predictions of unknown types are counted."""


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives, false negatives. Counts add; ratios (in percent, 0 if undefined) derive.

    `fn` is negative where a protocol finds more than there is, which `topt-released` can.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    def __str__(self) -> str:
        """As files have it: tp/fp/fn."""
        return f"{self.tp}/{self.fp}/{self.fn}"

    @property
    def precision(self) -> float:
        """Share of the predicted that is right."""
        return _percent(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """Share of the gold that was found."""
        return _percent(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _percent(2 * self.tp, 2 * self.tp + self.fp + self.fn)


@dataclass(frozen=True, slots=True)
class Ratios:
    """Precision, recall and F1 in percent that are means of others, and of no counts of their own."""

    precision: float
    recall: float
    f1: float


_PARTS = tuple(map(attrgetter, ("tp", "fp", "fn")))
PerType = Mapping[str, Counts]
Pairs = Sequence[tuple[Sentence, Prediction]]


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of counts over types or sentences: what micro-averages are made of."""
    listed = list(counts)
    return Counts(*(sum(map(part, listed)) for part in _PARTS))


def add_per_type(parts: Sequence[PerType]) -> PerType:
    """The counts of several corpora, or parts of one, as one."""
    kinds = sorted({kind for part in parts for kind in part})
    return {kind: total(part[kind] for part in parts if kind in part) for kind in kinds}


class Tally:
    """Right, wrong and missed entities while they are counted, by type. Types that are not among `types`, if these are
    given, are counted as one, `OUTSIDE`.
    """

    def __init__(self, types: Collection[str] | None = None) -> None:
        self._known = None if types is None else frozenset(types)
        self._sides: tuple[list[str], list[str], list[str]] = ([], [], [])

    def add(self, right: Iterable[str], wrong: Iterable[str], missed: Iterable[str]) -> None:
        """Count the types of what is right, wrong and missed."""
        for counted, kinds in zip(self._sides, (right, wrong, missed), strict=True):
            counted.extend(kinds)

    @property
    def counts(self) -> PerType:
        """What was counted."""
        sides = [Counter(side) for side in self._sides]
        kinds = set().union(*sides)
        known = kinds if self._known is None else kinds & self._known
        counts = {kind: Counts(*(side[kind] for side in sides)) for kind in known}
        if kinds - known:
            counts[OUTSIDE] = Counts(*(sum(side[kind] for kind in kinds - known) for side in sides))
        return dict(sorted(counts.items()))


def average_types(per_type: PerType, *, weighted: bool = False) -> Ratios:
    """The mean over the types of gold and predictions, each counted once, or as often as gold has it. Types that the
    domain does not have are none. The F1 is a mean of F1s.
    """
    known = [counts for kind, counts in per_type.items() if kind != OUTSIDE]
    weights = [counts.tp + counts.fn if weighted else 1 for counts in known]
    whole = sum(weights) or 1
    return Ratios(*(sum(w * getattr(c, part) for w, c in zip(weights, known, strict=True)) / whole for part in RATIOS))


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts per protocol and type, the headline's counts per sentence (for paired tests), how many answers there
    were to read and what was odd about them (`count_answers`), and why to doubt all that (`doubt_predictions`).
    """

    protocols: Mapping[str, PerType]
    sentences: Sequence[Counts]
    answers: Mapping[str, int] = field(default_factory=dict)
    doubts: Sequence[Doubt] = ()

    def counts(self, protocol: str = HEADLINE) -> Counts:
        """Micro counts under a protocol; `.f1` is the score."""
        return total(self.protocols[protocol].values())


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
