"""In which order batches of target and source come, and how fast what learns from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from cdner_torch.batches import shuffle
from cdner_torch.schedule import Schedule

from .encoding import Example
from .options import Source, Target

SLOWING = 0.03
DECAY = 1e-8
"""The weight decay of plain gradient descent."""


@dataclass(frozen=True)
class Slowing(Schedule):
    """A rate that is divided by 1 + 0.03 · epoch."""

    def rate(self, step: int, total: int) -> float:
        """See `Schedule`."""
        return self.learning_rate / (1 + SLOWING * (step * self.epochs // total))


class Alternating:
    """Batches of the target with those of sources between them, each of a source that is drawn at random.

    All batches of sources that training asks for are drawn beforehand: one source follows another through its
    sentences, shuffled anew each time.
    """

    def __init__(
        self, target: Sequence[Example], sources: Sequence[Sequence[Example]], source: Source, group: Target, seed: int
    ) -> None:
        self.target, self.size, self.seed = target, group.batch_size, seed
        self.own = -(-len(target) // self.size)
        pools = [pool for pool in sources if pool]
        whole = sum(-(-len(pool) // self.size) for pool in pools)
        each = self.own if source.epochs is None else max(1, round(source.epochs * whole / group.epochs))
        self.others = each if pools and self.own else 0
        self.steps = self.own + self.others
        self.drawn = _draw(pools, self.others * group.epochs, self.size, torch.Generator().manual_seed(seed))

    def batches(self, epoch: int) -> Iterator[list[Example]]:
        """Those of one epoch, the same whenever they are asked for: evenly mixed, one of the target first."""
        others = self.drawn[epoch * self.others : (epoch + 1) * self.others]
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        given = 0
        for n, batch in enumerate(shuffle(self.target, self.size, generator), start=1):
            yield batch
            due = self.others * n // self.own
            yield from others[given:due]
            given = due


def _draw(pools: Sequence[Sequence[Example]], count: int, size: int, generator: torch.Generator) -> list[list[Example]]:
    left: list[list[list[Example]]] = [[] for _ in pools]
    drawn = []
    for _ in range(count):
        pool = int(torch.randint(len(pools), (), generator=generator))
        left[pool] = left[pool] or shuffle(pools[pool], size, generator)
        drawn.append(left[pool].pop())
    return drawn


@dataclass(frozen=True)
class Rates:
    """Makes the optimizer, in which the encoder's parameters have a rate of their own."""

    encoder: Sequence[Parameter]
    group: Target

    def __call__(self, parameters: Sequence[Parameter], rate: float) -> Optimizer:
        """See `Schedule.optimizer`."""
        slow = {id(parameter) for parameter in self.encoder}
        parts = [
            {"params": [p for p in parameters if id(p) not in slow], "factor": 1.0},
            {"params": [p for p in parameters if id(p) in slow], "factor": self.group.encoder_rate},
        ]
        chosen = [part for part in parts if part["params"]]
        if self.group.optimizer == "adam":
            return torch.optim.AdamW(chosen, lr=rate, weight_decay=0.0, fused=True)
        return torch.optim.SGD(chosen, lr=rate, weight_decay=DECAY)


def make_schedule(group: Target, dev_every: int, encoder: Sequence[Parameter]) -> Schedule:
    """The schedule that the options ask for."""
    kind = Slowing if group.schedule == "inverse" else Schedule
    return kind(
        group.epochs,
        group.batch_size,
        group.learning_rate,
        dev_every,
        group.patience,
        decay=group.schedule == "linear",
        max_norm=group.clip,
        optimizer=Rates(encoder, group),
    )
