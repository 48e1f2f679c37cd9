"""The training loop of text-to-text models: resumable at any step, the best on dev kept."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from cdner_bench import CdnerError, RunContext

from . import weights
from .batches import blocks, by_length, shuffled
from .generators import Backbone, Example, out_of_memory

CHECKPOINT = "checkpoint.safetensors"
CHECKPOINT_SECONDS = 120.0


def adamw(parameters: Sequence[Parameter], rate: float) -> Optimizer:
    """AdamW without weight decay."""
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0, fused=True)


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train. With a dev score, it is taken every `dev_every` epochs.

    The rate rises over the first share `warmup` of all steps; with `decay`, it falls to zero over all of them.
    Gradients longer than `max_norm` are cut to it. A batch is gone through in at least `parts` pieces.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    dev_every: int = 1
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


class Data(Protocol):
    """Where batches come from. `steps` is how many an epoch has."""

    steps: int

    def batches(self, epoch: int) -> Iterator[list[Example]]:
        """The batches of one epoch, the same whenever they are asked for."""


class InMemory:
    """Examples that fit into memory, in random batches of similar length. `draw` makes those of an epoch."""

    def __init__(self, draw: Callable[[int], Sequence[Example]], batch_size: int, seed: int) -> None:
        self.draw, self.batch_size, self.seed = draw, batch_size, seed
        self.steps = -(-len(draw(0)) // batch_size)

    def batches(self, epoch: int) -> Iterator[list[Example]]:
        """Shuffled anew each epoch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        yield from shuffled(self.draw(epoch), self.batch_size, generator, size)


