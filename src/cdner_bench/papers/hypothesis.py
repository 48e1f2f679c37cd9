"""Hypothesis 3.2 of the TOPT paper as a test: a model learns more from a corpus whose information is spread evenly.

A pair is a corpus: the variance of its UID, and the F1 of what learnt from it. The hypothesis says that they are
correlated negatively. Pairs are compared by rank (Spearman), once over all of them and once within domains. Domains
differ in difficulty and in vocabulary, which moves F1 and variance at once: over all pairs the correlation is
confounded, within domains it is not. Ranks within a domain are used rather than differences from its mean, because a
step in variance need not mean the same in two domains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..scoring import Spearman, spearman

UID, VARIANCE = "uid", "variance"
"""The analysis, and its number, that the hypothesis is about."""

NUMBERS = (VARIANCE, "sample_variance")
"""What is tested: the paper's number, and the same at equal size, because a larger corpus has more variance."""


@dataclass(frozen=True)
class Pair:
    """A corpus of a domain: the variance of its UID, and F1 in percent after learning from it."""

    domain: str
    corpus: str
    variance: float
    f1: float


@dataclass(frozen=True)
class Series:
    """Pairs that may be compared: everything but the corpus is the same. `source`: `measured`, or tables of the paper.

    `row` is the row of options of the analysis behind the variances, empty for printed ones, `number` which variance
    it is; `versions` counts the revisions of the method behind the scores. `chosen_by` are the options of the method
    that choose the corpus.
    """

    source: str
    setting: str
    method: str
    backbone: str
    preset: str | None
    pairs: Sequence[Pair]
    row: str = ""
    versions: int = 1
    number: str = VARIANCE
    chosen_by: Sequence[str] = ()

    def run_tests(self) -> dict[str, Spearman]:
        """Over all pairs, and within domains: there, a domain with one corpus has nothing to say, and is left out."""
        domains: dict[str, list[tuple[float, float]]] = {}
        for pair in self.pairs:
            domains.setdefault(pair.domain, []).append((pair.variance, pair.f1))
        compared = [block for block in domains.values() if len(block) > 1]
        every = [(pair.variance, pair.f1) for pair in self.pairs]
        return {"all pairs": correlate([every]), "within domains": correlate(compared)}


def correlate(blocks: Sequence[Sequence[tuple[float, float]]]) -> Spearman:
    """Spearman's rho of (UID variance, F1), ranked within each block."""
    return spearman(blocks, ("UID variances", "F1 values"), "domain")


def read(test: Spearman) -> str:
    """What a test says of the hypothesis, at the level of 5 %."""
    if test.rho is None or test.p is None:
        return test.reason
    said = "undecided" if test.p >= 0.05 else "as predicted" if test.rho < 0 else "against the prediction"
    return f"{said}; {test.reason}" if test.reason else said
