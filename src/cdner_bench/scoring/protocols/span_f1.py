"""The headline: `span-f1`, strict span micro-F1. A prediction is right when its start, end and type all match.

Two rules make it fair to every kind of method. Gold comes from the harness, never from a model's view of it. And
nothing predicted is dropped: what could not be placed in its sentence (`Rejected`) is a false positive.
"""

from __future__ import annotations

from collections.abc import Collection

from seqeval.scheme import IOB2, Entities

from ...data import conll
from ...types import Entity, Prediction, Reason, Sentence
from ..counts import OUTSIDE, Counts, Pairs, PerType


def span_f1(pairs: Pairs, types: Collection[str]) -> PerType:
    """Strict span micro-F1, counted by seqeval (IOB2, strict).

    BIO has room for neither text that is not in the sentence nor overlapping spans, so each of those gets a position
    of its own after the sentence: gold `O`, prediction `B-type`. That makes seqeval's count exact for all methods.
    """
    true, predicted = [], []
    for sentence, prediction in pairs:
        placed, extra = place_spans(sentence, prediction, frozenset(types))
        true.append(conll.tags(sentence.entities, len(sentence.tokens)) + ["O"] * len(extra))
        predicted.append(conll.tags(placed, len(sentence.tokens)) + [f"B-{kind}" for kind in extra])
    return count_with_seqeval(true, predicted)


def sentence_counts(sentence: Sentence, prediction: Prediction) -> Counts:
    """The headline's counts of one sentence, by comparing sets of spans."""
    said, gold = frozenset(prediction.entities), frozenset(sentence.entities)
    right = len(said & gold)
    return Counts(right, len(said) - right + len(list_unplaced(sentence, prediction)), len(gold) - right)


def place_spans(sentence: Sentence, prediction: Prediction, types: frozenset[str]) -> tuple[list[Entity], list[str]]:
    """The predicted spans that BIO has room for, and the types of everything else that was predicted."""
    gold = frozenset(sentence.entities)
    placed: list[Entity] = []
    extra = [kind for kind, _ in list_unplaced(sentence, prediction)]
    # Right ones first: they never overlap one another, so no right prediction is ever moved out of its sentence.
    for entity in sorted(frozenset(prediction.entities), key=lambda e: (e not in gold, e)):
        clash = any(entity.start < other.end and other.start < entity.end for other in placed)
        if clash or entity.type not in types:
            extra.append(entity.type)
        else:
            placed.append(entity)
    return placed, [kind if kind in types else OUTSIDE for kind in extra]


def list_unplaced(sentence: Sentence, prediction: Prediction) -> list[tuple[str, str]]:
    """The distinct (type, text) of what could not be placed; to repeat what was placed is no second claim."""
    placed = frozenset((e.type, sentence.surface(e)) for e in prediction.entities)
    said = dict.fromkeys((r.type, r.text, r.reason) for r in prediction.rejected)
    claims = [(kind, text) for kind, text, reason in said if reason is not Reason.REPEAT or (kind, text) not in placed]
    return list(dict.fromkeys(claims))


def count_with_seqeval(true: list[list[str]], predicted: list[list[str]]) -> PerType:
    """Strict counts per type of two lists of BIO tags a sentence."""
    gold, said = Entities(true, scheme=IOB2), Entities(predicted, scheme=IOB2)
    counts = {}
    for kind in sorted(gold.unique_tags | said.unique_tags):
        of_gold, of_said = gold.filter(kind), said.filter(kind)
        right = len(of_gold & of_said)
        counts[kind] = Counts(right, len(of_said) - right, len(of_gold) - right)
    return counts
