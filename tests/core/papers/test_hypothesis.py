"""How a test of hypothesis 3.2 is read, and what it is over."""

from __future__ import annotations

import pytest

from cdner_bench.papers.hypothesis import Pair, Series, correlate, read


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
    tests = Series("measured", "single", "m", "b", "p", [*pairs, Pair("lonely", "c", 9, 99)]).run_tests()
    every, within = tests["all pairs"], tests["within domains"]
    assert every.n == 9
    assert every.rho is not None
    assert every.rho > 0
    assert (within.n, within.rho, within.p) == (8, -1, 2 / 576)
