"""Predictions that look as if their method had failed, and weak ones that do not."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count

import pytest

from cdner_bench import Doubt, Entity, Prediction, Rejected, Sentence
from cdner_bench.scoring import score

Say = Callable[[int, Sentence], Prediction]


def gold(n: int, *, size: int = 40, same: bool = False) -> list[Sentence]:
    """Sentences of six to ten different tokens, each with an entity of three tokens; with `same`, at the same place."""
    dice, words = random.Random(n), count()
    made = []
    for i in range(size):
        tokens = tuple(f"w{next(words)}" for _ in range(dice.randint(6, 10)))
        start = 1 if same else dice.randint(0, len(tokens) - 3)
        made.append(Sentence(f"d/test/{i}", tokens, (Entity(start, start + 3, "a"),)))
    return made


def nothing(i: int, s: Sentence) -> Prediction:
    return Prediction(s.id, raw="none")


def one_in_twenty(i: int, s: Sentence) -> Prediction:
    return Prediction(s.id, s.entities, raw=f"(a, {s.surface(s.entities[0])})") if i % 20 == 7 else nothing(i, s)


def never_right(i: int, s: Sentence) -> Prediction:
    return Prediction(s.id, (Entity(i % 6, i % 6 + 1, "a"),))


def malformed(i: int, s: Sentence) -> Prediction:
    return Prediction(s.id, (), (Rejected("?", f"text {i}", "malformed"),), raw=f"text {i}")


def same_text(i: int, s: Sentence) -> Prediction:
    return Prediction(s.id, (), (Rejected("a", "London", "not in sentence"),), raw="(a, London)")


def same_place(i: int, s: Sentence) -> Prediction:
    return Prediction(s.id, (Entity(1, 4, "a"),))


def each_token(i: int, s: Sentence) -> Prediction:
    return Prediction(s.id, tuple(Entity(n, n + 1, "a") for n in range(len(s.tokens))))


def one_span(i: int, s: Sentence) -> Prediction:
    return Prediction(s.id, (Entity(0, len(s.tokens), "a"),))


def weak(i: int, s: Sentence) -> Prediction:
    """The right one in a fifth of the sentences; of the others, in half nothing, in half the first token."""
    return [Prediction(s.id, s.entities), nothing(i, s), Prediction(s.id, (Entity(0, 1, "a"),))][(i % 5 > 0) + (i % 2)]


def nearly_all(say: Say, share: float) -> Say:
    """Something right in the rest."""
    return lambda i, s: say(i, s) if i < share * 40 else Prediction(s.id, s.entities)


ALIKE, SAID, PLACED, RIGHT = Doubt.ALL_ALIKE, Doubt.NOTHING_SAID, Doubt.NOTHING_PLACED, Doubt.NOTHING_RIGHT


@pytest.mark.parametrize(
    ("say", "doubts"),
    [
        (nothing, [SAID]),
        (one_in_twenty, []),
        (never_right, [RIGHT]),
        (malformed, [PLACED]),
        (same_text, [PLACED, ALIKE]),
        (nearly_all(same_text, 0.95), [ALIKE]),
        (nearly_all(same_text, 0.85), []),
        (nearly_all(same_place, 0.95), [ALIKE]),
        (nearly_all(same_place, 0.85), []),
        (each_token, [RIGHT, ALIKE]),
        (one_span, [RIGHT, ALIKE]),
        (nearly_all(each_token, 0.95), [ALIKE]),
        (weak, []),
    ],
)
def test_failures_are_told_from_weakness(say: Say, doubts: list[Doubt]) -> None:
    sentences = gold(1)
    assert score(sentences, [say(i, s) for i, s in enumerate(sentences)], ["a"]).doubts == doubts


@pytest.mark.parametrize("say", [same_place, same_text, each_token, nothing])
def test_what_gold_is_like_is_no_failure(say: Say) -> None:
    """A form whose entities stand at one place, sentences that are an entity each, a text without entities."""
    forms = gold(2, same=True)
    assert ALIKE not in score(forms, [same_place(i, s) for i, s in enumerate(forms)], ["a"]).doubts
    names = [Sentence(s.id, s.tokens, one_span(0, s).entities) for s in forms]
    assert score(names, [each_token(i, s) for i, s in enumerate(names)], ["a"]).doubts == [RIGHT]
    bare = [s.unlabeled() for s in forms]
    assert not set(score(bare, [say(i, s) for i, s in enumerate(bare)], ["a"]).doubts) & {SAID, PLACED, RIGHT}


def test_few_sentences_or_the_same_again_and_again_say_nothing() -> None:
    few = gold(3, size=9)
    assert ALIKE not in score(few, [same_text(i, s) for i, s in enumerate(few)], ["a"]).doubts
    again = [Sentence(f"d/test/{i}", few[0].tokens, few[0].entities) for i in range(40)]
    assert ALIKE not in score(again, [same_text(i, s) for i, s in enumerate(again)], ["a"]).doubts


def test_what_was_not_seen_is_counted() -> None:
    sentences = [Sentence(f"d/test/{i}", tuple("abcdef"), (Entity(0, 2, "a"), Entity(3, 5, "a"))) for i in range(4)]
    said = [Prediction(s.id, unseen=unseen) for s, unseen in zip(sentences, (0, 1, 2, 6), strict=True)]
    counts = score(sentences, said, ["a"]).answers
    assert counts == {"unseen sentences": 3, "unseen tokens": 9, "unseen entities": 3}
