"""The headline by what the target's train split has of an entity: its text under its type, its text, or neither.

Gold is placed by its own text and type, and so is what was predicted: a wrong one counts against the entities that it
pretends to be one of. So every count of the headline is in one of the three.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from ..types import Prediction, Sentence
from .counts import Counts, Tally
from .protocols.span_f1 import list_unplaced

SEEN, RETYPED, UNSEEN = NOVELTIES = ("seen", "seen as another type", "unseen")


def know_train(train: Sequence[Sentence]) -> Callable[[str, str], str]:
    """A function of a text and a type that says which of `NOVELTIES` an entity is for a train split."""
    typed = {(s.surface(e), e.type) for s in train for e in s.entities}
    texts = {text for text, _ in typed}
    return lambda text, kind: SEEN if (text, kind) in typed else RETYPED if text in texts else UNSEEN


def count_by_train(
    train: Sequence[Sentence], gold: Sequence[Sentence], predictions: Collection[Prediction]
) -> Mapping[str, Counts]:
    """The counts of the headline, apart for what train has seen; all three, and together they are the whole."""
    place, tally = know_train(train), Tally()
    for sentence, prediction in zip(gold, predictions, strict=True):
        true, said = frozenset(sentence.entities), frozenset(prediction.entities)
        right, wrong, missed = (
            [place(sentence.surface(e), e.type) for e in entities]
            for entities in (said & true, said - true, true - said)
        )
        tally.add(right, [*wrong, *(place(text, kind) for kind, text in list_unplaced(sentence, prediction))], missed)
    counts = tally.counts
    return {novelty: counts.get(novelty, Counts()) for novelty in NOVELTIES}
