"""How predictions are wrong, and two lenient scores that bound the strict one from above."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..data import readers
from ..types import Entity, Sentence
from .counts import OUTSIDE, Counts, Pairs
from .protocols.span_f1 import is_right, list_unplaced

SPURIOUS, MISSED = "(spurious)", "(missed)"
"""Where an error has no gold entity, and where it has no prediction."""
Number = TypeVar("Number", int, float)
ERROR_CLASSES = ("wrong type", "wrong boundary", "wrong type and boundary", "missed", "spurious", "unplaced")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error of `kind`: the gold entity that is missed or taken for another, and the predicted span, or the (type,
    text) of what is not in its sentence.
    """

    sentence: Sentence
    kind: str
    gold: Entity | None = None
    said: Entity | tuple[str, str] | None = None

    def to_data(self) -> dict[str, Any]:
        """It as values of JSON, offsets counting tokens."""
        return {
            "id": self.sentence.id,
            "text": self.sentence.text,
            "error": self.kind,
            "gold": self._describe(self.gold),
            "predicted": self._describe(self.said),
        }

    def _describe(self, span: Entity | tuple[str, str] | None) -> dict[str, Any] | None:
        if span is None:
            return None
        if isinstance(span, Entity):
            return {"start": span.start, "end": span.end, "type": span.type, "text": self.sentence.surface(span)}
        return {"start": None, "end": None, "type": span[0], "text": span[1]}


def list_errors(pairs: Pairs) -> Iterator[Mistake]:
    """The errors of each sentence, class by class.

    A wrong prediction and a missed entity that overlap are one error; each takes part in at most one, closest kind
    first. What remains is missed or spurious; what is not in its sentence at all is unplaced.
    """
    for sentence, prediction in pairs:
        if is_right(sentence, prediction):
            continue
        there, placed = frozenset(sentence.entities), frozenset(prediction.entities)
        gold = [e for e in sentence.entities if e not in placed]
        said = _put_in_order([e for e in prediction.entities if e not in there])
        for kind, share in _WRONG.items():
            yield from (Mistake(sentence, kind, one, other) for one, other in _match(gold, said, share))
        yield from (Mistake(sentence, "missed", entity) for entity in gold)
        yield from (Mistake(sentence, "spurious", None, entity) for entity in said)
        yield from (Mistake(sentence, "unplaced", None, claim) for claim in list_unplaced(sentence, prediction))


def count_errors(mistakes: Iterable[Mistake]) -> Counter[str]:
    """How many errors of each of `ERROR_CLASSES`."""
    errors = Counter(dict.fromkeys(ERROR_CLASSES, 0))
    errors.update(mistake.kind for mistake in mistakes)
    return errors


def name_types(gold: Entity | None, said: Entity | tuple[str, str] | None, types: Collection[str]) -> tuple[str, str]:
    """The gold and the predicted type of an error: `SPURIOUS` and `MISSED` for none, `OUTSIDE` for a prediction whose
    type is not among the domain's `types`.
    """
    kind = gold.type if gold else SPURIOUS
    if said is None:
        return kind, MISSED
    predicted = said.type if isinstance(said, Entity) else said[0]
    return kind, predicted if predicted in types else OUTSIDE


def tabulate_confusion(counts: Mapping[tuple[str, str], Number]) -> dict[str, dict[str, Number]]:
    """Counts of errors by gold and predicted type, as rows and columns in order; `SPURIOUS` and `MISSED` are last."""
    table: dict[str, dict[str, Number]] = {}
    for gold, said in sorted(counts, key=lambda pair: (pair[0] == SPURIOUS, pair[1] == MISSED, pair)):
        table.setdefault(gold, {})[said] = counts[gold, said]
    return table


def lenient_f1(pairs: Pairs) -> dict[str, float]:
    """`boundary-only` (types ignored) and `partial` (besides, an overlap is worth half): F1 in percent.

    strict <= boundary-only <= partial always holds. The names and the half are MUC's.
    """
    right = wrong = missed = halves = 0
    for sentence, prediction in pairs:
        if is_right(sentence, prediction):
            right += len(sentence.entities)
            continue
        gold = list(sentence.entities)
        said = _put_in_order(prediction.entities)
        right += len(_match(gold, said, _span))
        wrong += len(said) + len(list_unplaced(sentence, prediction))
        missed += len(gold)
        halves += len(_match(gold, said, _anything))
    whole = 2 * right + wrong + missed
    partial = 100 * (2 * right + halves) / whole if whole else 0.0
    return {"boundary-only": Counts(right, wrong, missed).f1, "partial": partial}


def _match(gold: list[Entity], said: list[Entity], share: Callable[[Entity], Hashable]) -> list[tuple[Entity, Entity]]:
    """Pair off what overlaps and agrees in what it must `share`, and remove it from both lists: each gold entity, in
    order, with the first predicted span that is left. Gold has no overlaps, and `said` is sorted, so that what ends
    before one gold entity is of no use to those that follow.
    """
    if not gold or not said:
        return []
    waiting: defaultdict[Hashable, list[Entity]] = defaultdict(list)
    for span in reversed(said):
        waiting[share(span)].append(span)
    found, left = [], []
    for entity in gold:
        spans = waiting[share(entity)]
        while spans and spans[-1].end <= entity.start:
            spans.pop()
        if spans and spans[-1].start < entity.end:
            found.append((entity, spans.pop()))
        else:
            left.append(entity)
    used = {id(span) for _, span in found}
    gold[:], said[:] = left, [span for span in said if id(span) not in used]
    return found


def _put_in_order(entities: Sequence[Entity]) -> list[Entity]:
    """The different ones of predicted spans, in order."""
    return list(entities) if readers.stand_in_order(entities) else sorted(frozenset(entities))


def _span(entity: Entity) -> Hashable:
    return entity.start, entity.end


def _type(entity: Entity) -> Hashable:
    return entity.type


def _anything(_: Entity) -> Hashable:
    return None


_WRONG: Mapping[str, Callable[[Entity], Hashable]] = {
    "wrong type": _span,
    "wrong boundary": _type,
    "wrong type and boundary": _anything,
}
"""The classes of errors that have two sides, closest first, and what the two spans, which overlap, have in common."""
