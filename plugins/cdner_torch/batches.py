"""Items drawn from pools and put into groups of similar length, where batches come from, and rows of ids as tensors.

An item's length, `len(item)`, is what it costs to compute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import replace
from itertools import islice
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from cdner_bench import Corpus

Item = TypeVar("Item")
Long = TypeVar("Long", bound=Sized)

IGNORED = -100
"""The label of a position that the loss leaves out."""


class Data(Protocol[Item]):
    """Where batches come from. `steps` is how many an epoch has."""

    steps: int

    def batches(self, epoch: int) -> Iterator[list[Item]]:
        """The batches of one epoch (from 0), the same whenever they are asked for."""


class InMemory(Generic[Long]):
    """Items that fit into memory, in random batches of similar length. `draw` makes those of an epoch."""

    def __init__(self, draw: Callable[[int], Sequence[Long]], batch_size: int, seed: int) -> None:
        self.draw, self.batch_size, self.seed = draw, batch_size, seed
        self.steps = -(-len(draw(0)) // batch_size)

    def batches(self, epoch: int) -> Iterator[list[Long]]:
        """Shuffled anew each epoch, from random numbers of its own."""
        yield from shuffle(self.draw(epoch), self.batch_size, _seeded(self.seed, epoch))


class Streamed(Generic[Item, Long]):
    """Items made of what is read one after the other, in batches of similar length within a stretch of 64, shuffled
    within it.

    `read` begins an epoch's reading of `count` things, `encode` makes an item of each of a stretch.
    """

    def __init__(
        self,
        read: Callable[[int], Iterator[Item]],
        count: int,
        encode: Callable[[Sequence[Item]], Sequence[Long]],
        batch_size: int,
        seed: int,
    ) -> None:
        self.read, self.encode, self.batch_size, self.seed = read, encode, batch_size, seed
        whole, rest = divmod(count, 64 * batch_size)
        self.steps = whole * 64 + -(-rest // batch_size)

    def batches(self, epoch: int) -> Iterator[list[Long]]:
        """The stretches in the order of the text."""
        reading, generator = self.read(epoch), _seeded(self.seed, epoch)
        while stretch := list(islice(reading, 64 * self.batch_size)):
            yield from shuffle(self.encode(stretch), self.batch_size, generator)


class OneStream(Generic[Item]):
    """Batches for which all epochs draw from one stream of random numbers, each where the one before it ended.

    Where an epoch begins in the stream is remembered; if that is not known, because a training is gone on with, the
    epochs before it are drawn once more. `draw` must make as many batches in each.
    """

    def __init__(self, draw: Callable[[torch.Generator], Iterable[list[Item]]], seed: int) -> None:
        self._draw = draw
        self._begins = [torch.Generator().manual_seed(seed).get_state()]
        self.steps = sum(1 for _ in self.batches(0))

    def batches(self, epoch: int) -> Iterator[list[Item]]:
        """Drawn from the stream as far as they are asked for."""
        while len(self._begins) <= epoch:
            deque(self.batches(len(self._begins) - 1), maxlen=0)
        generator = torch.Generator()
        generator.set_state(self._begins[epoch])
        yield from self._draw(generator)
        if len(self._begins) == epoch + 1:
            self._begins.append(generator.get_state())


def pad_rows(rows: Sequence[Sequence[int]], pad: int, *, left: bool = False) -> Tensor:
    """Rows of ids as a tensor (rows, longest row), padded on the right or on the left."""
    out = torch.full((len(rows), max(map(len, rows))), pad)
    for n, row in enumerate(rows):
        if row:
            out[n, -len(row) if left else 0 : None if left else len(row)] = torch.tensor(row)
    return out


def draw_source(source: Corpus, sentences: int | None, generator: torch.Generator, *, dev: bool = True) -> Corpus:
    """What is learnt of a source domain: at most so many of its train sentences (None: all), drawn at random, in their
    own order; with its dev split if that chooses the epoch.
    """
    drawn = sorted(torch.randperm(len(source.train), generator=generator)[:sentences].tolist())
    return replace(source, train=tuple(source.train[n] for n in drawn), dev=source.dev if dev else ())


def mix(pools: Sequence[Sequence[Item]], generator: torch.Generator, *, sqrt: bool = True) -> list[Item]:
    """The items of one epoch over several pools: as many as there are, shared out by size or by its square root.

    A pool that gets more than it has is gone through several times.
    """
    if not sqrt or len(pools) == 1 or not any(pools):
        return [item for pool in pools for item in pool]
    shares = [len(pool) ** 0.5 for pool in pools]
    everything = sum(map(len, pools))
    chosen: list[Item] = []
    for pool, share in zip(pools, shares, strict=True):
        wanted = round(everything * share / sum(shares))
        while wanted > 0:
            order = torch.randperm(len(pool), generator=generator)[:wanted].tolist()
            chosen += [pool[i] for i in order]
            wanted -= len(order)
    return chosen


def blocks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Consecutive stretches, so that results come before the last item is read."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def bounded(items: Iterable[Item], size: int, cells: int, length: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Consecutive groups of at most `size` items and, padded to the longest, at most `cells`: items × longest², which
    is what attention computes and what memory goes by. An item that is longer alone is a group of its own.
    """
    group: list[Item] = []
    longest = 0
    for item in items:
        longest = max(longest, length(item))
        if group and (len(group) == size or (len(group) + 1) * longest**2 > cells):
            yield group
            group, longest = [], length(item)
        group.append(item)
    if group:
        yield group


def split(items: Sequence[Long], size: int, cells: int, spare: int) -> list[list[Long]]:
    """Groups of similar length, longest first, each of at most `size` items and, padded, `cells` (as `bounded` counts
    them), that cost least: a group costs its tokens, padding included, and `spare` tokens more. Items of a group are in
    the order in which they came.
    """
    ordered = sorted(range(len(items)), key=lambda n: len(items[n]))
    cheapest = [(0, 0)]  # what the shortest items cost, none, one and so on, and where the last group of these begins
    for end in range(1, len(ordered) + 1):
        longest = len(items[ordered[end - 1]])
        fitting = max(1, min(size, end, cells // max(1, longest) ** 2))
        begins = range(end - fitting, end)
        cheapest.append(min((cheapest[n][0] + (end - n) * longest + spare, n) for n in begins))
    groups, end = [], len(ordered)
    while end:
        begin = cheapest[end][1]
        groups.append([items[n] for n in sorted(ordered[begin:end])])
        end = begin
    return groups


def group_by_length(items: Sequence[Long], size: int) -> Iterator[list[Long]]:
    """Groups of `size` items of similar length, longest first."""
    ordered = sorted(items, key=lambda item: -len(item))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def shuffle(items: Sequence[Long], size: int, generator: torch.Generator) -> list[list[Long]]:
    """Random groups of `size` items in random order, of similar length within a stretch of at most 16 groups.

    A stretch is no more than a sixteenth of all items, so that a small set is grouped otherwise whenever it is
    shuffled: below 32 groups, length plays no part.
    """
    order = torch.randperm(len(items), generator=generator).tolist()
    stretch = max(1, min(16, len(items) // (16 * size))) * size
    groups = [group for part in blocks(order, stretch) for group in group_by_length([items[i] for i in part], size)]
    return [groups[i] for i in torch.randperm(len(groups), generator=generator).tolist()]


def _seeded(seed: int, epoch: int) -> torch.Generator:
    """The random numbers of one epoch."""
    return torch.Generator().manual_seed(seed * 1_000_003 + epoch)