class Streamed:
    """Examples read one after the other, in batches of similar length within a stretch of 64."""

    def __init__(
        self,
        pairs: Callable[[int], Iterator[tuple[str, str]]],
        count: int,
        backbone: Backbone,
        batch_size: int,
    ) -> None:
        self.pairs, self.backbone, self.batch_size = pairs, backbone, batch_size
        whole, rest = divmod(count, 64 * batch_size)
        self.steps = whole * 64 + -(-rest // batch_size)

    def batches(self, epoch: int) -> Iterator[list[Example]]:
        """In the order of the text."""
        pairs = self.pairs(epoch)
        while stretch := list(islice(pairs, 64 * self.batch_size)):
            yield from by_length(self.backbone.encode(stretch), self.batch_size, size)


def size(example: Example) -> int:
    """How long an example is: what batches are grouped by."""
    return len(example.source) + len(example.target)


def train(
    backbone: Backbone,
    data: Data,
    schedule: Schedule,
    phase: str,
    run: RunContext,
    place: Path,
    dev_f1: Callable[[], float] | None = None,
) -> None:
    """Train, and leave the last weights (with `dev_f1`, the best) as `place/model.safetensors`.

    An interrupted stage goes on from its last checkpoint and ends with the weights of an uninterrupted one.
    """
    _Training(backbone, data, schedule, phase, run, place).go(dev_f1)


@dataclass
class _State:
    """Where a stage has come to; `parts` is into how many a batch is split for want of memory."""

    step: int = 0
    parts: int = 1
    best: float = 0.0
    seconds: float = 0.0
    sentences: int = 0


class _Training:
    def __init__(
        self, backbone: Backbone, data: Data, schedule: Schedule, phase: str, run: RunContext, place: Path
    ) -> None:
        self.backbone, self.data, self.schedule = backbone, data, schedule
        self.phase, self.run, self.place = phase, run, place
        self.learnt = dict(backbone.learnt())
        self.optimizer = schedule.optimizer(list(self.learnt.values()), schedule.learning_rate)
        self.total = schedule.epochs * data.steps
        self.state = _State(parts=schedule.parts)
        self.numbers: dict[str, float] = {}

    def go(self, dev_f1: Callable[[], float] | None) -> None:
        torch.manual_seed(self.run.seed)
        self._resume()
        earlier = self.state.seconds
        saved = begun = time.monotonic()
        with self.run.phase(self.phase) as clock:
            while self.state.step < self.total:
                epoch, skip = divmod(self.state.step, self.data.steps)
                for batch in islice(self.data.batches(epoch), skip, None):
                    self._step(batch)
                    ended, last = self.state.step % self.data.steps == 0, self.state.step == self.total
                    if dev_f1 and ended and (last or (epoch + 1) % self.schedule.dev_every == 0):
                        self._judge(dev_f1(), epoch)
                    if time.monotonic() - saved > CHECKPOINT_SECONDS and not last:
                        self.state.seconds = earlier + time.monotonic() - begun
                        self._save()
                        saved = time.monotonic()
            clock.epochs, clock.sentences = self.schedule.epochs, self.state.sentences
        clock.seconds += earlier
        if not (self.place / weights.NAME).exists():
            self.backbone.keep(self.place)
        (self.place / CHECKPOINT).unlink(missing_ok=True)

    def _step(self, batch: Sequence[Example]) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(self.state.step, self.total)
        self.backbone.network.train()
        loss = self._gradients(batch)
        if not math.isfinite(loss):
            raise CdnerError(f"{self.phase}: training diverged, the loss is {loss}", hint="lower its learning rate")
        if self.schedule.max_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.learnt.values(), self.schedule.max_norm)
        self.optimizer.step()
        self.state.step += 1
        self.state.sentences += len(batch)
        self.numbers["loss"] = loss
        self.run.progress(self.state.step, self.total, **self.numbers)

    def _gradients(self, batch: Sequence[Example]) -> float:
        """The mean loss over the target tokens of a batch, and its gradient, in as many parts as memory needs."""
        targets = sum(len(e.target) for e in batch)
        while True:
            self.optimizer.zero_grad(set_to_none=False)
            try:
                return sum(self._part(part, targets) for part in blocks(batch, -(-len(batch) // self.state.parts)))
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if self.state.parts >= len(batch):
                    raise CdnerError(
                        f"{self.phase}: out of memory with one sentence at a time",
                        hint="take a smaller backbone, or -o max_source=128",
                    ) from error
            self.state.parts *= 2
            self.run.log.warning("out of memory: batches are made in %d parts from now on", self.state.parts)

    def _part(self, part: Sequence[Example], targets: int) -> float:
        loss = self.backbone.loss(part) / targets
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def _judge(self, score: float, epoch: int) -> None:
        self.numbers["dev_f1"] = score
        self.run.log.info("%s: epoch %d, loss %.4f, dev %.2f", self.phase, epoch + 1, self.numbers["loss"], score)
        if score > self.state.best:
            self.state.best = score
            self.backbone.keep(self.place)

    def _save(self) -> None:
        """Weights, the optimizer's moments, the random state and the position: one file, whole or not there."""
        tensors: dict[str, Tensor] = {"random": torch.get_rng_state()}
        if self.run.device == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state()
        for name, parameter in self.learnt.items():
            moments = self.optimizer.state.get(parameter, {})  # none for what has no gradient
            tensors |= {f"weight.{name}": parameter.detach()}
            tensors |= {f"{moment}.{name}": torch.as_tensor(value) for moment, value in moments.items()}
        metadata = {"state": json.dumps(asdict(self.state))}
        weights.keep(tensors, self.place / CHECKPOINT, metadata)

    def _resume(self) -> None:
        path = self.place / CHECKPOINT
        kept: dict[str, Tensor] = {}
        try:
            if path.exists():
                kept = load_file(path)
                with safe_open(path, "pt") as file:
                    self.state = _State(**json.loads(file.metadata()["state"]))
        except (OSError, SafetensorError) as error:
            self.run.log.warning("%s: beginning anew, the checkpoint cannot be read: %s", self.phase, error)
            kept = {}
        if not kept:
            (self.place / weights.NAME).unlink(missing_ok=True)
            return
        self.backbone.load({name: kept[f"weight.{name}"] for name in self.learnt})
        number = {name: n for n, name in enumerate(self.learnt)}
        moments: dict[int, dict[str, Tensor | int | float]] = {}
        for key, tensor in kept.items():
            moment, _, name = key.partition(".")
            if moment not in ("weight", "random"):  # an optimizer that counts its steps in an int gets an int
                value = tensor.item() if tensor.dtype == torch.int64 and not tensor.ndim else tensor
                moments.setdefault(number[name], {})[moment] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        torch.set_rng_state(kept["random"])
        if self.run.device == "cuda" and "random.cuda" in kept:
            torch.cuda.set_rng_state(kept["random.cuda"])
        self.run.log.info("%s: going on at step %d of %d", self.phase, self.state.step, self.total)
