"""What is answered, in groups: as many at once as fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from cdner_bench import CdnerError

from .batches import bounded
from .descent import out_of_memory

Item = TypeVar("Item")
Said = TypeVar("Said")


class Portions:
    """How much is answered at once: at most `size` items and `cells`, as `bounded` counts them. When memory runs out it
    is less from then on.
    """

    def __init__(self, size: int, cells: int) -> None:
        self.size, self.cells = size, cells

    def answer(
        self, items: Sequence[Item], length: Callable[[Item], int], say: Callable[[list[Item]], Said]
    ) -> Iterator[tuple[list[Item], Said]]:
        """Items in consecutive groups, each with what is said of it. Raises `CdnerError` if one item alone does not fit
        into memory.
        """
        left = items
        while left:
            group = next(bounded(left, self.size, self.cells, length))
            try:
                said = say(group)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if len(group) == 1:
                    raise CdnerError(
                        "out of memory with one answer at a time", hint="take a smaller backbone"
                    ) from error
            else:
                yield group, said
                left = left[len(group) :]
                continue
            self.cells = len(group) * max(map(length, group)) ** 2 // 2
            torch.cuda.empty_cache()  # what the error held is let go by now
