"""What makes predictions look as if their method had failed. A weak method is none of this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from ..types import Doubt, Entity, Prediction, Sentence
from .counts import Counts, Pairs

ENOUGH = 10
"""How many different sentences it takes to say that all are answered alike."""
NEARLY_ALL = 0.9

FROM_PREDICTIONS = frozenset((Doubt.NOTHING_SAID, Doubt.NOTHING_PLACED, Doubt.NOTHING_RIGHT, Doubt.ALL_ALIKE))
"""The doubts that predictions alone give rise to, and that are judged anew whenever they are scored."""


def doubt_predictions(pairs: Pairs, counts: Counts) -> list[Doubt]:
    """Why to doubt predictions with these counts under the headline."""
    doubts = doubt_counts(counts)
    if doubts == [Doubt.NOTHING_RIGHT] and not any(prediction.entities for _, prediction in pairs):
        doubts = [Doubt.NOTHING_PLACED]
    return [*doubts, *([Doubt.ALL_ALIKE] if _are_alike(pairs) else [])]


def doubt_counts(counts: Counts) -> list[Doubt]:
    """Why to doubt predictions of which only the headline's counts are known: though there are entities, none was
    predicted, or none of those that were is one of them.
    """
    if counts.tp or not counts.fn:
        return []
    return [Doubt.NOTHING_RIGHT if counts.fp else Doubt.NOTHING_SAID]


def _are_alike(pairs: Pairs) -> bool:
    """Whether nine tenths of the different sentences are answered alike by something that is mostly wrong.

    To say nothing is no such answer, however often it is said: that is a method which finds little.
    """
    different = {sentence.tokens: (sentence, prediction) for sentence, prediction in pairs}.values()
    most = max(ENOUGH, NEARLY_ALL * len(different))
    answers: Counter[Hashable] = Counter()
    wrong: Counter[Hashable] = Counter()
    for n, (sentence, prediction) in enumerate(different):
        if n % 1000 == 999 and max(answers.values(), default=0) + len(different) - n < most:
            return False  # not even if the rest were alike
        for answer, right in _list_patterns(sentence, prediction).items():
            answers[answer] += 1
            wrong[answer] += not right
    return any(count >= most and 2 * wrong[answer] > count for answer, count in answers.items())


def _list_patterns(sentence: Sentence, prediction: Prediction) -> dict[Hashable, bool]:
    """In which ways a prediction that claims something may be the same as others (word by word, in the types and places
    of its spans, in that no token is outside), and whether gold is so, too.
    """
    right = set(prediction.entities) == set(sentence.entities)
    patterns: dict[Hashable, bool] = {}
    if prediction.raw and (prediction.entities or prediction.rejected):
        patterns["raw", prediction.raw] = right
    if prediction.entities:
        patterns["spans", prediction.entities] = right
    if _covers(prediction.entities, sentence):
        patterns["no token outside"] = _covers(sentence.entities, sentence)
    return patterns


def _covers(entities: Sequence[Entity], sentence: Sentence) -> bool:
    return sum(entity.end - entity.start for entity in entities) >= len(sentence.tokens)
