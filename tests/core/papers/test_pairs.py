"""Which results meet which measurements, and which pairs the paper prints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdner_bench.papers import TOPT, load
from cdner_bench.papers.hypothesis import Pair
from cdner_bench.papers.pairs import pair_measured, pair_printed
from cdner_bench.plugins import Measurement
from cdner_bench.records import CorpusFacts, Measured, MethodFacts, Status
from samples import run

ANALYSIS = MethodFacts("uid", "1", None, {"unit": "natural"})


def uid(variance: float | None, corpus: str = "gtok", domain: str = "ai", seed: int = 0, **options: object) -> Measured:
    facts = replace(ANALYSIS, options={**ANALYSIS.options, **options})
    return Measured(facts, CorpusFacts(corpus, domain, "mini", "2", "00"), seed, Measurement({"variance": variance}))


def test_results_meet_the_measurement_of_their_corpus() -> None:
    results = [run(60), run(62, seed=1), run(50, gtok_mix=50), run(40, gtok_mix=50, seed=1), run(70, "music")]
    measurements = [uid(0.1), uid(0.2, "gtok+50"), uid(0.4, "gtok+50", seed=1), uid(9.0, "gtok+50", seed=7)]
    (series,) = pair_measured(results, measurements)
    assert (series.setting, series.method, series.backbone, series.preset) == ("single", "topt", "b", "quick")
    assert series.row == ANALYSIS.row
    plain, mixed = series.pairs
    assert plain == Pair("ai", "gtok", 0.1, 61.0)
    assert mixed == Pair("ai", "gtok+50", mixed.variance, 45.0)
    assert mixed.variance == pytest.approx(0.3)


def test_another_seed_s_mixture_is_another_corpus() -> None:
    assert pair_measured([run(60, gtok_mix=50, seed=3)], [uid(0.2, "gtok+50", seed=0)]) == []


def test_a_corpus_that_is_not_mixed_is_the_same_whatever_the_seed_of_its_measurement() -> None:
    """Of several measurements that of the lowest seed counts."""
    for measurements in ([uid(0.1, seed=3)], [uid(0.2, seed=4), uid(0.1, seed=3)]):
        (series,) = pair_measured([run(60), run(62, seed=1)], measurements)
        assert series.pairs == [Pair("ai", "gtok", 0.1, 61.0)]


def test_nothing_is_joined_that_is_not_the_same() -> None:
    other = replace(uid(0.1), corpus=replace(uid(0.1).corpus, benchmark="crossner"))
    older = replace(uid(0.1), corpus=replace(uid(0.1).corpus, version="0"))
    entropy = replace(uid(0.1), analysis=replace(ANALYSIS, name="entropy"))
    unfinished = replace(run(1), status=Status.NOT_RUN, scores={}, reason="no corpus")
    assert pair_measured([run(60)], [other, older, entropy, uid(None), uid(0.1, domain="music")]) == []
    assert pair_measured([unfinished, run(60, gtok_mix=50)], [uid(0.1)]) == []


def test_series_differ_in_the_corpus_only() -> None:
    results = [run(60, epochs=1), run(50, epochs=2), run(40, epochs=2, gtok_mix=50)]
    found = pair_measured(results, [uid(0.1), uid(0.2, "gtok+50"), uid(0.3, unit="sentence")])
    names = [(s.method, s.row, [p.corpus for p in s.pairs]) for s in found]
    other = uid(0.3, unit="sentence").analysis.row
    assert names == [
        ("topt (epochs=1)", ANALYSIS.row, ["gtok"]),
        ("topt (epochs=2)", ANALYSIS.row, ["gtok", "gtok+50"]),
        ("topt (epochs=1)", other, ["gtok"]),
        ("topt (epochs=2)", other, ["gtok"]),
    ]


def test_the_options_that_choose_the_corpus_are_those_that_the_record_declares() -> None:
    measurements = [uid(0.1), uid(0.2, "gtok+50"), uid(0.3, "gtok+100")]
    (series,) = pair_measured([run(60, epochs=1), *(run(50, epochs=1, gtok_mix=n) for n in (50, 100))], measurements)
    assert "gtok_mix" in series.chosen_by
    assert "epochs" not in series.chosen_by
    assert len(series.pairs) == 3
    declared_otherwise = [
        replace(r, method=replace(r.method, knowledge_options=())) for r in (run(60, epochs=1), run(50, gtok_mix=50))
    ]
    assert len(pair_measured(declared_otherwise, measurements)) == 2


def test_backbones_are_never_mixed() -> None:
    other = run(50, gtok_mix=50)
    other = replace(other, model=replace(other.model, backbone="larger"))
    found = pair_measured([run(60), other], [uid(0.1), uid(0.2, "gtok+50")])
    assert [(s.backbone, len(s.pairs)) for s in found] == [("b", 1), ("larger", 1)]


def test_what_the_paper_reports() -> None:
    both, mixed = pair_printed(load(TOPT), "crossner")
    assert (both.source, len(both.pairs), mixed.source, len(mixed.pairs)) == ("Tables 2 and 5", 10, "Table 7", 8)
    assert Pair("science", "dapt", 0.89, 71.42) in both.pairs
    assert Pair("science", "gtok", 0.13, 80.16) in both.pairs
    assert Pair("music", "gtok+200-sentences", 0.18, 77.11) in mixed.pairs
    assert both.run_tests()["all pairs"].rho == pytest.approx(-0.43426904068873107)  # scipy.stats.spearmanr
    assert mixed.run_tests()["all pairs"].rho == pytest.approx(0.21688321172034594)
    assert mixed.run_tests()["within domains"].p == pytest.approx(2 / 576)
    assert pair_printed(load(TOPT), "mini") == []
