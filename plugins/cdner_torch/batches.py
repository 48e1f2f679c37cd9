"""Groups of items of similar length, and rows of ids as tensors."""

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
