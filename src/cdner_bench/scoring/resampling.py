"""How sure a difference of scores is: resampled from the counts of each test sentence, never from ratios.

The score is corpus F1 of a domain, in percent, averaged over domains. Two things were drawn by chance: the test
sentences, and the seeds. What one method says of a sentence is compared with what the other says of the same one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..types import Interval
from .counts import Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DRAWS = 10_000
INTERVAL_DRAWS = 2_000
"""For the intervals of a board: an end then differs by some hundredths of a point from that of endless draws."""
LEVEL = 0.05
_FAR = 6.0  # standard deviations
_CHUNK = 1_000  # draws at a time, so that memory does not grow with them

Runs = Mapping[str, Sequence[Sequence[Counts]]]
"""Of each domain the counts of every test sentence, for each seed. All runs of a domain have the same sentences."""


@dataclass(frozen=True)
class Comparison:
    """A difference of average F1 (`first` less `second`, in points) and how likely one as large is by chance alone."""

    difference: float
    p: float


class Sample:
    """The runs of one row of a board: counts averaged over seeds, and how its score varies with the seed."""

    def __init__(self, runs: Runs, domains: Sequence[str] = ()) -> None:
        """Of some of the domains, or of all."""
        import numpy as np

        arrays = {name: [_to_array(run) for run in runs[name]] for name in domains or runs}
        self.counts: Mapping[str, Array] = {name: np.mean(each, axis=0) for name, each in arrays.items()}
        seeds = min(map(len, arrays.values()))
        by_seed = np.mean([[_f1(run.sum(axis=0)) for run in each[:seeds]] for each in arrays.values()], axis=0)
        # What a sample of n shows of the variance is too little by (n - 1) / n.
        wider = (seeds / (seeds - 1)) ** 0.5 if seeds > 1 else 0.0
        self.spread: Array = (by_seed - by_seed.mean()) * wider

    @property
    def score(self) -> float:
        """F1 of the averaged counts, averaged over domains."""
        import numpy as np

        return float(np.mean([_f1(counts.sum(axis=0)) for counts in self.counts.values()]))

    def draw_seeds(self, random: Any, draws: int) -> Array:
        """How far the average over as many seeds drawn anew is from the average over these."""
        chosen = random.integers(0, len(self.spread), size=(draws, len(self.spread)))
        return self.spread[chosen].mean(axis=1)  # type: ignore[no-any-return]


def estimate_intervals(samples: Sequence[Sample], draws: int = INTERVAL_DRAWS) -> list[Interval]:
    """The 95 % interval of the average F1 of each row, by the bootstrap over test sentences and over seeds; with one
    seed, over sentences only. Percentiles of Efron (1979). All rows have the same domains, and are judged by the same
    drawn sentences.
    """
    return _take_middle(_draw_scores(samples, draws)) if samples else []


def estimate_difference(first: Runs, second: Runs, draws: int = DRAWS) -> Interval:
    """The 95 % interval of the difference of average F1 (`first` less `second`) over the domains that both have, by the
    bootstrap of `estimate_intervals`. Raises `ValueError` as `compare` does.
    """
    domains = _find_common(first, second)
    drawn = _draw_scores([Sample(runs, domains) for runs in (first, second)], draws)
    return _take_middle(drawn[:, :1] - drawn[:, 1:])[0]


def _draw_scores(samples: Sequence[Sample], draws: int) -> Array:
    """The scores of rows, over test sentences drawn for all of them and seeds drawn for each: draws × rows."""
    import numpy as np

    random = np.random.default_rng(0)
    found = np.stack([sample.draw_seeds(random, draws) for sample in samples], axis=1)
    for begin in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - begin)
        scores = []
        for counts in _stack(samples):
            number = len(counts)
            chosen = random.integers(0, number, size=(size, number)) + number * np.arange(size)[:, None]
            often = np.bincount(chosen.ravel(), minlength=size * number).reshape(size, number)
            scores.append(_f1(_weigh(often, counts)))
        found[begin : begin + size] += np.mean(scores, axis=0)
    return found


def _take_middle(drawn: Array) -> list[Interval]:
    """The ends between which 95 % of the draws of each row lie."""
    import numpy as np

    low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2], axis=0)
    return [Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def compare(first: Runs, second: Runs, *, draws: int = DRAWS) -> Comparison:
    """Two rows over the domains that both have, by paired approximate randomisation (Noreen 1989): if nothing told the
    methods apart, what they say of a sentence could be exchanged. With several seeds the difference of as many seeds of
    one method, drawn anew, is added: so much comes of seeds alone.

    Two-sided; the observed difference is one of the draws. Raises `ValueError` for rows without a common domain, or
    whose runs of a domain do not have the same number of sentences.
    """
    domains = _find_common(first, second)
    (hits,), (difference,), _ = _exchange(Sample(first, domains), [Sample(second, domains)], draws)
    return Comparison(float(difference), (int(hits) + 1) / (draws + 1))


def _find_common(first: Runs, second: Runs) -> list[str]:
    domains = [name for name in first if name in second]
    if not domains:
        raise ValueError("the rows have no domain in common")
    for name in domains:
        if len({len(run) for run in (*first[name], *second[name])}) > 1:
            raise ValueError(f"the runs of {name} do not have the same sentences")
    return domains


def _exchange(one: Sample, others: Sequence[Sample], draws: int, begin: int = 0) -> tuple[Array, Array, Array]:
    """Of each other row: how many of the draws, of which the first is number `begin`, differ as much as is observed;
    what is observed; and the standard deviation of the draws.
    """
    import numpy as np

    random = np.random.default_rng([0, begin])
    observed = one.score - np.array([other.score for other in others])
    drawn = np.stack([one.draw_seeds(random, draws) - other.draw_seeds(random, draws) for other in others], axis=1)
    for start in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - start)
        differences = []
        for mine, theirs in zip(_stack([one]), _stack(others), strict=True):
            chosen = random.integers(0, 2, size=(size, len(mine)), dtype=np.int8)
            exchanged = _weigh(chosen, theirs - mine)
            differences.append(_f1(mine.sum(axis=0) + exchanged) - _f1(theirs.sum(axis=0) - exchanged))
        drawn[start : start + size] += np.mean(differences, axis=0)
    return np.sum(np.abs(drawn) >= np.abs(observed) - 1e-9, axis=0), observed, drawn.std(axis=0)


def correct_holm(values: Sequence[float]) -> list[float]:
    """P values of several comparisons, corrected so that all together err at the rate of one (Holm 1979)."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected = [0.0] * len(values)
    highest = 0.0
    for place, n in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - place) * values[n]))
        corrected[n] = highest
    return corrected


