"""Intervals and tests of differences, against simulation and an independent implementation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from cdner_bench import Counts, Interval
from cdner_bench.scoring.resampling import (
    Comparison,
    Runs,
    Sample,
    compare,
    correct_holm,
    estimate_difference,
    estimate_intervals,
    find_ties,
)

Array = NDArray[np.int64]


def draw_found(
    random: Generator, skills: Sequence[float], *, seeds: int = 1, sentences: int = 150, seed_sd: float = 0.0
) -> list[list[Array]]:
    """What runs of methods on the same sentences find: of each seed the right, the wrong and the missed by sentence.
    Each finds an entity with a probability that differs with the sentence and with the seed.
    """
    hard, gold = random.normal(0, 0.08, sentences), random.integers(1, 4, sentences)

    def make_run(skill: float) -> Array:
        chance = np.clip(skill + hard + random.normal(0, seed_sd), 0.02, 0.98)
        right, wrong = random.binomial(gold, chance), random.binomial(gold, 1 - chance)
        return np.stack([right, wrong, gold - right])

    return [[make_run(skill) for _ in range(seeds)] for skill in skills]


def draw_methods(
    random: Generator, skills: Sequence[float], *, seeds: int = 1, sentences: int = 150, seed_sd: float = 0.0
) -> list[Runs]:
    """The same, as counts."""
    found = draw_found(random, skills, seeds=seeds, sentences=sentences, seed_sd=seed_sd)
    return [{"x": [[Counts(*numbers) for numbers in run.T.tolist()] for run in runs]} for runs in found]


def draw_pair(
    random: Generator, skills: tuple[float, float], *, seeds: int = 1, seed_sd: float = 0.0
) -> tuple[Runs, Runs]:
    """Runs of two methods on the same sentences."""
    one, other = draw_methods(random, skills, seeds=seeds, seed_sd=seed_sd)
    return one, other


def draw_runs(random: Generator, skill: float, *, seeds: int = 1, sentences: int = 150, seed_sd: float = 0.0) -> Runs:
    """Runs of one method."""
    return draw_methods(random, [skill], seeds=seeds, sentences=sentences, seed_sd=seed_sd)[0]


def test_p_is_uniform_where_nothing_differs() -> None:
    random = np.random.default_rng(1)
    found = [compare(*draw_pair(random, (0.5, 0.5)), draws=400).p for _ in range(1000)]
    assert stats.kstest(found, "uniform").pvalue > 0.01


@pytest.mark.parametrize("skills", [(0.5, 0.5), (0.5, 0.55), (0.5, 0.6)])
def test_p_is_scipy_s(skills: tuple[float, float]) -> None:
    """An independent implementation, which exchanges the numbers of sentences between two samples."""
    runs = draw_pair(np.random.default_rng(2), skills)
    counts = np.array([(c.tp, c.fp, c.fn) for one in runs for c in one["x"][0]])

    def statistic(one: Array, other: Array, axis: int = -1) -> Array:
        tp, fp, fn = (np.array([counts[side, k].sum(axis=axis) for side in (one, other)]) for k in range(3))
        first, second = 200 * tp / (2 * tp + fp + fn)
        return np.asarray(first - second)

    numbers = np.arange(len(counts)).reshape(2, -1)
    theirs = stats.permutation_test(
        tuple(numbers),
        statistic,
        permutation_type="samples",
        n_resamples=4000,
        vectorized=True,
        random_state=np.random.default_rng(0),
    )
    mine = compare(*runs, draws=4000)
    assert mine.difference == pytest.approx(theirs.statistic)
    assert mine.p == pytest.approx(theirs.pvalue, abs=0.03)


def test_disjoint_seeds_of_one_method_do_not_differ() -> None:
    """A/A: though a seed is worth points, and sentences alone would tell the two sets apart."""
    random = np.random.default_rng(3)
    pairs = [draw_pair(random, (0.5, 0.5), seeds=3, seed_sd=0.03) for _ in range(300)]
    told = sum(compare(*pair, draws=400).p < 0.05 for pair in pairs)
    assert told <= 0.05 * 300 + 2 * np.sqrt(300 * 0.05 * 0.95)


def test_a_difference_is_found() -> None:
    random = np.random.default_rng(4)
    told = sum(compare(*draw_pair(random, (0.5, 0.62), seeds=3, seed_sd=0.02), draws=400).p < 0.05 for _ in range(50))
    assert told >= 45


@pytest.mark.parametrize("seeds", [1, 5])
def test_intervals_cover(seeds: int) -> None:
    random = np.random.default_rng(5)
    sd = 0.0 if seeds == 1 else 0.02
    many = [draw_found(random, [0.5], seeds=seeds, sentences=1500, seed_sd=sd) for _ in range(150)]
    truth = np.mean([_score(one) for (one,) in many])
    intervals = [
        estimate_intervals([Sample(draw_runs(random, 0.5, seeds=seeds, seed_sd=sd))], draws=400)[0] for _ in range(600)
    ]
    covered = np.mean([i.low <= truth <= i.high for i in intervals])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize(("seeds", "sd", "most"), [(1, 0.0, 0.97), (5, 0.03, 0.98)])
def test_intervals_of_a_difference_cover(seeds: int, sd: float, most: float) -> None:
    """With several seeds rather too often: what a seed makes of single sentences is drawn with both."""
    random = np.random.default_rng(8)
    skills = (0.5, 0.55)
    many = [draw_found(random, skills, seeds=seeds, sentences=1500, seed_sd=sd) for _ in range(150)]
    truth = np.mean([_score(one) - _score(other) for one, other in many])
    pairs = [draw_pair(random, skills, seeds=seeds, seed_sd=sd) for _ in range(500)]
    covered = np.mean([i.low <= truth <= i.high for pair in pairs for i in [estimate_difference(*pair, draws=400)]])
    assert 0.93 <= covered <= most


def test_sentences_are_drawn_for_both() -> None:
    """What both find hard moves both scores, and not their difference."""
    one, other = draw_pair(np.random.default_rng(9), (0.5, 0.55))
    assert estimate_difference(one, one) == Interval(0.0, 0.0)
    there, back = estimate_difference(one, other), estimate_difference(other, one)
    assert there.low == pytest.approx(-back.high)
    paired = there.high - there.low
    apart = sum((i.high - i.low) ** 2 for i in estimate_intervals([Sample(one), Sample(other)], draws=10_000)) ** 0.5
    assert paired < 0.95 * apart
    with pytest.raises(ValueError, match="no domain in common"):
        estimate_difference(one, {"y": other["x"]})
    with pytest.raises(ValueError, match="the same sentences"):
        estimate_difference(one, {"x": [other["x"][0][:-1]]})


def _score(runs: Sequence[Array]) -> float:
    sums = [run.sum(axis=1) for run in runs]
    return float(np.mean([200 * s[0] / (2 * s[0] + s[1] + s[2]) for s in sums]))


def test_holm_by_hand() -> None:
    assert correct_holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert correct_holm([0.9, 0.6]) == [1.0, 1.0]
    assert correct_holm([]) == []


def test_ties_with_the_best() -> None:
    random = np.random.default_rng(6)
    best, weak = draw_pair(random, (0.8, 0.4))
    assert find_ties([Sample(best), Sample(best), Sample(weak)]) == [True, True, False]
    assert find_ties([]) == []


def test_the_same_twice_is_no_difference_and_repeatable() -> None:
    runs = draw_runs(np.random.default_rng(7), 0.5)
    assert compare(runs, runs) == Comparison(0.0, 1.0)
    assert estimate_intervals([Sample(runs)]) == estimate_intervals([Sample(runs)])


def test_only_what_both_have_is_compared() -> None:
    runs = draw_runs(np.random.default_rng(8), 0.5)
    more = {**runs, "y": runs["x"]}
    assert compare(more, runs).difference == 0
    with pytest.raises(ValueError, match="no domain in common"):
        compare(runs, {"y": runs["x"]})
    with pytest.raises(ValueError, match="do not have the same sentences"):
        compare(runs, {"x": [runs["x"][0][:-1]]})


def test_a_board_is_told_apart_as_each_pair_of_it_is() -> None:
    """Rows that are far from the best, for which little is drawn, and rows that are near."""
    rows = draw_methods(np.random.default_rng(8), [0.85, 0.84, 0.8, 0.76, 0.5, 0.3], seeds=3, seed_sd=0.01)
    pairs = correct_holm([compare(rows[0], row).p for row in rows[1:]])
    samples = [Sample(runs) for runs in rows]
    assert find_ties(samples) == [True, *(p >= 0.05 for p in pairs)]
    assert set(find_ties(samples)) == {True, False}
    for batch, sample in zip(estimate_intervals(samples, draws=4000), samples, strict=True):
        (alone,) = estimate_intervals([sample], draws=4000)
        assert (batch.low, batch.high) == pytest.approx((alone.low, alone.high), abs=0.2)


def test_many_rows_can_still_be_told_apart() -> None:
    best, weak = draw_pair(np.random.default_rng(9), (0.85, 0.4))
    assert find_ties([Sample(best), *[Sample(weak)] * 1000]) == [True, *[False] * 1000]
