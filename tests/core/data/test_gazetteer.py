"""A dictionary of mentions: the longest first, the most frequent type, ties in a documented order."""

from __future__ import annotations

import pytest

from cdner_bench import Entity, Gazetteer, Sentence
from cdner_bench.data import Benchmark
from cdner_bench.scoring import measure_floor

TRAIN = (
    Sentence("0", ("New", "York", "Times"), (Entity(0, 3, "paper"),)),
    Sentence("1", ("New", "York", "met", "Paris"), (Entity(0, 2, "city"), Entity(3, 4, "person"))),
    Sentence("2", ("Paris", "and", "Rome"), (Entity(0, 1, "city"), Entity(2, 3, "club"))),
    Sentence("3", ("Rome", "Rome"), (Entity(0, 1, "city"), Entity(1, 2, "city"))),
)


@pytest.mark.parametrize(
    ("text", "types", "folded", "found"),
    [
        ("the New York Times", None, False, [Entity(1, 4, "paper")]),  # the longest
        ("New York New York Times", None, False, [Entity(0, 2, "city"), Entity(2, 5, "paper")]),  # left to right
        ("New Times", None, False, []),  # a part of a mention is none
        ("Paris", None, False, [Entity(0, 1, "person")]),  # a tie: the type that it has first
        ("Rome", None, False, [Entity(0, 1, "city")]),  # the most frequent type, though another came first
        ("Paris", ("city",), False, [Entity(0, 1, "city")]),  # what has no such type does not count
        ("new york", None, False, []),
        ("new YORK", None, True, [Entity(0, 2, "city")]),
        ("", None, False, []),
    ],
)
def test_a_sentence_is_looked_up(text: str, types: tuple[str, ...] | None, folded: bool, found: list[Entity]) -> None:
    assert list(Gazetteer.learn(TRAIN, types, folded=folded).find(text.split())) == found


def test_an_empty_dictionary_finds_nothing() -> None:
    assert list(Gazetteer.learn([]).find(("New", "York"))) == []


def test_the_floor_of_crossner(crossner: Benchmark) -> None:
    floors = {name: round(measure_floor(crossner.corpus(name)).f1, 2) for name in crossner.setting("single").targets}
    assert floors == {"ai": 34.40, "literature": 22.84, "music": 22.75, "politics": 25.73, "science": 25.54}
