"""What a score of the released scorer is in strict F1: in a closed form, by simulation, and for every printed row."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdner_bench import Counts, Doubt, Entity, Prediction, Sentence
from cdner_bench.data import Benchmark
from cdner_bench.errors import ResultError
from cdner_bench.papers import estimate_printed, load
from cdner_bench.papers.inflation import (
    SHARES,
    Errors,
    draw_errors,
    estimate_strict,
    measure_errors,
    read_off,
    simulate,
)
from cdner_bench.records import Result
from cdner_bench.reporting import FORMATS
from cdner_bench.scoring import PROTOCOLS, RELEASED, sentence_counts, total
from samples import RESULT
from support import Run as Command

counted = st.integers(1, 5000)


def predict_released(strict: Counts, errors: Errors) -> float:
    """The released F1 in percent that these strict counts make."""
    right = 2 * errors.found * strict.tp
    whole = right + errors.wrong * (1 - errors.unseen) * strict.fp + errors.missed * strict.fn
    return 100 * right / whole if whole else 0.0


@given(st.builds(Counts, counted, counted, counted), st.builds(Errors, *[st.floats(0.3, 4)] * 2, st.floats(0, 1)))
def test_the_inverse_of_the_closed_form_is_the_strict_score(strict: Counts, errors: Errors) -> None:
    errors = replace(errors, per_missed=strict.fp / strict.fn)
    assert estimate_strict(predict_released(strict, errors), errors.odds) == pytest.approx(strict.f1)


@pytest.mark.parametrize(
    ("strict", "errors", "released"),
    [
        (Counts(50, 25, 25), Errors(1, 1, 0, 1), 66.667),  # one word each, all seen: the strict score
        (Counts(50, 25, 25), Errors(2, 2, 0, 1), 72.727),  # 200 / (200 + 50 + 25)
        (Counts(50, 25, 25), Errors(2, 2, 1, 1), 88.889),  # nothing wrong is seen: 200 / (200 + 25)
        (Counts(50, 0, 25), Errors(2, 2, 0, 0), 88.889),  # only missed ones
        (Counts(0, 9, 9), Errors(2, 2, 0, 1), 0),
    ],
)
def test_the_closed_form_on_counts_by_hand(strict: Counts, errors: Errors, released: float) -> None:
    assert predict_released(strict, errors) == pytest.approx(released, abs=0.001)


def test_the_closed_form_is_exact_on_the_counts_of_a_run() -> None:
    strict, released, projected = Counts(992, 1367, 817), Counts(1964, 1998, 792), Counts(992, 1000, 817)
    errors = Errors.of_counts(strict, released, projected)
    assert predict_released(strict, errors) == pytest.approx(released.f1)
    assert estimate_strict(released.f1, errors.odds) == pytest.approx(strict.f1)


@pytest.mark.parametrize("domain", ["ai", "literature", "music", "politics", "science"])
@pytest.mark.parametrize(("level", "unseen"), [(0.5, 0.0), (1.0, 0.35), (2.0, 0.0), (1.0, 1.0)])
def test_the_simulation_agrees_with_the_closed_form(
    crossner: Benchmark, domain: str, level: float, unseen: float
) -> None:
    """Nothing is fitted: words are those of gold, and only the share that is unseen is known."""
    corpus = crossner.corpus(domain)
    lengths = [e.end - e.start for s in corpus.test for e in s.entities]
    words = sum(lengths) / len(lengths)
    pairs = list(draw_errors(corpus.test, corpus.types, level, unseen, seed=1))
    strict = total(sentence_counts(s, p) for s, p in pairs)
    released = total(PROTOCOLS[RELEASED](pairs, corpus.types).values()).f1
    share = sum(len(p.rejected) for _, p in pairs) / strict.fp
    assert share == pytest.approx(unseen, abs=0.06)
    errors = Errors(words, words, share, strict.fp / strict.fn)
    assert predict_released(strict, errors) == pytest.approx(released, abs=1)
    assert estimate_strict(released, errors.odds) == pytest.approx(strict.f1, abs=1.2)


def test_errors_are_drawn_as_often_as_stated(crossner: Benchmark) -> None:
    corpus = crossner.corpus("politics")
    gold = sum(len(s.entities) for s in corpus.test)
    strict = total(sentence_counts(s, p) for s, p in draw_errors(corpus.test, corpus.types, 1, 0))
    assert strict.fn / gold == pytest.approx(SHARES["dropped"] + SHARES["retyped"] + SHARES["moved"], abs=0.02)
    assert strict.fp / gold == pytest.approx(sum(SHARES.values()) - SHARES["dropped"], abs=0.02)
    assert all(p.entities == s.entities for s, p in draw_errors(corpus.test, corpus.types, 0, 1))


def test_a_domain_of_one_type_and_of_one_word_can_be_simulated() -> None:
    one = Sentence("s", ("Ada",), (Entity(0, 1, "a"),))
    drawn = [p for seed in range(40) for _, p in draw_errors([one], ["a"], 2.5, 0.5, seed)]
    assert {type(p) for p in drawn} == {Prediction}
    assert any(p.rejected for p in drawn)


def test_a_score_is_read_off_between_two_points() -> None:
    points = [(100.0, 100.0), (80.0, 70.0), (60.0, 50.0)]
    assert [read_off(points, value) for value in (100, 90, 80, 65, 59.9, 101)] == [100, 85, 70, 55, None, None]


def result(target: str, strict: Counts, released: Counts, *doubts: Doubt) -> Result:
    scores = {"span-f1": {"task": strict}, RELEASED: {"task": released}, "bio-projected": {"task": strict}}
    return replace(RESULT, scenario=replace(RESULT.scenario, target=target), scores=scores, doubts=doubts)


GOOD = (Counts(50, 50, 50), Counts(100, 60, 50))


def test_errors_are_measured_on_runs_that_find_something() -> None:
    told = [
        result("ai", *GOOD),
        result("ai", Counts(1, 50, 50), Counts(2, 60, 50)),  # F1 below 30
        result("ai", *GOOD, Doubt.ALL_ALIKE),
        result("ai", Counts(50, 0, 0), Counts(100, 0, 0)),  # errs nowhere
        result("ai", Counts(50, 50, 50), Counts(200, 60, -5)),  # finds more than there is
        replace(result("ai", *GOOD), scores={"span-f1": {"task": GOOD[0]}}),  # scored with nothing else
    ]
    assert measure_errors(told) == {"ai": [Errors(2, 1.2, 0, 1, 1)]}


def test_every_printed_row_is_estimated_and_called_an_estimate(crossner: Benchmark) -> None:
    paper = load("topt")
    results = [result(target, *GOOD) for target in crossner.setting("single").targets]
    page = estimate_printed(paper, crossner, results)
    assert len(page.rows) == 36  # three methods, two settings, five domains and their average
    assert {row.method for row in page.rows} == set(paper.released)
    odds = Errors(2, 1.2, 0, 1).odds
    for row in page.rows:
        low, high = row.closed
        assert low <= high < row.printed
        assert row.simulated is not None
        if row.domain:
            assert low == high == pytest.approx(estimate_strict(row.printed, odds))
    for name in FORMATS:
        assert "estimate" in FORMATS[name](page).lower(), name
    assert all(record["estimate"] for record in json.loads(FORMATS["json"](page)))
    with pytest.raises(ResultError, match="no finished run on science"):
        estimate_printed(paper, crossner, results[:-1])


def test_simulated_scores_fall_with_the_level(crossner: Benchmark) -> None:
    points = simulate(crossner.corpus("ai"), 0.3, [0.5, 1, 2])
    assert points == sorted(points, reverse=True)
    assert all(strict < released for released, strict in points[1:])


def test_the_command_takes_a_paper_alone(typed: Command) -> None:
    for arguments, said in (
        (["--paper", "topp"], "did you mean 'topt'?"),
        (["--paper", "topt", "--setting", "single"], "or --paper"),
        (["--paper", "topt", "--benchmark", "mini"], "leave out --benchmark"),
        (["--paper", "topt"], "name the folder of results with --out"),
    ):
        refused = typed("protocols", *arguments)
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
