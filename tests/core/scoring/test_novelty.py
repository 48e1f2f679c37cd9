"""The headline apart for what train has seen: what is placed where, and that nothing is lost."""

from __future__ import annotations

import random

import pytest

from cdner_bench import Counts, Entity, Prediction, Reason, Rejected, Sentence
from cdner_bench.data import Benchmark, audit
from cdner_bench.scoring import NOVELTIES, count_by_train, sentence_counts, total

TRAIN = [Sentence("t", ("Ada", "Lovelace", "of", "London"), (Entity(0, 2, "person"), Entity(3, 4, "city")))]
GOLD = Sentence("g", ("London", "and", "Ada", "Lovelace", "and", "Bath"), (Entity(0, 1, "city"), Entity(2, 4, "city")))


@pytest.mark.parametrize(
    ("said", "rejected", "seen", "retyped", "unseen"),
    [
        ((), (), "0/0/1", "0/0/1", "0/0/0"),
        (GOLD.entities, (), "1/0/0", "1/0/0", "0/0/0"),
        ((Entity(2, 4, "person"),), (), "0/1/1", "0/0/1", "0/0/0"),  # wrong, as train has it
        ((Entity(0, 1, "person"),), (), "0/0/1", "0/1/1", "0/0/0"),  # wrong, its text under another type
        ((Entity(5, 6, "city"), Entity(2, 3, "person")), (), "0/0/1", "0/0/1", "0/2/0"),
        ((), (Rejected("city", "London", Reason.OCCUPIED),), "0/1/1", "0/0/1", "0/0/0"),
        ((), (Rejected("town", "London", Reason.UNKNOWN_TYPE),), "0/0/1", "0/1/1", "0/0/0"),
        ((), (Rejected("?", "so be it", Reason.MALFORMED),), "0/0/1", "0/0/1", "0/1/0"),
        ((), (Rejected("?", "London", Reason.PROSE),), "0/0/1", "0/0/1", "0/0/0"),
        ((Entity(0, 1, "city"),), (Rejected("city", "London", Reason.REPEAT),), "1/0/0", "0/0/1", "0/0/0"),
    ],
)
def test_gold_and_errors_are_placed_by_their_own_text_and_type(
    said: tuple[Entity, ...], rejected: tuple[Rejected, ...], seen: str, retyped: str, unseen: str
) -> None:
    found = count_by_train(TRAIN, [GOLD], [Prediction("g", said, rejected)])
    assert [str(found[novelty]) for novelty in NOVELTIES] == [seen, retyped, unseen]
    assert total(found.values()) == sentence_counts(GOLD, Prediction("g", said, rejected))


def test_together_they_are_the_headline(mini: Benchmark) -> None:
    rng = random.Random(0)
    for name in ("ai", "politics"):
        corpus = mini.corpus(name)
        predictions = []
        for s in corpus.test:
            kept = {e for e in s.entities if rng.random() < 0.6}
            kept |= {Entity(n, n + 1, rng.choice(corpus.types)) for n in range(len(s.tokens)) if rng.random() < 0.1}
            predictions.append(Prediction(s.id, tuple(sorted(kept)), (Rejected("?", "x", Reason.MALFORMED),)))
        found = count_by_train(corpus.train, corpus.test, predictions)
        assert total(found.values()) == total(map(sentence_counts, corpus.test, predictions))
        assert min(found["seen"].tp, found["unseen"].tp, found["unseen"].fp) > 0


def test_shares_of_crossner_are_those_of_the_audit(crossner: Benchmark) -> None:
    for share in audit.measure_seen(crossner):
        corpus = crossner.corpus(share.domain)
        found = count_by_train(corpus.train, corpus.test, [Prediction(s.id, s.entities) for s in corpus.test])
        assert {counts.f1 for counts in found.values() if counts != Counts()} == {100.0}
        right = [found[novelty].tp / total(found.values()).tp for novelty in NOVELTIES]
        assert right == pytest.approx([share.with_type, share.text_only - share.with_type, 1 - share.text_only])
