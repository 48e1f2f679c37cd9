"""A bigram model estimated by maximum likelihood on the text that it is applied to, at the speed of reading.

P(b | a) = c(a, b) / c(a): c(a, b) counts the places where b follows a within a unit, c(a) all places of a, also at the
end of a unit. There are no boundary symbols, so a unit's first token has no surprisal. This is the definition with
which the numbers of the TOPT paper (section 3.4, Tables 5 and 6) come out to every printed digit.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, cycle
from typing import Any, TypeVar

import numpy as np

from . import kernels
from .kernels import Bytes, Hashes, Ids, Ints, Words
from .units import Units

T = TypeVar("T")
SMALL = 1 << 16
"""Counts below are looked up in tables."""
PART = 1 << 16
"""Pairs that are counted at a time: few enough for the cache."""
MOST_WORKERS = 8
WORTH_A_WORKER = 1 << 18
"""Tokens below which another thread costs more than it brings."""
LOGARITHMS = np.log2(np.maximum(np.arange(SMALL), 1))


@dataclass(frozen=True)
class Tokens:
    """A text as numbers: blocks of words, from 1, with a 0 after each unit. `unigrams[w]` counts word w.

    A unit lies in one block.
    """

    blocks: Sequence[Ids]
    unigrams: Ints

    @cached_property
    def tokens(self) -> int:
        """All words of the text."""
        return int(self.unigrams.sum())

    @property
    def types(self) -> int:
        """The number of different words."""
        return len(self.unigrams) - 1

    def sample(self, size: int, random: np.random.Generator) -> Tokens:
        """Units drawn without replacement until they have `size` tokens."""
        blocks, starts, lengths = self._units
        chosen = _draw(lengths, size, random)
        where = zip(blocks[chosen].tolist(), starts[chosen].tolist(), lengths[chosen].tolist(), strict=True)
        ids = np.concatenate([self.blocks[block][start : start + length + 1] for block, start, length in where])
        words, numbers, unigrams = np.unique(ids, return_inverse=True, return_counts=True)
        assert words[0] == 0, "every unit has an end"
        unigrams[0] = 0
        return Tokens([numbers.astype(np.uint32)], unigrams)

    @cached_property
    def _units(self) -> tuple[Ints, Ints, Ints]:
        """Of every unit: the number of its block, where it starts there, its length."""
        ends = [np.flatnonzero(block == 0) for block in self.blocks]
        starts = [np.concatenate([[0], end[:-1] + 1]) for end in ends]
        blocks = np.repeat(np.arange(len(ends)), [len(end) for end in ends])
        return blocks, np.concatenate(starts), np.concatenate(ends) - np.concatenate(starts)


def count_workers() -> int:
    """Threads to compute with: the processors that this process may use, up to eight."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST_WORKERS)


def read(blocks: Iterable[bytes], advance: Callable[[int], None]) -> Tokens:
    """Number the words of a text, split as `str.split` does. `advance` is told of so many more tokens.

    `blocks` are units in UTF-8, a line each. Every thread has a vocabulary of its own; they are made one at the end.
    """
    vocabularies = [Vocabulary() for _ in range(count_workers())]
    made: list[Ids] = []
    with ExitStack() as stack:
        threads = [stack.enter_context(ThreadPoolExecutor(1)) for _ in vocabularies]
        waiting: deque[Future[Ids]] = deque()

        def finish() -> None:
            made.append(waiting.popleft().result())
            advance(len(made[-1]))

        for vocabulary, thread, block in zip(cycle(vocabularies), cycle(threads), blocks):
            if len(waiting) == 2 * len(threads):  # one in work, one ready
                finish()
            waiting.append(thread.submit(vocabulary.encode, block))
        while waiting:
            finish()
    first, *others = vocabularies
    for n, other in enumerate(others, start=1):
        names = first.absorb(other)
        for own in made[n :: len(vocabularies)]:
            np.take(names, own, out=own)
    return Tokens(made, first.counts)


class Vocabulary:
    """Numbers for words, from 1, in order of appearance."""

    def __init__(self) -> None:
        room = 1 << 16
        self.types = 0
        self.table: Hashes = np.zeros(2 * room, np.uint64)
        self.words: Words = np.zeros((room, kernels.COLUMNS_OF_WORDS), np.uint64)
        self.letters: Bytes = np.zeros(8 * room, np.uint8)

    @property
    def counts(self) -> Ints:
        """How often each word was seen; 0 for number 0."""
        return self.words[: self.types + 1, kernels.COUNT].astype(np.int64)

    def encode(self, block: bytes | Bytes) -> Ids:
        """The numbers of a text's words, with a 0 for each line feed; counts them."""
        text = np.frombuffer(block, np.uint8)
        ids = np.empty(len(text) + 1, np.uint32)  # untouched pages cost nothing
        at = n = 0
        while True:
            at, n, self.types = kernels.encode(text, at, ids, n, self.table, self.words, self.letters, self.types)
            if at == len(text):
                return ids[:n].copy()
            self._grow(len(text))

    def absorb(self, other: Vocabulary) -> Ids:
        """Take over another vocabulary; returns the new number of each of its words, 0 for 0."""
        own = self.counts
        names = np.concatenate([[0], self.encode(kernels.spell(other.letters, other.words, other.types))])
        counts = np.zeros(self.types + 1, np.int64)
        counts[: len(own)] = own
        counts[names] += other.counts
        self.words[: self.types + 1, kernels.COUNT] = counts
        return names.astype(np.uint32)

    def _grow(self, least: int) -> None:
        if self.types + 1 >= len(self.words):
            self.words = np.concatenate([self.words, np.zeros_like(self.words)])
            self.table = np.zeros(2 * len(self.words), np.uint64)
            kernels.fill(self.table, self.words, self.types)
        else:
            self.letters = np.concatenate([self.letters, np.zeros(max(len(self.letters), least), np.uint8)])


