"""The method `gazetteer`: what its options add to the dictionary, and its score, the floor."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdner_bench import Corpus, Entity, Method, Sentence, plugins
from cdner_bench.data import Benchmark
from cdner_bench.scoring import HEADLINE, measure_floor, score
from support import context

SPEC = plugins.discover().get("gazetteer").spec
SOURCE = Corpus(
    "news",
    ("city", "club"),
    train=(
        Sentence(
            "n", ("Oslo", "beat", "Rome", "Ajax"), (Entity(0, 1, "city"), Entity(2, 3, "city"), Entity(3, 4, "club"))
        ),
    ),
)
TARGET = Corpus(
    "music",
    ("band", "city"),
    train=(
        Sentence("t0", ("Rome", "and", "the", "Who"), (Entity(0, 1, "band"), Entity(3, 4, "band"))),
        Sentence("t1", ("in", "Paris"), (Entity(1, 2, "city"),)),
    ),
)


@pytest.mark.parametrize(
    ("options", "text", "found"),
    [
        ({}, "Rome and Oslo", [Entity(0, 1, "band")]),
        ({"sources": "true"}, "Rome and Oslo", [Entity(0, 1, "band"), Entity(2, 3, "city")]),  # the target's own wins
        ({"sources": "true"}, "Ajax", []),  # the target has no such type
        ({"folded": "true"}, "paris ROME", [Entity(0, 1, "city"), Entity(1, 2, "band")]),
        ({}, "The Led Zeppelin", []),
        ({"fallback": "majority-type"}, "The Led Zeppelin in Paris Opera", [
            Entity(1, 3, "band"), Entity(4, 5, "city"), Entity(5, 6, "band"),  # "the" stands in train in lower case
        ]),
        ({"fallback": "majority-type"}, "all is lower 2nd …", []),
    ],
)  # fmt: skip
def test_options(options: dict[str, str], text: str, found: list[Entity], tmp_path: Path) -> None:
    method = SPEC.load(Method)(SPEC.resolve("cpu", options))
    run = context(tmp_path)
    method.fit([SOURCE], TARGET, run)
    (prediction,) = method.predict([Sentence("x", tuple(text.split()))], run)
    assert list(prediction.entities) == found


def test_without_a_mention_to_learn_from_nothing_is_guessed(tmp_path: Path) -> None:
    method = SPEC.load(Method)(SPEC.resolve("cpu", {"fallback": "majority-type"}))
    run = context(tmp_path)
    method.fit([], Corpus("bare", ("band",), train=(Sentence("t", ("Rome",)),)), run)
    assert [p.entities for p in method.predict([Sentence("x", ("Led", "Zeppelin"))], run)] == [()]


def test_all_presets_are_alike_and_the_score_is_the_floor(mini: Benchmark, tmp_path: Path) -> None:
    assert len({SPEC.resolve(preset, {}) for preset in ("quick", "cpu", "paper", None)}) == 1
    corpus, run = mini.corpus("ai"), context(tmp_path)
    method = SPEC.load(Method)(SPEC.resolve("quick", {}))
    method.fit([mini.corpus("news")], corpus, run)
    scores = score(corpus.test, list(method.predict(corpus.test, run)), corpus.types)
    assert scores.counts(HEADLINE) == measure_floor(corpus)
