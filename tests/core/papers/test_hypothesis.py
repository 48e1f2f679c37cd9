"""The rank correlation against published and brute-force values, and which results meet which measurements."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdner_bench.papers import TOPT, load
from cdner_bench.papers.hypothesis import Pair, Series, correlate, learnt_from, measured, read, reported
from cdner_bench.plugins import Measurement
from cdner_bench.records import CorpusFacts, Measured, MethodFacts
from samples import RESULT, run

ANALYSIS = MethodFacts("uid", "density", "1+0", None, {"unit": "natural"})


@pytest.mark.parametrize(
    ("blocks", "reading"),
    [
        ([], "no pair"),
        ([[(1, 2), (2, 3), (3, 4)]], "too few pairs: 3 of at least 4"),
        ([[(1, 2), (1, 3), (1, 4), (1, 5)]], "the UID variances do not differ"),
        ([[(1, 2), (2, 2), (3, 2), (4, 2)]], "the F1 values do not differ"),
        ([[(1, 2), (1, 3)], [(2, 4), (2, 6)]], "the UID variances do not differ"),
    ],
)
def test_without_a_rho_it_says_why(blocks: list[list[tuple[float, float]]], reading: str) -> None:
    found = correlate(blocks)
    assert (found.rho, found.p, found.interval) == (None, None, None)
    assert read(found) == reading


def test_readings() -> None:
    down, up = ([(n, sign * y) for n, y in enumerate([0, 1, 3, 2, 4, 5, 6, 8, 7])] for sign in (-1, 1))
    assert read(correlate([down])) == "as predicted"
    assert read(correlate([up])) == "against the prediction"
    assert read(correlate([[(1, 4), (2, 3), (3, 2), (4, 1)]])) == "undecided; no interval: the order is perfect"
    two = [[(1, 2), (2, 1)], [(3, 1), (4, 2)]]
    assert read(correlate(two)) == "undecided; no interval: too few pairs a domain"


def test_within_domains_a_harder_domain_does_not_count() -> None:
    """Over all pairs rho is positive, though in either domain more variance goes with less F1."""
    pairs = [Pair("ai", f"c{n}", n / 10, 50 - n) for n in range(4)]
    pairs += [Pair("music", f"c{n}", 1 + n / 10, 80 - n) for n in range(4)]
    tests = Series("measured", "single", "m", "b", "p", [*pairs, Pair("lonely", "c", 9, 99)]).tests()
    every, within = tests["all pairs"], tests["within domains"]
    assert every.n == 9
    assert every.rho is not None
    assert every.rho > 0
    assert (within.n, within.rho, within.p) == (8, -1, 2 / 576)


# --- where pairs come from -------------------------------------------------------------------------------------------


def uid(variance: float | None, corpus: str = "gtok", domain: str = "ai", seed: int = 0, **options: object) -> Measured:
    facts = replace(ANALYSIS, options={**ANALYSIS.options, **options})
    return Measured(facts, CorpusFacts(corpus, domain, "mini", "1", "00"), seed, Measurement({"variance": variance}))


def test_what_a_run_learnt_from() -> None:
    assert learnt_from(run(1)) == "gtok"
    assert learnt_from(run(1, gtok_mix=0, gtok=None)) == "gtok"
    assert learnt_from(run(1, gtok_mix=50)) == "gtok+50"
    assert learnt_from(run(1, gtok_mix=50, gtok_folder="gtok (0123456789ab)")) is None  # somebody's own
    assert learnt_from(run(1, gtok_mix=50, gtok_mix_unit="sentences")) == "gtok+50-sentences"
    for options in ({"pretraining": "none"}, {"pretraining": "dapt"}, {"gtok": "00"}, {"cumulative_gtok": True}):
        assert learnt_from(run(1, **options)) is None
    assert learnt_from(RESULT) is None


def test_results_meet_the_measurement_of_their_corpus() -> None:
    results = [run(60), run(62, seed=1), run(50, gtok_mix=50), run(40, gtok_mix=50, seed=1), run(70, "music")]
    measurements = [uid(0.1), uid(0.2, "gtok+50"), uid(0.4, "gtok+50", seed=1), uid(9.0, "gtok+50", seed=7)]
    (series,) = measured(results, measurements)
    assert (series.setting, series.method, series.backbone, series.preset) == ("single", "topt", "b", "quick")
    assert series.row == ANALYSIS.row
    plain, mixed = series.pairs
    assert plain == Pair("ai", "gtok", 0.1, 61.0)
    assert mixed == Pair("ai", "gtok+50", mixed.variance, 45.0)
    assert mixed.variance == pytest.approx(0.3)


def test_another_seed_s_mixture_is_another_corpus() -> None:
    assert measured([run(60, gtok_mix=50, seed=3)], [uid(0.2, "gtok+50", seed=0)]) == []


def test_nothing_is_joined_that_is_not_the_same() -> None:
    other = replace(uid(0.1), corpus=replace(uid(0.1).corpus, benchmark="crossner"))
    older = replace(uid(0.1), corpus=replace(uid(0.1).corpus, version="0"))
    entropy = replace(uid(0.1), analysis=replace(ANALYSIS, name="entropy"))
    late = uid(0.1, seed=3)
    unfinished = replace(run(1), status="not-run", scores={}, reason="no corpus")
    assert measured([run(60)], [other, older, entropy, late, uid(None), uid(0.1, domain="music")]) == []
    assert measured([unfinished, run(60, gtok_mix=50)], [uid(0.1)]) == []


def test_series_differ_in_the_corpus_only() -> None:
    results = [run(60, epochs=1), run(50, epochs=2), run(40, epochs=2, gtok_mix=50)]
    found = measured(results, [uid(0.1), uid(0.2, "gtok+50"), uid(0.3, unit="sentence")])
    names = [(s.method, s.row, [p.corpus for p in s.pairs]) for s in found]
    other = uid(0.3, unit="sentence").analysis.row
    assert names == [
        ("topt (epochs=1)", ANALYSIS.row, ["gtok"]),
        ("topt (epochs=2)", ANALYSIS.row, ["gtok", "gtok+50"]),
        ("topt (epochs=1)", other, ["gtok"]),
        ("topt (epochs=2)", other, ["gtok"]),
    ]


def test_what_the_paper_reports() -> None:
    both, mixed = reported(load(TOPT), "crossner")
    assert (both.source, len(both.pairs), mixed.source, len(mixed.pairs)) == ("Tables 2 and 5", 10, "Table 7", 8)
    assert Pair("science", "dapt", 0.89, 71.42) in both.pairs
    assert Pair("science", "gtok", 0.13, 80.16) in both.pairs
    assert Pair("music", "gtok+200-sentences", 0.18, 77.11) in mixed.pairs
    assert both.tests()["all pairs"].rho == pytest.approx(-0.43426904068873107)  # scipy.stats.spearmanr
    assert mixed.tests()["all pairs"].rho == pytest.approx(0.21688321172034594)
    assert mixed.tests()["within domains"].p == pytest.approx(2 / 576)
    assert reported(load(TOPT), "mini") == []
