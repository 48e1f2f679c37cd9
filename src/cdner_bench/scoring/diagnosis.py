"""How predictions are wrong, and two lenient scores that bound the strict one from above."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..types import Entity, Sentence
from .counts import Counts, Pairs
from .protocols.span_f1 import is_right, list_unplaced

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

    @property
    def said_type(self) -> str | None:
        """The type that was predicted, if anything was."""
        return self.said.type if isinstance(self.said, Entity) else self.said and self.said[0]

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
        placed = frozenset(prediction.entities)
        gold = [e for e in sentence.entities if e not in placed]
        said = sorted(placed.difference(sentence.entities))
        for kind, alike in _WRONG.items():
            yield from (Mistake(sentence, kind, one, other) for one, other in _match(gold, said, alike))
        yield from (Mistake(sentence, "missed", entity) for entity in gold)
        yield from (Mistake(sentence, "spurious", None, entity) for entity in said)
        yield from (Mistake(sentence, "unplaced", None, claim) for claim in list_unplaced(sentence, prediction))


def count_errors(mistakes: Iterable[Mistake]) -> Counter[str]:
    """How many errors of each of `ERROR_CLASSES`."""
    errors = Counter(dict.fromkeys(ERROR_CLASSES, 0))
    errors.update(mistake.kind for mistake in mistakes)
    return errors


def lenient_f1(pairs: Pairs) -> dict[str, float]:
    """`boundary-only` (types ignored) and `partial` (besides, an overlap is worth half): F1 in percent.

    strict <= boundary-only <= partial always holds. The names and the half are MUC's.
    """
    exact = Counts()
    halves = 0
    for sentence, prediction in pairs:
        if is_right(sentence, prediction):
            exact += Counts(tp=len(sentence.entities))
            continue
        gold = list(sentence.entities)
        said = sorted(frozenset(prediction.entities))
        same = len(_match(gold, said, _same_span))
        exact += Counts(same, len(said) + len(list_unplaced(sentence, prediction)), len(gold))
        halves += len(_match(gold, said, _overlap))
    whole = 2 * exact.tp + exact.fp + exact.fn
    partial = 100 * (2 * exact.tp + halves) / whole if whole else 0.0
    return {"boundary-only": exact.f1, "partial": partial}


def _match(
    gold: list[Entity], said: list[Entity], alike: Callable[[Entity, Entity], bool]
) -> list[tuple[Entity, Entity]]:
    """Pair off what is `alike`, and remove it from both lists."""
    found = []
    for entity in tuple(gold):
        partner = next((p for p in said if alike(entity, p)), None)
        if partner is not None:
            gold.remove(entity)
            said.remove(partner)
            found.append((entity, partner))
    return found


def _same_span(a: Entity, b: Entity) -> bool:
    return (a.start, a.end) == (b.start, b.end)


def _overlap(a: Entity, b: Entity) -> bool:
    return a.start < b.end and b.start < a.end


_WRONG: Mapping[str, Callable[[Entity, Entity], bool]] = {
    "wrong type": _same_span,
    "wrong boundary": lambda gold, said: gold.type == said.type and _overlap(gold, said),
    "wrong type and boundary": _overlap,
}
"""The classes of errors that have two sides, closest first, and which spans are such an error."""
