"""The training loop and the decoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cdner_bench import CdnerError, Prediction, RunContext, Sentence, conll
from cdner_torch.batches import IGNORED, by_length, shuffled
from cdner_torch.compute import Compute

from .encoding import Batch, Window, collate, size
from .model import Tagger


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train. `dev_every` epochs apart, the dev score is taken; `patience` counts epochs.

    `dropout` None leaves the backbone's own. On a CPU, drawing its random numbers takes half of the time.
    """

    epochs: int
    learning_rate: float
    batch_size: int
    linear_decay: bool = False
    patience: int | None = None
    dev_every: int = 1
    dropout: float | None = None


@dataclass(frozen=True)
class Tagging(Compute):
    """A place to compute, and the id that pads a batch."""

    pad: int

    def logits(self, tagger: Tagger, batch: Batch) -> Tensor:
        """The tagger's answer to a batch."""
        with self.autocast():
            logits: Tensor = tagger(
                batch.ids.to(self.device), batch.attention.to(self.device), batch.domains.to(self.device)
            )
        return logits


def train(
    tagger: Tagger,
    epoch_windows: Callable[[torch.Generator], Sequence[Window]],
    schedule: Schedule,
    phase: str,
    run: RunContext,
    compute: Tagging,
    dev_f1: Callable[[], float] | None = None,
) -> None:
    """Adam on cross-entropy over first sub-words. `epoch_windows` draws the windows of one epoch.

    With `dev_f1`, the weights with the best dev score are left in `tagger`, and training stops after `patience`
    epochs without a better one.
    """
    generator = torch.Generator().manual_seed(run.seed)
    tagger.to(compute.device)
    for module in tagger.modules():
        if isinstance(module, nn.Dropout) and schedule.dropout is not None:
            module.p = schedule.dropout
    optimizer = torch.optim.Adam(tagger.parameters(), lr=schedule.learning_rate, fused=True)
    first = shuffled(epoch_windows(generator), schedule.batch_size, generator, size)
    steps = schedule.epochs * len(first)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 - n / steps if schedule.linear_decay else 1.0)
    best = Best(schedule.patience)
    numbers: dict[str, float] = {}
    with run.phase(phase) as clock:
        for epoch in range(1, schedule.epochs + 1):
            groups = first if epoch == 1 else shuffled(epoch_windows(generator), schedule.batch_size, generator, size)
            for n, group in enumerate(groups, start=1):
                numbers["loss"] = step(tagger, group, optimizer, compute)
                decay.step()
                run.progress((epoch - 1) * len(groups) + n, schedule.epochs * len(groups), **numbers)
            clock.epochs += 1
            clock.sentences += sum(map(len, groups))
            if dev_f1 and (epoch % schedule.dev_every == 0 or epoch == schedule.epochs):
                numbers["dev_f1"] = dev_f1()
                run.log.info("%s: epoch %d, loss %.4f, dev %.2f", phase, epoch, numbers["loss"], numbers["dev_f1"])
                if best.offer(numbers["dev_f1"], epoch, tagger):
                    break
    best.restore(tagger)


def step(tagger: Tagger, group: Sequence[Window], optimizer: torch.optim.Optimizer, compute: Tagging) -> float:
    """Learn one batch, and give its loss. Raises `CdnerError` when that is no finite number."""
    tagger.train()
    batch = collate(group, compute.pad)
    logits, labels = compute.logits(tagger, batch), batch.labels.to(compute.device)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
    if not torch.isfinite(loss):
        raise CdnerError(
            f"training diverged: the loss is {loss.item()}", hint="lower the learning rate, -o learning_rate=…"
        )
    optimizer.zero_grad(set_to_none=False)  # the gradient of the embeddings is large: keep its memory
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()


class Best:
    """The weights with the best score above 0 so far; the earlier of equals."""

    def __init__(self, patience: int | None = None) -> None:
        self.patience = patience
        self.score, self.epoch, self.weights = 0.0, 0, dict[str, Tensor]()

    def offer(self, score: float, epoch: int, model: nn.Module) -> bool:
        """Whether training should stop: `patience` epochs have passed without a better score."""
        if score > self.score:
            self.score, self.epoch = score, epoch
            self.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}
        return bool(self.weights) and self.patience is not None and epoch - self.epoch >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Put them back, if there are any."""
        if self.weights:
            model.load_state_dict(self.weights)


@torch.no_grad()
def decode(
    tagger: Tagger, sentences: Sequence[Sentence], windows: Sequence[Window], compute: Tagging
) -> list[Prediction]:
    """The most probable tag of every word; entities by conlleval's reading of the tags, which are kept beside them."""
    tagger.to(compute.device).eval()
    tags = [["O"] * len(s.tokens) for s in sentences]
    for group in by_length(windows, 64, size):
        best = compute.logits(tagger, collate(group, compute.pad)).argmax(-1).tolist()
        for window, row in zip(group, best, strict=True):
            for word, position in zip(window.words, window.first, strict=True):
                tags[window.sentence][word] = tagger.labels[row[position]]
    return [Prediction(s.id, conll.chunks(t), tags=tuple(t)) for s, t in zip(sentences, tags, strict=True)]
