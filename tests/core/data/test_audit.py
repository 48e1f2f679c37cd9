"""The audit finds what METHODS 0.2 and SCORING list for the real corpora."""

from __future__ import annotations

import pytest

from cdner_bench.data import Benchmark, audit, benchmark


def test_duplicates_across_splits_and_domains(crossner: Benchmark) -> None:
    found = {(o.one, o.other): o.sentences for o in audit.find_overlaps(crossner)}
    expected = {
        ("music/train", "music/test"): 6,
        ("music/train", "music/dev"): 1,
        ("music/dev", "music/test"): 17,
        ("science/train", "science/test"): 1,
        ("science/train", "science/dev"): 4,
        ("science/dev", "science/test"): 15,
        ("ai/dev", "ai/test"): 4,
        ("politics/dev", "politics/test"): 1,
        ("conll2003/train", "conll2003/test"): 126,
        ("politics/train", "science/test"): 1,
    }
    assert {k: found[k] for k in expected} == expected


def test_identical_sentences_with_different_labels(crossner: Benchmark) -> None:
    assert len(audit.find_conflicts(crossner)) == 60


def test_counts(crossner: Benchmark) -> None:
    rows = {(s.domain, s.split): s for s in audit.count_splits(crossner)}
    assert rows["ai", "train"] == audit.SplitStats(
        "ai", "train", 100, 3782, 532, 14, rows["ai", "train"].words_per_entity, 0
    )
    assert round(rows["politics", "test"].words_per_entity, 2) == 2.44
    assert (rows["conll2003", "train"].without_entities, rows["ai", "test"].without_entities) == (2909, 1)


@pytest.mark.parametrize(
    ("setting", "target", "expected"),
    [
        ("single", "ai", {"ai/dev": 4}),
        ("single", "literature", {}),
        ("single", "music", {"music/train": 6, "music/dev": 17}),
        ("single", "politics", {"politics/dev": 1}),
        ("single", "science", {"science/train": 1, "science/dev": 15}),
        ("multi", "literature", {"music/dev": 1}),
        ("multi", "politics", {"literature/dev": 4, "politics/dev": 1}),
        ("multi", "science", {"music/dev": 1, "politics/train": 1, "science/train": 1, "science/dev": 15}),
    ],
)
def test_test_sentences_that_a_run_could_know(
    crossner: Benchmark, setting: str, target: str, expected: dict[str, int]
) -> None:
    (scenario,) = crossner.list_scenarios(setting, [target])
    found = audit.list_repeated(crossner, scenario)
    assert {place: len(positions) for place, positions in found.items()} == expected
    for place, positions in found.items():
        domain, _, split = place.partition("/")
        texts = {s.text for s in getattr(crossner.corpus(domain), split)}
        assert all(crossner.corpus(target).test[n].text in texts for n in positions)


@pytest.mark.usefixtures("crossner")
def test_a_deduplicated_benchmark_lets_nobody_know_any() -> None:
    data = benchmark.load("crossner-dedup")
    assert not any(audit.list_repeated(data, scenario) for scenario in data.list_scenarios("multi"))
