"""Statistics of what was measured: whether two quantities go together, and how sure that is."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..types import Interval

LEAST = 4
"""Pairs below which nothing is said."""

EXACT = 10
"""Up to so many pairs in each block all permutations count; above, `DRAWS` random ones."""

DRAWS = 20_000
_NORMAL = 1.959964  # 97.5 % of a standard normal distribution


@dataclass(frozen=True)
class Spearman:
    """A rank correlation of `n` pairs. Where rho or its interval is None, `reason` says why.

    `p` is two-sided, by permutation; `exact` if all permutations were counted.
    """

    n: int
    rho: float | None = None
    interval: Interval | None = None
    p: float | None = None
    exact: bool = True
    reason: str = ""


def spearman(
    blocks: Sequence[Sequence[tuple[float, float]]],
    names: tuple[str, str] = ("first values", "second values"),
    block: str = "block",
) -> Spearman:
    """Spearman's rho of pairs, ranked (ties: average ranks) and permuted within each block.

    With one block it is the usual rho. With several it is the correlation of all ranks after each block's mean rank is
    taken off: without ties, the mean of the blocks' rhos weighted by their variance of ranks. The 95 % interval is
    Fisher's with the standard error of Bonett and Wright (2000, Psychometrika 65), sqrt((1 + rho²/2) / (n - 3)); every
    further block costs one of n, as a covariate does in a partial correlation. `names` say what the pairs are, and
    `block` what a block is, where there is nothing to correlate.
    """
    n = sum(map(len, blocks))
    if n < LEAST:
        return Spearman(n, reason=f"too few pairs: {n} of at least {LEAST}" if n else "no pair")
    xs = [_ranks([x for x, _ in block]) for block in blocks]
    ys = [_ranks([y for _, y in block]) for block in blocks]
    for name, ranks in zip(names, (xs, ys), strict=True):
        if not any(map(any, ranks)):
            return Spearman(n, reason=f"the {name} do not differ")
    observed = sum(x * y for a, b in zip(xs, ys, strict=True) for x, y in zip(a, b, strict=True))
    square = sum(x * x for a in xs for x in a) * sum(y * y for b in ys for y in b)
    rho = max(-1.0, min(1.0, observed / math.sqrt(square)))
    exact = max(map(len, blocks)) <= EXACT
    p = _exact_p(xs, ys, observed) if exact else _sampled_p(xs, ys, observed)
    perfect, left = observed * observed == square, n - len(blocks) + 1
    if perfect or left <= 3:
        why = "the order is perfect" if perfect else f"too few pairs a {block}"
        return Spearman(n, rho, None, p, exact, f"no interval: {why}")
    return Spearman(n, rho, _interval(rho, left), p, exact)


def _ranks(values: Sequence[float]) -> list[int]:
    """Twice the average rank less its mean: integers, so that permutations are compared exactly."""
    return [sum((v > w) - (v < w) for w in values) for v in values]


def _interval(rho: float, n: int) -> Interval:
    z, error = math.atanh(rho), math.sqrt((1 + rho * rho / 2) / (n - 3))
    return Interval(math.tanh(z - _NORMAL * error), math.tanh(z + _NORMAL * error))


def _exact_p(xs: Sequence[Sequence[int]], ys: Sequence[Sequence[int]], observed: int) -> float:
    total = Counter({0: 1})
    for x, y in zip(xs, ys, strict=True):
        of_block, before = _sums(x, y), total
        total = Counter()
        for a, m in before.items():
            for b, n in of_block.items():
                total[a + b] += m * n
    return sum(n for value, n in total.items() if abs(value) >= abs(observed)) / total.total()


def _sums(xs: Sequence[int], ys: Sequence[int]) -> Counter[int]:
    """How many permutations of `ys` give each sum of products with `xs`, by which of `ys` are taken already."""
    ways = {0: Counter({0: 1})}
    for x in xs:
        longer: defaultdict[int, Counter[int]] = defaultdict(Counter)
        for taken, sums in ways.items():
            for n, y in enumerate(ys):
                if not taken >> n & 1:
                    for value, count in sums.items():
                        longer[taken | 1 << n][value + x * y] += count
        ways = dict(longer)
    return ways[(1 << len(ys)) - 1]


def _sampled_p(xs: Sequence[Sequence[int]], ys: Sequence[Sequence[int]], observed: int) -> float:
    """Of random permutations, the observed one counted among them."""
    draw = random.Random(0)
    shuffled = [list(block) for block in ys]
    hits = 1
    for _ in range(DRAWS):
        for block in shuffled:
            draw.shuffle(block)
        value = sum(x * y for a, b in zip(xs, shuffled, strict=True) for x, y in zip(a, b, strict=True))
        hits += abs(value) >= abs(observed)
    return hits / (DRAWS + 1)
