"""The training loop: resumable at any step, the best on dev kept, stopped when dev gets no better."""

from __future__ import annotations

import time
from collections.abc import Sized
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch

from cdner_bench import CdnerError, Doubt, PluginError, RunContext

from . import checkpoint, weights
from .batches import Data
from .checkpoint import Checkpoint
from .descent import Descent, fitting
from .judge import Judge
from .learner import Learner
from .schedule import Schedule

Item = TypeVar("Item", bound=Sized)

CHECKPOINT_SECONDS = 120.0
"""How much work a killed training loses at most; more where keeping it takes over a twentieth of two minutes."""


def train(
    learner: Learner[Item],
    data: Data[Item],
    schedule: Schedule,
    phase: str,
    run: RunContext,
    place: Path,
    judge: Judge | None = None,
) -> None:
    """Train, and leave the last weights (with a `judge`, the best ones above 0) as `place/model.safetensors`.

    Random draws in training, such as dropout's, go on from the state of torch's generator, which the caller has
    seeded. An interrupted training goes on from its last checkpoint in `place` and ends with the weights of an
    uninterrupted one. Judging is a phase of its own, `dev`. Raises `CdnerError` for a loss or weights that are not
    finite and for want of memory, `PluginError` for data with fewer batches than they say; no step at all, or nothing
    right on dev, is a reason to doubt the run.
    """
    _Loop(learner, data, schedule, phase, run, place).go(judge)


@dataclass
class _Position:
    """Where a training has come to. `parts` is into how many pieces a batch is split for want of memory; `best` and
    `best_epoch` (from 1) are the best dev score and its epoch. `seconds` are those of learning, `dev_seconds` those of
    judging. `loss` is the sum over the steps of the epoch that is going on, `curve` what the others came to.
    """

    step: int = 0
    parts: int = 1
    best: float = 0.0
    best_epoch: int = 0
    seconds: float = 0.0
    sentences: int = 0
    dev_seconds: float = 0.0
    dev_sentences: int = 0
    loss: float = 0.0
    curve: list[dict[str, Any]] = field(default_factory=list)


class _Loop(Generic[Item]):
    def __init__(
        self, learner: Learner[Item], data: Data[Item], schedule: Schedule, phase: str, run: RunContext, place: Path
    ) -> None:
        self.learner, self.data, self.schedule = learner, data, schedule
        self.phase, self.run, self.place = phase, run, place
        self.total = schedule.epochs * data.steps
        self.descent = Descent(learner, schedule, self.total, phase, run.log)
        self.checkpoint = Checkpoint(place / checkpoint.NAME, learner, [self.descent.optimizer], run.log)
        self.position = _Position()
        self.numbers: dict[str, float] = {}

    def go(self, judge: Judge | None) -> None:
        self._resume()
        earlier = self.position.seconds
        self.begun = time.monotonic() - earlier - self.position.dev_seconds
        with self.run.phase(self.phase) as clock:
            for point in self.position.curve:
                self.run.learnt(**point)
            if self.position.dev_sentences:  # judged before an interruption
                with self.run.aside("dev") as dev:
                    dev.sentences += self.position.dev_sentences
                dev.seconds += self.position.dev_seconds
            self._learn(judge)
            clock.epochs = self.position.step // self.data.steps if self.data.steps else self.schedule.epochs
            clock.sentences = self.position.sentences
        clock.seconds += earlier
        if not (self.place / weights.NAME).exists():
            self._keep()
        self.checkpoint.remove()
        if not self.position.step:
            self.run.doubt(Doubt.NO_STEP)
        elif judge and not any(sentence.entities for sentence in judge.sentences):
            self.run.note(f"{self.phase}: dev has no entity, so that nothing tells a better epoch: the last is kept")
        elif judge and not self.position.best:
            self.run.doubt(Doubt.DEV_ZERO)

    def _learn(self, judge: Judge | None) -> None:
        due = time.monotonic() + CHECKPOINT_SECONDS
        while self.position.step < self.total:
            epoch, skip = divmod(self.position.step, self.data.steps)
            for batch in islice(self.data.batches(epoch), skip, None):
                self._step(batch)
                ended, last = self.position.step % self.data.steps == 0, self.position.step == self.total
                if ended:
                    judged = last or (epoch + 1) % self.schedule.dev_every == 0
                    if self._end_epoch(epoch + 1, judge if judged else None):
                        return
                if time.monotonic() > due and not last:
                    due = self._checkpoint()
            if self.position.step == epoch * self.data.steps + skip:
                raise PluginError(
                    f"{self.phase}: epoch {epoch + 1} has {skip} of the {self.data.steps} batches that its data say",
                    hint="let `steps` be how many batches an epoch has",
                )

    def _step(self, batch: list[Item]) -> None:
        self.numbers["loss"] = self.descent.step(self.position.step, batch)
        self.position.loss += self.numbers["loss"]
        self.position.step += 1
        self.position.sentences += len(batch)
        self.run.progress(self.position.step, self.total, **self.numbers)

    def _checkpoint(self) -> float:
        """Save, and say when to save again: later, the longer it takes."""
        begun = time.monotonic()
        self.position.seconds = begun - self.begun - self.position.dev_seconds
        self.position.parts = self.descent.parts
        self.checkpoint.save(asdict(self.position))
        ended = time.monotonic()
        return ended + CHECKPOINT_SECONDS * max(1.0, 20 * (ended - begun) / 120)

    def _end_epoch(self, epoch: int, judge: Judge | None) -> bool:
        """Add the epoch to the learning curve, with its score on dev if it is to be judged. Whether patience is lost
        with that.
        """
        point: dict[str, Any] = {"epoch": epoch, "loss": self.position.loss / self.data.steps}
        self.position.loss = 0.0
        if judge:
            self._judge(judge, epoch)
            point["dev_f1"] = self.numbers["dev_f1"]
        self.position.curve.append(point)
        self.run.learnt(**point)
        return judge is not None and self._has_lost_patience(epoch)

    def _judge(self, judge: Judge, epoch: int) -> None:
        with self.run.aside("dev") as dev, fitting("dev: out of memory", self.learner.relief):
            score = judge.f1()
            dev.sentences += len(judge.sentences)
        self.position.dev_seconds, self.position.dev_sentences = dev.seconds, dev.sentences
        self.numbers["dev_f1"] = score
        self.run.log.info("%s: epoch %d, loss %.4f, dev %.2f", self.phase, epoch, self.numbers["loss"], score)
        if score > self.position.best:
            self.position.best, self.position.best_epoch = score, epoch
            self._keep()

    def _keep(self) -> None:
        """Weights that the last step made infinite have no loss after them to show it."""
        if not all(bool(torch.isfinite(weight).all()) for _, weight in self.learner.learnt()):
            raise CdnerError(
                f"{self.phase}: training diverged: there are weights that are not finite",
                hint="lower its learning rate",
            )
        self.learner.keep(self.place)

    def _has_lost_patience(self, epoch: int) -> bool:
        """Whether too many epochs have passed since the best; before a score above 0, patience is endless."""
        patience, best = self.schedule.patience, self.position.best_epoch
        return patience is not None and best > 0 and epoch - best >= patience

    def _resume(self) -> None:
        position = self.checkpoint.restore()
        if position is None:
            (self.place / weights.NAME).unlink(missing_ok=True)
            return
        self.position = _Position(**position)
        self.descent.parts = self.position.parts
        self.run.log.info("%s: going on at step %d of %d", self.phase, self.position.step, self.total)
