"""How long and how fast to train."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch.nn import Parameter
from torch.optim import Optimizer


def adamw(parameters: Sequence[Parameter], rate: float) -> Optimizer:
    """AdamW without weight decay, which is Adam."""
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0, fused=True)


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train. With a dev score, it is taken every `dev_every` epochs and after the last, and
    training stops when `patience` epochs have passed since the best one (None: never).

    The rate rises over the first share `warmup` of all steps; with `decay`, it falls to zero over all of them, these
    too, so that it comes to 1 - `warmup` of `learning_rate`.
    Gradients longer than `max_norm` are cut to it. A batch is gone through in at least `parts` pieces.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    dev_every: int = 1
    patience: int | None = None
    decay: bool = True
    warmup: float = 0.0
    max_norm: float | None = None
    parts: int = 1
    optimizer: Callable[[Sequence[Parameter], float], Optimizer] = adamw

    def rate(self, step: int, total: int) -> float:
        """The learning rate of a step, the first being 0."""
        rate = self.learning_rate * (1 - step / total) if self.decay else self.learning_rate
        warm = math.ceil(self.warmup * total)
        return rate * (step + 1) / warm if step < warm else rate
