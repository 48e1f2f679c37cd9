"""The rank correlation against published and brute-force values."""

from __future__ import annotations

import math
from itertools import permutations, product

import pytest

from cdner_bench.scoring.significance import DRAWS, spearman

TIED = list(zip([3, 1, 2, 2, 5, 5, 5, 8], [10, 12, 11, 9, 9, 4, 5, 5], strict=True))


def by_force(blocks: list[list[tuple[float, float]]]) -> float:
    """p of within-block permutations, from the definition: rank, centre, permute everything."""

    def centred(values: list[float]) -> list[float]:
        ranks = [sum(w < v for w in values) + (1 + sum(w == v for w in values)) / 2 for v in values]
        return [rank - sum(ranks) / len(ranks) for rank in ranks]

    xs = [centred([x for x, _ in b]) for b in blocks]
    ys = [centred([y for _, y in b]) for b in blocks]

    def total(orders: tuple[tuple[float, ...], ...]) -> float:
        return abs(sum(x * y for a, b in zip(xs, orders, strict=True) for x, y in zip(a, b, strict=True)))

    observed = total(tuple(map(tuple, ys)))
    found = [total(orders) >= observed - 1e-9 for orders in product(*(permutations(y) for y in ys))]
    return sum(found) / len(found)


def test_rho_with_ties_is_scipy_s() -> None:
    assert spearman([TIED]).rho == pytest.approx(-0.8262304062195839, abs=1e-15)  # scipy.stats.spearmanr
    assert spearman([[(1, 2), (2, 1), (3, 4), (4, 3)]]).rho == 0.6  # 1 - 6·4 / (4·15), by hand


@pytest.mark.parametrize(
    "blocks",
    [
        [TIED[:6]],
        [[(1, 2), (2, 1), (3, 4), (4, 3)]],
        [[(1, 3), (2, 2), (3, 1)], [(1, 1), (5, 2), (5, 3)], [(1, 2), (2, 1)]],
    ],
)
def test_p_counts_every_permutation(blocks: list[list[tuple[float, float]]]) -> None:
    found = spearman(blocks)
    assert found.exact
    assert found.p == pytest.approx(by_force(blocks), abs=1e-12)


def test_p_of_many_pairs_is_sampled_and_repeatable() -> None:
    pairs = [(float(n), float((n * 7) % 23)) for n in range(22)]
    found = spearman([pairs])
    assert not found.exact
    assert found == spearman([pairs])
    perfect = spearman([[(n, -n) for n in range(22)]])
    assert (perfect.rho, perfect.p) == (-1, 1 / (DRAWS + 1))


def test_the_interval_is_bonett_and_wright_s() -> None:
    found = spearman([TIED])
    assert found.rho is not None
    assert found.interval is not None
    z, error = math.atanh(found.rho), math.sqrt((1 + found.rho**2 / 2) / 5)
    ends = (found.interval.low, found.interval.high)
    assert ends == pytest.approx((math.tanh(z - 1.959964 * error), math.tanh(z + 1.959964 * error)))
    one, two = [(1, 2), (2, 1), (3, 4), (4, 3)], [(1, 1), (2, 2), (3, 4), (4, 3)]
    blocks = spearman([one, two])
    assert blocks.rho == pytest.approx(0.7)
    assert blocks.interval is not None
    assert blocks.interval.low == pytest.approx(math.tanh(math.atanh(0.7) - 1.959964 * math.sqrt(1.245 / 4)))
