"""The shipped sample is what it says: natural text, CrossNER's label sets, entities old and new, nothing copied."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from cdner_bench import Corpus, gtok, sha256
from cdner_bench.data import SPLITS, Benchmark
from cdner_bench.data.audit import find_overlaps, measure_seen
from cdner_bench.knowledge import leaks
from cdner_bench.knowledge.leaks import HeldOut
from support import ROOT

TARGETS = ("ai", "literature", "music", "politics", "science")
LEAST = {"news": (150, 30, 30), "target": (40, 20, 130)}


@pytest.fixture(params=("news", *TARGETS))
def corpus(request: pytest.FixtureRequest, mini: Benchmark) -> Corpus:
    return mini.corpus(request.param)


def all_sentences(corpus: Corpus) -> list[tuple[str, ...]]:
    return [s.tokens for split in SPLITS for s in getattr(corpus, split)]


def test_sizes(corpus: Corpus) -> None:
    least = LEAST.get(corpus.name, LEAST["target"])
    assert all(len(getattr(corpus, split)) >= n for split, n in zip(SPLITS, least, strict=True))


def test_label_sets_are_crossners(mini: Benchmark) -> None:
    from cdner_bench.data import benchmark

    crossner = benchmark.load("crossner")
    for name in TARGETS:
        assert mini.domain(name).types == crossner.domain(name).types
    assert mini.domain("news").types == crossner.domain("conll2003").types


def test_every_type_occurs_in_every_split(corpus: Corpus) -> None:
    for split in SPLITS:
        counts = Counter(e.type for s in getattr(corpus, split) for e in s.entities)
        assert {kind for kind in corpus.types if counts[kind] >= 2} == set(corpus.types)


def test_no_sentence_occurs_twice(mini: Benchmark) -> None:
    assert find_overlaps(mini) == []
    for name in mini.domains:
        found = all_sentences(mini.corpus(name))
        assert len(set(found)) == len(found)


def test_as_few_test_entities_of_targets_were_seen_as_in_crossner(mini: Benchmark) -> None:
    shares = {share.domain: share.with_type for share in measure_seen(mini)}
    assert all(0.1 <= shares[name] <= 0.2 for name in TARGETS), shares


def test_sentences_are_no_templates(corpus: Corpus) -> None:
    """No two sentences share their skeleton (the text without its entities), and openings vary."""
    skeletons = []
    for split in SPLITS:
        for s in getattr(corpus, split):
            inside = {i for e in s.entities for i in range(e.start, e.end)}
            skeletons.append(" ".join(t for i, t in enumerate(s.tokens) if i not in inside))
    repeated = [k for k, n in Counter(skeletons).items() if n > 1 and len(k.split()) > 3]
    assert repeated == []
    openings = Counter(tokens[:3] for tokens in all_sentences(corpus))
    assert max(openings.values()) <= 4


def test_tokens_are_crossners(corpus: Corpus) -> None:
    for tokens in all_sentences(corpus):
        for token in tokens:
            assert not any(c.isspace() for c in token)
            assert len(token) == 1 or token[-1] not in ",;:?!)", token
            assert not (len(token) > 2 and token.endswith("'s")), token
        assert 4 <= len(tokens) <= 60


def test_unlabelled_text_is_other_text(mini: Benchmark) -> None:
    for name in TARGETS:
        corpus = mini.corpus(name)
        lines = corpus.resources["dapt"].read_text(encoding="utf-8").splitlines()
        assert len(set(lines)) >= 100
        assert not {" ".join(tokens) for tokens in all_sentences(corpus)} & set(lines)


def test_nothing_is_copied_from_crossner(mini: Benchmark, crossner: Benchmark) -> None:
    """No eight words in a row stand in CrossNER or CoNLL2003, entity names apart."""
    size = 8

    def grams(tokens: tuple[str, ...]) -> set[tuple[str, ...]]:
        low = [t.lower() for t in tokens]
        return {tuple(low[i : i + size]) for i in range(len(low) - size + 1)}

    theirs = set().union(*(grams(t) for name in crossner.domains for t in all_sentences(crossner.corpus(name))))
    for name in mini.domains:
        for tokens in all_sentences(mini.corpus(name)):
            assert not grams(tokens) & theirs, " ".join(tokens)


def test_entities_recur_in_train(corpus: Corpus) -> None:
    counts = Counter((e.type, s.surface(e)) for s in corpus.train for e in s.entities)
    assert sum(n > 1 for n in counts.values()) >= 5


def test_explanations_are_of_train_entities_only(mini: Benchmark) -> None:
    """Each entity of train is explained once, and no entity that only dev or test know is mentioned."""
    for name in TARGETS:
        corpus = mini.corpus(name)
        found = gtok.read(corpus.resources["gtok-by-hand"], corpus.without_test())
        gold = {(s.text, s.surface(e), e.type) for s in corpus.train for e in s.entities}
        assert {(e.sentence, e.span, e.type) for e in found} == gold
        assert len(found) == len(gold)
        assert len(HeldOut(corpus).surfaces) > 30
        assert leaks.check(corpus.resources["gtok-by-hand"], corpus) == []


def test_the_generated_explanations_are_what_their_report_says(mini: Benchmark) -> None:
    reports = json.loads((ROOT / "benchmarks" / "mini" / "gtok-cleaning.json").read_text())
    for name in TARGETS:
        corpus = mini.corpus(name)
        path = corpus.resources["gtok"]
        found = gtok.read(path, corpus.without_test())
        assert len(found) == reports[name]["explanations"]["after"]
        assert sha256(path) == reports[name]["output_sha256"]
        assert leaks.check(path, corpus) == []


def test_explanations_are_written_and_name_span_and_type(mini: Benchmark) -> None:
    for name in TARGETS:
        found = gtok.read(mini.corpus(name).resources["gtok-by-hand"])
        assert len({e.text for e in found}) == len(found)
        assert all(e.span in e.text and e.type in e.text and 25 <= len(e.text.split()) <= 90 for e in found)
        openings = Counter(tuple(e.text.replace(e.span, "X").split()[:6]) for e in found)
        assert max(openings.values()) <= len(found) / 2
