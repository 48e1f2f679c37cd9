"""One step of gradient descent: at the schedule's rate, clipped, in as many parts as memory needs."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence, Sized
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import torch

from cdner_bench import CdnerError

from .batches import split
from .learner import NEVER, Learner
from .schedule import Schedule

Item = TypeVar("Item", bound=Sized)


class Descent(Generic[Item]):
    """A learner's weights on their way through `total` steps.

    `parts` is into how many pieces a batch is split at least; it doubles whenever memory runs out. `phase` names the
    training in errors.
    """

    def __init__(self, learner: Learner[Item], schedule: Schedule, total: int, phase: str, log: logging.Logger) -> None:
        self.learner, self.schedule, self.total = learner, schedule, total
        self.phase, self.log = phase, log
        self.parameters = [parameter for _, parameter in learner.learnt()]
        with fitting(f"{phase}: gradients: out of memory", learner.relief):
            for parameter in self.parameters:
                # What a batch says nothing of moves by its moments, also in a training that is gone on with.
                parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
        self.optimizer = schedule.optimizer(self.parameters, schedule.learning_rate)
        self.parts = schedule.parts
        self.spare = learner.spare if all(p.device.type == "cpu" for p in self.parameters) else NEVER

    def step(self, number: int, batch: Sequence[Item]) -> float:
        """Change the weights by a batch, and return its mean loss before. `number` counts steps from 0.

        Raises `CdnerError` if the loss is not finite, or if one item or the optimizer's moments do not fit into memory.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(number, self.total) * group.get("factor", 1.0)
        self.learner.network.train()
        loss = self._gradients(batch)
        if not math.isfinite(loss):
            raise CdnerError(f"{self.phase}: training diverged: the loss is {loss}", hint="lower its learning rate")
        if self.schedule.max_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.schedule.max_norm)
        with fitting(f"{self.phase}: the optimizer's moments: out of memory", self.learner.relief):
            self.optimizer.step()
        return loss

    def _gradients(self, batch: Sequence[Item]) -> float:
        """The mean loss over the terms of a batch, and its gradient, in as many parts as memory needs. What moves by no
        gradient is put back before another try.
        """
        terms = max(1, self.learner.terms(batch))
        moving = [(p, p.detach().clone()) for p in self.parameters if not p.requires_grad]
        while True:
            self.optimizer.zero_grad(set_to_none=False)  # that of embeddings is large: keep its memory
            try:
                size = -(-len(batch) // self.parts)
                parts = split(batch, size, self.learner.cells, self.spare)
                return sum(self._part(part, terms) for part in parts)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if self.parts >= len(batch):
                    raise CdnerError(
                        f"{self.phase}: out of memory with one sentence at a time", hint=self.learner.relief
                    ) from error
            for parameter, before in moving:
                parameter.data.copy_(before)
            torch.cuda.empty_cache()  # where a library wants memory of its own, there is none beside PyTorch's
            self.parts *= 2
            self.log.warning("out of memory: batches are made in %d parts from now on", self.parts)

    def _part(self, part: Sequence[Item], terms: int) -> float:
        loss = self.learner.loss(part) / terms
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()


_TOLD = (
    "can't allocate memory",  # the CPU allocator
    "not enough memory",  # the same on Windows
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED",  # there was no room for its workspace
    "CUDNN_STATUS_ALLOC_FAILED",
)


def out_of_memory(error: BaseException) -> bool:
    """Whether a device ran out of memory, which only PyTorch's own allocator on a GPU says by a type of its own."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _TOLD)


@contextmanager
def fitting(message: str, relief: str) -> Iterator[None]:
    """Raise `CdnerError` with a message and what to do, where what the block makes does not fit into memory."""
    try:
        yield
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise CdnerError(message, hint=relief) from error


def move_network(network: Any, device: str, relief: str) -> Any:
    """A network on the device that computes it. Raises `CdnerError` if it does not fit there."""
    with fitting("the backbone: out of memory", relief):
        return network.to(device)
