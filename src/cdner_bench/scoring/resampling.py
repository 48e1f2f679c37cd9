"""How sure a difference of scores is: resampled from the counts of each test sentence, never from ratios.

The score is corpus F1 of a domain, in percent, averaged over domains. Two things were drawn by chance: the test
sentences, and the seeds. What one method says of a sentence is compared with what the other says of the same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..types import Interval
from .counts import Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DRAWS = 10_000
LEVEL = 0.05
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

    def __init__(self, runs: Runs, domains: Sequence[str]) -> None:
        import numpy as np

        arrays = {name: [_to_array(run) for run in runs[name]] for name in domains}
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


def estimate_interval(runs: Runs, draws: int = DRAWS) -> Interval:
    """The 95 % interval of the average F1 of a row, by the bootstrap over test sentences and over seeds; with one seed,
    over sentences only. Percentiles of Efron (1979).
    """
    import numpy as np

    random = np.random.default_rng(0)
    sample = Sample(runs, list(runs))
    found = sample.draw_seeds(random, draws)
    for begin in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - begin)
        scores = []
        for counts in sample.counts.values():
            number = len(counts)
            chosen = random.integers(0, number, size=(size, number)) + number * np.arange(size)[:, None]
            often = np.bincount(chosen.ravel(), minlength=size * number).reshape(size, number)
            scores.append(_f1(often @ counts))
        found[begin : begin + size] += np.mean(scores, axis=0)
    low, high = np.quantile(found, [LEVEL / 2, 1 - LEVEL / 2])
    return Interval(float(low), float(high))


def compare(first: Runs, second: Runs, *, draws: int = DRAWS) -> Comparison:
    """Two rows over the domains that both have, by paired approximate randomisation (Noreen 1989): if nothing told the
    methods apart, what they say of a sentence could be exchanged. With several seeds the difference of as many seeds of
    one method, drawn anew, is added: so much comes of seeds alone.

    Two-sided; the observed difference is one of the draws. Raises `ValueError` for rows without a common domain, or
    whose runs of a domain do not have the same number of sentences.
    """
    return next(compare_all(first, [second], draws))


def compare_all(first: Runs, others: Sequence[Runs], draws: int = DRAWS) -> Iterator[Comparison]:
    """One row with each of several others, as `compare`."""
    for other in others:
        domains = [name for name in first if name in other]
        if not domains:
            raise ValueError("the rows have no domain in common")
        for name in domains:
            if len({len(run) for run in (*first[name], *other[name])}) > 1:
                raise ValueError(f"the runs of {name} do not have the same sentences")
        yield _compare(Sample(first, domains), Sample(other, domains), draws)


def _compare(one: Sample, other: Sample, draws: int) -> Comparison:
    import numpy as np

    random = np.random.default_rng(0)
    observed = one.score - other.score
    by_seeds = one.draw_seeds(random, draws) - other.draw_seeds(random, draws)
    hits = 0
    for begin in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - begin)
        differences = []
        for name, mine in one.counts.items():
            theirs = other.counts[name]
            exchanged = random.integers(0, 2, size=(size, len(mine)), dtype=np.int8) @ (theirs - mine)
            differences.append(_f1(mine.sum(axis=0) + exchanged) - _f1(theirs.sum(axis=0) - exchanged))
        drawn = np.mean(differences, axis=0) + by_seeds[begin : begin + size]
        hits += int(np.sum(np.abs(drawn) >= abs(observed) - 1e-9))
    return Comparison(observed, (hits + 1) / (draws + 1))


def correct_holm(values: Sequence[float]) -> list[float]:
    """P values of several comparisons, corrected so that all together err at the rate of one (Holm 1979)."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected = [0.0] * len(values)
    highest = 0.0
    for place, n in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - place) * values[n]))
        corrected[n] = highest
    return corrected


def find_ties(rows: Sequence[Runs], draws: int = DRAWS) -> list[bool]:
    """Whether each row, of rows with the best first, cannot be told from the best; the best itself can not."""
    if not rows:
        return []
    found = compare_all(rows[0], rows[1:], draws)
    return [True, *(p >= LEVEL for p in correct_holm([comparison.p for comparison in found]))]


def _to_array(run: Sequence[Counts]) -> Array:
    """Sentences × (tp, fp, fn)."""
    import numpy as np

    return np.array([(c.tp, c.fp, c.fn) for c in run], dtype=np.float64)


def _f1(counts: Array) -> Array:
    """F1 in percent along the last axis (tp, fp, fn), 0 where there is nothing."""
    import numpy as np

    whole = 2 * counts[..., 0] + counts[..., 1] + counts[..., 2]
    return 200 * counts[..., 0] / np.where(whole > 0, whole, 1)
