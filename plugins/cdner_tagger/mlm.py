"""Masked language modelling on GTOK explanations, with the span-level collator of CrossNER's DAPT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from cdner_bench import RunContext
from cdner_torch import hub, weights
from cdner_torch.batches import IGNORED, OneStream, blocks, pad_rows
from cdner_torch.compute import Compute
from cdner_torch.learner import Learner
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule
from cdner_torch.tagging.model import length_limit
from cdner_torch.tokens import find_specials

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
        self.network: Any = hub.load_model(AutoModelForMaskedLM, backbone).to(compute.device)
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
    backbone: str, tokenizer: Any, texts: Sequence[str], options: Mlm, place: Path, run: RunContext, compute: Compute
) -> None:
    """Adapt `backbone` to the explanations and save its encoder in `place`."""
    torch.manual_seed(run.seed)
    learner = MaskedLM(backbone, compute)
    rows = list(cut(texts, tokenizer, min(options.block, length_limit(learner.network.config))))
    data = OneStream(partial(_draw, rows, tokenizer, options.probability), run.seed)
    train(learner, data, Schedule(options.epochs, BATCH, options.learning_rate), "mlm", run, place)


def _draw(
    rows: Sequence[list[int]], tokenizer: Any, probability: float, generator: torch.Generator
) -> Iterator[list[Masked]]:
    """The batches of an epoch, in random order, with masks of their own."""
    order = torch.randperm(len(rows), generator=generator).tolist()
    for chosen in blocks(order, BATCH):
        whole = pad_rows([rows[i] for i in chosen], tokenizer.pad_token_id)
        ids, labels = corrupt(whole, tokenizer, probability, generator)
        attention = (whole != tokenizer.pad_token_id).long()
        yield [Masked(*row) for row in zip(ids, labels, attention, strict=True)]


def cut(texts: Sequence[str], tokenizer: Any, limit: int) -> Iterator[list[int]]:
    """The texts one after the other, cut into contiguous rows of `limit` sub-words with the special tokens."""
    stream = [i for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"] for i in ids]
    before, after = find_specials(tokenizer)
    for part in blocks(stream, limit - len(before) - len(after)):
        yield [*before, *part, *after]


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
