"""Masked language modelling with the span-level collator of CrossNER's DAPT, on explanations or on text of a domain."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from cdner_bench import RunContext

from .. import hub, weights
from ..batches import IGNORED, OneStream, blocks, pad_rows
from ..compute import Compute
from ..descent import move_network
from ..learner import Learner
from ..loop import train
from ..schedule import Schedule
from ..tokens import find_specials
from .model import length_limit
from .options import Mlm

BATCH = 8


@dataclass(frozen=True)
class Masked:
    """A corrupted row of a batch: three tensors of its sub-words, of which `labels` are ignored where none is hidden
    and `attention` is 0 on pads.
    """

    ids: Tensor
    labels: Tensor
    attention: Tensor

    def __len__(self) -> int:
        return len(self.ids)


class MaskedLM(Learner[Masked]):
    """An encoder with its language-modelling head, of which the encoder is kept."""

    def __init__(self, backbone: str, compute: Compute) -> None:
        self.network = move_network(hub.load_model(AutoModelForMaskedLM, backbone), compute.device, self.relief)
        self.compute = compute

    def loss(self, items: Sequence[Masked]) -> Tensor:
        """Cross-entropy summed over the masked sub-words; the head is computed for those only."""
        device = self.compute.device
        ids, labels, attention = (
            torch.stack([getattr(row, part) for row in items]).to(device) for part in ("ids", "labels", "attention")
        )
        masked = labels != IGNORED

        def keep_masked(module: nn.Module, inputs: object, output: Any) -> Any:
            output.last_hidden_state = output.last_hidden_state[masked][None]
            return output

        hook = self.network.base_model.register_forward_hook(keep_masked)
        with hook, self.compute.autocast():
            logits = self.network(input_ids=ids, attention_mask=attention).logits
        return nn.functional.cross_entropy(logits[0].float(), labels[masked], reduction="sum")

    def terms(self, items: Sequence[Masked]) -> int:
        """How many sub-words are masked."""
        return sum(int((row.labels != IGNORED).sum()) for row in items)

    def keep(self, folder: Path) -> None:
        """Leave the encoder as `from_pretrained` reads it."""
        self.network.base_model.config.save_pretrained(folder)
        weights.keep(self.network.base_model.state_dict(), folder / weights.NAME, {"format": "pt"})


def pretrain(
    backbone: str, tokenizer: Any, texts: Iterable[str], options: Mlm, place: Path, run: RunContext, compute: Compute
) -> None:
    """Adapt `backbone` to the texts and save its encoder in `place`."""
    torch.manual_seed(run.seed)
    learner = MaskedLM(backbone, compute)
    rows = [array("i", row) for row in cut(texts, tokenizer, min(options.block, length_limit(learner.network.config)))]
    data = OneStream(partial(_draw, rows, tokenizer, options.probability), run.seed)
    train(learner, data, Schedule(options.epochs, BATCH, options.learning_rate), "mlm", run, place)


def _draw(
    rows: Sequence[Sequence[int]], tokenizer: Any, probability: float, generator: torch.Generator
) -> Iterator[list[Masked]]:
    """The batches of an epoch, in random order, with masks of their own."""
    order = torch.randperm(len(rows), generator=generator).tolist()
    for chosen in blocks(order, BATCH):
        whole = pad_rows([rows[i] for i in chosen], tokenizer.pad_token_id)
        ids, labels = corrupt(whole, tokenizer, probability, generator)
        attention = (whole != tokenizer.pad_token_id).long()
        yield [Masked(*row) for row in zip(ids, labels, attention, strict=True)]


def cut(texts: Iterable[str], tokenizer: Any, limit: int) -> Iterator[list[int]]:
    """The texts one after the other, cut into contiguous rows of `limit` sub-words with the special tokens. Few of them
    are in memory at once.
    """
    before, after = find_specials(tokenizer)
    stream = _subwords(iter(texts), tokenizer)
    while row := list(islice(stream, limit - len(before) - len(after))):
        yield [*before, *row, *after]


def _subwords(texts: Iterator[str], tokenizer: Any) -> Iterator[int]:
    while part := list(islice(texts, 1000)):
        for ids in tokenizer(part, add_special_tokens=False)["input_ids"]:
            yield from ids


def corrupt(ids: Tensor, tokenizer: Any, probability: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inputs and labels, both shaped like `ids` (rows, sub-words): masked in spans, then 80 % [MASK], 10 % random."""
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    chosen = torch.rand(ids.shape, generator=generator) < probability
    chosen &= ~special
    for row in chosen:
        join_singles(row)
    chosen &= ~special
    labels = ids.masked_fill(~chosen, IGNORED)
    dice = torch.rand(ids.shape, generator=generator)
    words = torch.randint(len(tokenizer), ids.shape, generator=generator)
    inputs = torch.where(chosen & (dice < 0.8), tokenizer.mask_token_id, ids)
    return torch.where(chosen & (dice >= 0.9), words, inputs), labels


def join_singles(row: Tensor) -> None:
    """Move isolated masks, pairwise, next to each other: the same number of masks, in spans of two (in place).

    A masked token whose left neighbour is unmasked is remembered; at the next such token that is not adjacent to
    it, the remembered one is unmasked and the token just left of the current one masked instead.
    """
    flags = row.tolist()
    remembered: int | None = None
    for i, masked in enumerate(row.tolist()):
        if not masked:
            continue
        if i > 0 and flags[i - 1]:
            remembered = None
        elif remembered is None:
            remembered = i
        else:
            flags[remembered], flags[i - 1] = False, True
            remembered = None
    row.copy_(torch.tensor(flags))
