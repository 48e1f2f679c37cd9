"""How predictions are wrong, and two lenient scores that bound the strict one from above."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ..types import Entity, Prediction, Sentence
from .counts import Counts, Pairs
from .protocols.span_f1 import list_unplaced

ERROR_CLASSES = ("wrong type", "wrong boundary", "wrong type and boundary", "missed", "spurious", "unplaced")


def count_errors(pairs: Pairs) -> Counter[str]:
    """How many errors of each of `ERROR_CLASSES`.

    A wrong prediction and a missed entity that overlap are one error; each takes part in at most one, closest kind
    first. What remains is missed or spurious; what is not in its sentence at all is unplaced.
    """
    errors = Counter(dict.fromkeys(ERROR_CLASSES, 0))
    for sentence, prediction in pairs:
        if _is_right(sentence, prediction):
            continue
        gold = [e for e in sentence.entities if e not in prediction.entities]
        said = sorted(frozenset(prediction.entities) - frozenset(sentence.entities))
        errors["wrong type"] += _match(gold, said, _same_span)
        errors["wrong boundary"] += _match(gold, said, lambda g, p: g.type == p.type and _overlap(g, p))
        errors["wrong type and boundary"] += _match(gold, said, _overlap)
        errors["missed"] += len(gold)
        errors["spurious"] += len(said)
        errors["unplaced"] += len(list_unplaced(sentence, prediction))
    return errors


def lenient_f1(pairs: Pairs) -> dict[str, float]:
    """`boundary-only` (types ignored) and `partial` (besides, an overlap is worth half): F1 in percent.

    strict <= boundary-only <= partial always holds. The names and the half are MUC's.
    """
    exact = Counts()
    halves = 0
    for sentence, prediction in pairs:
        if _is_right(sentence, prediction):
            exact += Counts(tp=len(sentence.entities))
            continue
        gold = list(sentence.entities)
        said = sorted(frozenset(prediction.entities))
        same = _match(gold, said, _same_span)
        exact += Counts(same, len(said) + len(list_unplaced(sentence, prediction)), len(gold))
        halves += _match(gold, said, _overlap)
    whole = 2 * exact.tp + exact.fp + exact.fn
    partial = 100 * (2 * exact.tp + halves) / whole if whole else 0.0
    return {"boundary-only": exact.f1, "partial": partial}


def _is_right(sentence: Sentence, prediction: Prediction) -> bool:
    return prediction.entities == sentence.entities and not prediction.rejected


def _match(gold: list[Entity], said: list[Entity], alike: Callable[[Entity, Entity], bool]) -> int:
    """Pair off what is `alike`, remove it from both lists, and say how many pairs there were."""
    count = 0
    for entity in tuple(gold):
        partner = next((p for p in said if alike(entity, p)), None)
        if partner is not None:
            gold.remove(entity)
            said.remove(partner)
            count += 1
    return count


def _same_span(a: Entity, b: Entity) -> bool:
    return (a.start, a.end) == (b.start, b.end)


def _overlap(a: Entity, b: Entity) -> bool:
    return a.start < b.end and b.start < a.end