def find_ties(samples: Sequence[Sample]) -> list[bool]:
    """For rows with the best first, whether each cannot be told from the best. The best counts as one of these, unless
    it stands alone. All rows have the same domains.

    A row that is further from the best than `_FAR` standard deviations of a thousand draws is drawn no more: what is
    left for chance is then the tail of a normal distribution. More rows need more draws, or none could be told apart.
    """
    if len(samples) < 2:
        return [False] * len(samples)
    import numpy as np

    best, *others = samples
    draws = max(DRAWS, math.ceil(2 * len(others) / LEVEL))
    hits, observed, sd = _exchange(best, others, _CHUNK)
    values = np.full(len(others), math.erfc(_FAR / math.sqrt(2)))
    if near := [n for n in range(len(others)) if abs(observed[n]) <= _FAR * sd[n]]:
        more, *_ = _exchange(best, [others[n] for n in near], draws - _CHUNK, _CHUNK)
        values[near] = (hits[near] + more + 1) / (draws + 1)
    return [True, *(p >= LEVEL for p in correct_holm([float(p) for p in values]))]


def _stack(samples: Sequence[Sample]) -> Iterator[Array]:
    """Of each domain, what the score of every row is counted from: sentences × rows × 2 (tp, 2 tp + fp + fn)."""
    import numpy as np

    for name in samples[0].counts:
        yield np.stack([sample.counts[name] for sample in samples], axis=1)


def _weigh(often: Any, counts: Array) -> Array:
    """The sums over sentences, of which each counts as often as is said: draws × rows × 2."""
    sums: Array = often.astype(counts.dtype) @ counts.reshape(len(counts), -1)
    return sums.reshape(len(often), *counts.shape[1:])


def _to_array(run: Sequence[Counts]) -> Array:
    """Sentences × (tp, 2 tp + fp + fn)."""
    import numpy as np

    tp, fp, fn = (np.fromiter(map(attrgetter(name), run), np.float64, len(run)) for name in ("tp", "fp", "fn"))
    return np.stack([tp, 2 * tp + fp + fn], axis=1)


def _f1(counts: Array) -> Array:
    """F1 in percent along the last axis (tp, 2 tp + fp + fn), 0 where there is nothing."""
    import numpy as np

    return 200 * counts[..., 0] / np.where(counts[..., 1] > 0, counts[..., 1], 1)
