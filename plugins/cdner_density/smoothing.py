"""Bigram models that know what they have not seen, estimated on one part of a corpus and applied to another.

A bigram model by maximum likelihood can only be applied to the text that it was estimated on, and flatters it: the
smaller the corpus, the more of its pairs are the only ones that begin as they do, and certain. Held out, that ends.
Everything is in memory, as arrays: meant for tens of millions of tokens, not for more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdner_bench import DataError

from .bigrams import Tokens
from .units import Floats, Ints, Units


@dataclass(frozen=True)
class BigramCounts:
    """What a model is estimated on: how often each pair of the corpus stands in the training part.

    `first` and `second` are the words of the pairs, `count` maybe 0; `types` the different words of the corpus.
    """

    first: Ints
    second: Ints
    count: Ints
    types: int

    def sum_by_word(self, words: Ints, weights: Ints | None = None) -> Floats:
        """Sums of `weights` (or numbers) of pairs by a word."""
        sums: Floats = np.bincount(words, weights=weights, minlength=self.types + 1).astype(float)
        return sums


Model = Callable[[BigramCounts], Floats]
"""From counts to the probability of each pair of the corpus, seen in training or not."""


def add_k(k: float) -> Model:
    """P(b | a) = (c(a, b) + k) / (c(a, ·) + k (V + 1)), V the types of the training part, and one for all others."""

    def probabilities(counts: BigramCounts) -> Floats:
        context = counts.sum_by_word(counts.first, counts.count)[counts.first]
        return (counts.count + k) / (context + k * (_count_known(counts) + 1))

    return probabilities


def kneser_ney(counts: BigramCounts) -> Floats:
    """Interpolated Kneser-Ney (Chen and Goodman 1999, section 2.7), down to a uniform distribution over V + 1 words.

    The discount is n1 / (n1 + 2 n2), of n1 pairs seen once and n2 seen twice; 1/2 where no pair was seen once.
    """
    seen = counts.count > 0
    once, twice = int(np.sum(counts.count == 1)), int(np.sum(counts.count == 2))
    discount = once / (once + 2 * twice) if once else 0.5
    kinds = max(int(seen.sum()), 1)
    before = counts.sum_by_word(counts.second[seen])  # in how many contexts a word has been seen
    spread = discount * int(np.sum(before > 0)) / kinds
    lower = np.maximum(before - discount, 0) / kinds + (spread or 1.0) / (_count_known(counts) + 1)
    context = counts.sum_by_word(counts.first, counts.count)[counts.first]
    after = counts.sum_by_word(counts.first[seen])[counts.first]
    known = np.maximum(context, 1)
    own = np.maximum(counts.count - discount, 0) / known
    return np.where(context > 0, own + discount * after / known * lower[counts.second], lower[counts.second])


def score_held_out(tokens: Tokens, model: Model, folds: int, exponent: float, random: np.random.Generator) -> Units:
    """Sums over units, each scored by a model estimated on the units of the other `folds` (1: on all, itself too).

    Raises `DataError` if there is one unit only, and so no other.
    """
    ids = np.concatenate(tokens.blocks).astype(np.int64)
    ends = ids == 0
    unit = np.cumsum(ends) - ends
    at = np.flatnonzero(~ends[:-1] & ~ends[1:])
    length = np.bincount(unit[~ends], minlength=int(ends.sum()))
    filled = np.cumsum(length > 0) - 1  # the number of a unit among those that have tokens
    units = int(np.count_nonzero(length))
    if folds > units == 1:
        raise DataError("a held-out model needs two units, there is one", hint="take a smaller unit, or -o folds=1")
    pair = ids[at] * (tokens.types + 1) + ids[at + 1]
    distinct, which = np.unique(pair, return_inverse=True)
    first, second = np.divmod(distinct, tokens.types + 1)
    everywhere = np.bincount(which, minlength=len(distinct))
    fold = random.permutation(np.arange(units) % folds)[filled[unit[at]]]
    surprisal = np.empty(len(at))
    for n in range(folds):
        inside = fold == n
        left_out = which[inside] if folds > 1 else which[:0]
        count = everywhere - np.bincount(left_out, minlength=len(distinct))
        probabilities = model(BigramCounts(first, second, count, tokens.types))
        surprisal[inside] = -np.log2(probabilities[which[inside]])
    return _sum_by_unit(surprisal, unit[at], at, length, exponent)


def _sum_by_unit(surprisal: Floats, unit: Ints, at: Ints, length: NDArray[Any], exponent: float) -> Units:
    def sum_up(values: NDArray[Any]) -> Floats:
        return np.asarray(np.bincount(unit, values, len(length))[length > 0], float)

    neighbours = np.diff(at, prepend=-2) == 1
    jumps = np.where(neighbours, np.diff(surprisal, prepend=0.0), 0.0)
    total = sum_up(surprisal)
    return Units(
        length=length[length > 0].astype(float),
        scored=sum_up(np.ones(len(surprisal))),
        total=total,
        squares=sum_up(surprisal**2),
        jumps=sum_up(jumps**2),
        powers=sum_up(surprisal**exponent),
        joint=np.zeros_like(total),
    )


def _count_known(counts: BigramCounts) -> int:
    """The types of the training part."""
    seen = counts.count > 0
    return len(np.unique(np.concatenate([counts.first[seen], counts.second[seen]])))
