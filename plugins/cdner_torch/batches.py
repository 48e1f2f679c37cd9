"""Items drawn from pools and put into groups of similar length, and rows of ids as tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

Item = TypeVar("Item")

IGNORED = -100
"""The label of a position that the loss leaves out."""


def padded(rows: Sequence[Sequence[int]], pad: int, *, left: bool = False) -> Tensor:
    """Rows of ids as a tensor (rows, longest row), padded on the right or on the left."""
    out = torch.full((len(rows), max(map(len, rows))), pad)
    for n, row in enumerate(rows):
        if row:
            out[n, -len(row) if left else 0 : None if left else len(row)] = torch.tensor(row)
    return out


def sample(items: Sequence[Item], count: int | None, generator: torch.Generator) -> list[Item]:
    """At most `count` items (None: all), drawn at random, in their own order."""
    return [items[i] for i in sorted(torch.randperm(len(items), generator=generator)[:count].tolist())]


def mixture(pools: Sequence[Sequence[Item]], generator: torch.Generator, *, sqrt: bool = True) -> list[Item]:
    """The items of one epoch over several pools: as many as there are, shared out by size or by its square root.

    A pool that gets more than it has is gone through several times.
    """
    if not sqrt or len(pools) == 1:
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


def by_length(items: Sequence[Item], size: int, length: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Groups of `size` items of similar length, longest first."""
    ordered = sorted(items, key=lambda item: -length(item))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def shuffled(
    items: Sequence[Item], size: int, generator: torch.Generator, length: Callable[[Item], int]
) -> list[list[Item]]:
    """Random groups of `size` items, of similar length within each stretch of 16 groups, in random order."""
    order = torch.randperm(len(items), generator=generator).tolist()
    groups = [
        group for stretch in blocks(order, 16 * size) for group in by_length([items[i] for i in stretch], size, length)
    ]
    return [groups[i] for i in torch.randperm(len(groups), generator=generator).tolist()]
