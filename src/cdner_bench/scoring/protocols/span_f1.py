"""The headline: `span-f1`, strict span micro-F1. A prediction is right when its start, end and type all match.

Two rules make it fair to every kind of method. Gold comes from the harness, never from a model's view of it. And
nothing predicted is dropped: what could not be placed in its sentence (`Rejected`) is a false positive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from seqeval.scheme import IOB2, Entities

from ...data import conll, readers
from ...types import Entity, Prediction, Reason, Sentence
from .. import text2text
from ..counts import OUTSIDE, Counts, Pairs, PerType, Tally


def span_f1(pairs: Pairs, types: Collection[str]) -> PerType:
    """Strict span micro-F1, counted by seqeval (IOB2, strict).

    BIO has room for neither text that is not in the sentence nor overlapping spans, so each of those gets a position
    of its own after the sentence: gold `O`, prediction `B-type`. That makes seqeval's count exact for all methods.
    """
    return (count_with_seqeval if len(pairs) <= LARGEST else count_as_sets)(*_mark(pairs), types)


def count_spans(pairs: Pairs, types: Collection[str]) -> PerType:
    """As `span_f1`, counted by comparing sets of spans."""
    return count_as_sets(*_mark(pairs), types)


def _mark(pairs: Pairs) -> tuple[list[_Marked], list[_Marked]]:
    true: list[_Marked] = []
    predicted: list[_Marked] = []
    for sentence, prediction in pairs:
        placed, extra = place_spans(sentence, prediction)
        true.append((len(sentence.tokens), sentence.entities, [None] * len(extra)))
        predicted.append((len(sentence.tokens), placed, extra))
    return true, predicted


def strict_reading(pairs: Pairs, types: Collection[str]) -> PerType:
    """As `span_f1`, but in generated text nothing is forgiven: how an answer is wrapped and what it says around its
    items is malformed, a type in another spelling is unknown.
    """
    return count_spans([(s, text2text.read_again(p, s, types, strict=True)) for s, p in pairs], types)


def sentence_counts(sentence: Sentence, prediction: Prediction) -> Counts:
    """The headline's counts of one sentence, by comparing sets of spans."""
    if is_right(sentence, prediction):
        return Counts(tp=len(sentence.entities))
    said, gold = frozenset(prediction.entities), frozenset(sentence.entities)
    right = len(said & gold)
    return Counts(right, len(said) - right + len(list_unplaced(sentence, prediction)), len(gold) - right)


def is_right(sentence: Sentence, prediction: Prediction) -> bool:
    """Whether a prediction is gold, and nothing else."""
    return prediction.entities == sentence.entities and not prediction.rejected


def place_spans(sentence: Sentence, prediction: Prediction) -> tuple[Sequence[Entity], list[str]]:
    """The predicted spans that BIO has room for, and the types of everything else that was predicted."""
    if not prediction.rejected and readers.stand_in_order(prediction.entities):
        return prediction.entities, []
    gold = frozenset(sentence.entities)
    placed: list[Entity] = []
    extra = [kind for kind, _ in list_unplaced(sentence, prediction)]
    # Right ones first: they never overlap one another, so no right prediction is ever moved out of its sentence.
    for entity in sorted(frozenset(prediction.entities), key=lambda e: (e not in gold, e)):
        if any(entity.start < other.end and other.start < entity.end for other in placed):
            extra.append(entity.type)
        else:
            placed.append(entity)
    return placed, extra


def list_unplaced(sentence: Sentence, prediction: Prediction) -> list[tuple[str, str]]:
    """The distinct (type, text) of what could not be placed; to repeat what was placed is no second claim, and prose is
    none.
    """
    if not prediction.rejected:
        return []
    placed = frozenset((e.type, sentence.surface(e)) for e in prediction.entities)
    said = dict.fromkeys((r.type, r.text, r.reason) for r in prediction.rejected if r.reason is not Reason.PROSE)
    claims = [(kind, text) for kind, text, reason in said if reason is not Reason.REPEAT or (kind, text) not in placed]
    return list(dict.fromkeys(claims))


_Marked = tuple[int, Sequence[Entity], Sequence[str | None]]
"""A sentence to be written as tags: its length, its spans, and what stands in positions of their own behind it."""


LARGEST = 1000
"""Sentences up to which seqeval counts, a millisecond for each. Beyond, sets of spans are compared; a test holds both
equal.
"""


def count_as_sets(true: Sequence[_Marked], predicted: Sequence[_Marked], types: Collection[str]) -> PerType:
    """As `count_with_seqeval`, by comparing the spans of each sentence."""
    tally = Tally(types)
    for (_, gold, _), (_, placed, extra) in zip(true, predicted, strict=True):
        if placed == gold and not extra:
            tally.add([e.type for e in gold], (), ())
            continue
        said, there = frozenset(placed), frozenset(gold)
        tally.add(
            (e.type for e in gold if e in said),
            (*(e.type for e in placed if e not in there), *(kind for kind in extra if kind is not None)),
            (e.type for e in gold if e not in said),
        )
    return tally.counts


def count_with_seqeval(true: Sequence[_Marked], predicted: Sequence[_Marked], types: Collection[str]) -> PerType:
    """Strict counts per type; types that are not among `types` are counted as one, `OUTSIDE`.

    Seqeval sees numbers in place of types, because it cuts hyphens off them.
    """
    known = sorted({*types, OUTSIDE})
    numbers = {kind: str(n) for n, kind in enumerate(known)}
    gold, said = (
        Entities([_write_tags(marked, numbers) for marked in side], scheme=IOB2) for side in (true, predicted)
    )
    counts = {}
    for kind in known:
        of_gold, of_said = gold.filter(numbers[kind]), said.filter(numbers[kind])
        if of_gold or of_said:
            right = len(of_gold & of_said)
            counts[kind] = Counts(right, len(of_said) - right, len(of_gold) - right)
    return counts


def _write_tags(marked: _Marked, numbers: Mapping[str, str]) -> list[str]:
    length, entities, extra = marked
    named = [Entity(e.start, e.end, numbers.get(e.type, numbers[OUTSIDE])) for e in entities]
    behind = ["O" if kind is None else f"B-{numbers.get(kind, numbers[OUTSIDE])}" for kind in extra]
    return conll.tags(named, length) + behind