class Bigrams:
    """The pairs of a text, counted.

    `pairs` is how many there are; `spectrum` maps a count to how many different pairs have it.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        parts = min(count_workers(), 1 + tokens.tokens // WORTH_A_WORKER)
        share = -(-len(tokens.blocks) // parts)
        self._shares = [tokens.blocks[n * share : (n + 1) * share] for n in range(parts)]
        self._bits = np.uint64(max(int(tokens.types).bit_length(), 1))
        split = max(2 * int(self._bits) - 32, (tokens.tokens // PART).bit_length(), 1)
        self._split = np.uint64(min(split, 2 * int(self._bits)))
        sizes = np.stack(_map_parallel(self._measure_sizes, self._shares))
        # Part by part, and within a part share by share: so each thread finds its own pairs again.
        ends = np.cumsum(sizes.T.ravel()).reshape(sizes.T.shape).T
        self._begins: Ints = ends - sizes
        self.pairs = int(sizes.sum())
        self._counts: Ids = np.empty(self.pairs, np.uint32)
        _map_parallel(self._place, self._shares, self._begins)
        bounds = [0, *ends[-1].tolist()]
        tallies = _map_parallel(self._tally, [bounds] * parts, [range(n, len(bounds) - 1, parts) for n in range(parts)])
        small = np.sum([spectrum for spectrum, _ in tallies], axis=0)
        self.spectrum = {int(c): int(small[c]) for c in np.flatnonzero(small)}
        for count in sorted(int(c) for _, large in tallies for c in large):
            self.spectrum[count] = self.spectrum.get(count, 0) + 1

    @property
    def distinct(self) -> int:
        """The number of different pairs of words."""
        return sum(self.spectrum.values())

    def map(self, reduce: Callable[[Units], T], exponent: float = 0.0) -> list[T]:
        """`reduce` of the units of each block, in order. Powers are summed up if there is an `exponent`."""
        unigrams = np.log2(np.maximum(self.tokens.unigrams, 1))

        def work(blocks: Sequence[Ids], begins: Ints) -> list[T]:
            cursors = begins.copy()
            made = []
            for block in blocks:
                out = np.empty((len(kernels.COLUMNS), len(block) - int(np.count_nonzero(block))))
                units = kernels.score(
                    block, self._bits, self._split, cursors, self._counts, LOGARITHMS, unigrams, exponent, out
                )
                length, total, squares, jumps, powers, joint = out[:, :units]
                joint /= max(self.pairs, 1)
                made.append(reduce(Units(length, length - 1, total, squares, jumps, powers, joint)))
            return made

        return list(chain.from_iterable(_map_parallel(work, self._shares, self._begins)))

    def _measure_sizes(self, blocks: Sequence[Ids]) -> Ints:
        sizes = np.zeros(1 << int(self._split), np.int64)
        for block in blocks:
            kernels.measure(block, self._bits, self._split, sizes)
        return sizes

    def _place(self, blocks: Sequence[Ids], begins: Ints) -> None:
        cursors = begins.copy()
        for block in blocks:
            kernels.place(block, self._bits, self._split, cursors, self._counts)

    def _tally(self, bounds: Sequence[int], parts: Iterable[int]) -> tuple[Ints, list[np.int64]]:
        spectrum = np.zeros(min(SMALL, self.pairs + 1), np.int64)
        large: list[np.int64] = []
        for part in parts:
            large += kernels.tally(self._counts[bounds[part] : bounds[part + 1]], spectrum)
        return spectrum, large


def _map_parallel(work: Callable[..., T], *arguments: Iterable[Any]) -> list[T]:
    """What `map` gives, a thread for each item."""
    calls = list(zip(*arguments, strict=True))
    if len(calls) == 1:
        return [work(*calls[0])]
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(work, *call) for call in calls]]


def _draw(lengths: Ints, size: int, random: np.random.Generator) -> Ints:
    """Numbers of units, each once, at random, until they have `size` tokens."""
    total = int(lengths.sum())
    if size * 4 < total:  # few of many: no need to shuffle them all
        some = random.integers(len(lengths), size=int(2 * size * len(lengths) / total) + 16)
        _, first = np.unique(some, return_index=True)
        order = some[np.sort(first)]
    if size * 4 >= total or int(lengths[order].sum()) < size:
        order = random.permutation(len(lengths))
    enough = int(np.searchsorted(np.cumsum(lengths[order]), size)) + 1
    return order[:enough]
