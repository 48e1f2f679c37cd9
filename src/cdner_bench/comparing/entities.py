"""What differs entity by entity: entities gained and lost by type, by length, by what the train split has of them and
by class of error; and which types are taken for which.

With several seeds all pairs of a run of A with a run of B count alike: an entity that a share a of the runs of A and a
share b of those of B have right is gained a (1 - b) times, and lost b (1 - a) times.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..scoring import NOVELTIES, diagnosis, know_train
from ..types import Corpus, Entity, Prediction, Sentence

Said = Sequence[Sequence[Prediction]]
"""What the runs of a side say of each test sentence of a domain."""

LONGEST = 4
"""Tokens from which on lengths are one."""


@dataclass
class Change:
    """How many there are in gold, or None for errors; how many each side has, on average over its runs; and how many
    A gained on B and lost to it.
    """

    gold: int | None = 0
    a: float = 0.0
    b: float = 0.0
    gained: float = 0.0
    lost: float = 0.0

    def add(self, a: float, b: float) -> None:
        """One more entity of gold, with the shares of runs that have it right."""
        self.gold = (self.gold or 0) + 1
        self.a += a
        self.b += b
        self.gained += a * (1 - b)
        self.lost += b * (1 - a)


Changes = Mapping[str, Change]


@dataclass(frozen=True)
class Entities:
    """Changes by the type of entities, by their length in tokens, by what the target's train split has of them, and by
    the class of errors; and the errors of each side by gold and predicted type, as in `Report.confusion`.
    """

    by_type: Changes
    by_length: Changes
    by_train: Changes
    by_error: Changes
    confusion_a: Mapping[str, Mapping[str, float]]
    confusion_b: Mapping[str, Mapping[str, float]]


def compare_entities(parts: Iterable[tuple[Corpus, Said, Said]]) -> Entities:
    """What differs over some domains."""
    by_type: defaultdict[str, Change] = defaultdict(Change)
    by_length = {name_length(n): Change() for n in range(1, LONGEST + 1)}
    by_train = {name: Change() for name in NOVELTIES}
    by_error = {kind: Change(None) for kind in diagnosis.ERROR_CLASSES}
    confusions: tuple[Counter[tuple[str, str]], ...] = (Counter(), Counter())
    for corpus, a, b in parts:
        place = know_train(corpus.train)
        right = [_count_right(corpus.test, side) for side in (a, b)]
        for sentence in corpus.test:
            for entity in sentence.entities:
                shares = [side.get((sentence.id, entity), 0.0) for side in right]
                of_entity = (
                    by_type[entity.type], by_length[name_length(entity.end - entity.start)],
                    by_train[place(sentence.surface(entity), entity.type)],
                )  # fmt: skip
                for change in of_entity:
                    change.add(*shares)
        mistakes = [_list_mistakes(corpus.test, side) for side in (a, b)]
        for n, of_side in enumerate(mistakes):
            for (where, kind, gold, said), share in of_side.items():
                # A mistake about an entity is mended where the other has it right, any other where it is not made.
                mended = right[1 - n].get((where, gold), 0.0)
                avoided = 1 - mistakes[1 - n].get((where, kind, gold, said), 0.0)
                other = mended if gold else avoided
                change = by_error[kind]
                if n == 0:
                    change.a += share
                    change.lost += share * other
                else:
                    change.b += share
                    change.gained += share * other
                confusions[n][diagnosis.name_types(gold, said, corpus.types)] += share  # type: ignore[assignment]
    return Entities(
        dict(sorted(by_type.items())), by_length, by_train, by_error, *map(diagnosis.tabulate_confusion, confusions)
    )


def name_length(tokens: int) -> str:
    """A length in words."""
    return f"{LONGEST} or more" if tokens >= LONGEST else str(tokens)


def _count_right(test: Sequence[Sentence], side: Said) -> dict[Hashable, float]:
    """The share of runs that have each entity right."""
    found: Counter[Hashable] = Counter()
    for run in side:
        for sentence, prediction in zip(test, run, strict=True):
            said = frozenset(prediction.entities)
            found.update((sentence.id, entity) for entity in sentence.entities if entity in said)
    return {key: number / len(side) for key, number in found.items()}


_Made = tuple[str, str, Entity | None, Entity | tuple[str, str] | None]


def _list_mistakes(test: Sequence[Sentence], side: Said) -> dict[_Made, float]:
    """The share of runs that make each mistake."""
    found: Counter[_Made] = Counter()
    for run in side:
        pairs = list(zip(test, run, strict=True))
        found.update((m.sentence.id, m.kind, m.gold, m.said) for m in diagnosis.list_errors(pairs))
    return {key: number / len(side) for key, number in found.items()}
