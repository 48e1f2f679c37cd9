"""Masked language modelling on GTOK explanations, with the span-level collator of CrossNER's DAPT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from cdner_bench import RunContext
from cdner_torch import hub
from cdner_torch.batches import IGNORED, padded
from cdner_torch.compute import Compute
from cdner_torch.tokens import specials

from .model import length_limit

BATCH = 8


@dataclass(frozen=True)
class Plan:
    """How to pre-train: `block` sub-words an example, each masked with `probability`."""

    epochs: int
    probability: float
    learning_rate: float
    block: int


def pretrain(
    backbone: str, tokenizer: Any, texts: Sequence[str], plan: Plan, place: Path, run: RunContext, compute: Compute
) -> None:
    """Adapt `backbone` to the explanations and save its encoder in `place`."""
    torch.manual_seed(run.seed)
    generator = torch.Generator().manual_seed(run.seed)
    model: Any = hub.load_model(AutoModelForMaskedLM, backbone).to(compute.device).train()
    limit = min(plan.block, length_limit(model))
    rows = list(blocks(texts, tokenizer, limit))
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=0.0, fused=True)
    steps = plan.epochs * -(-len(rows) // BATCH)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 - n / steps)
    done = 0
    with run.phase("mlm") as clock:
        for _ in range(plan.epochs):
            order = torch.randperm(len(rows), generator=generator).tolist()
            for start in range(0, len(order), BATCH):
                batch = padded([rows[i] for i in order[start : start + BATCH]], tokenizer.pad_token_id)
                ids, labels = corrupt(batch, tokenizer, plan.probability, generator)
                loss = _loss(model, ids, labels, batch != tokenizer.pad_token_id, compute)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                decay.step()
                done += 1
                run.progress(done, steps, loss=loss.item())
            clock.epochs += 1
            clock.sentences += len(rows)
    model.base_model.save_pretrained(place)


def _loss(model: Any, ids: Tensor, labels: Tensor, attention: Tensor, compute: Compute) -> Tensor:
    device = compute.device
    with compute.autocast():
        logits = model(input_ids=ids.to(device), attention_mask=attention.long().to(device)).logits
    flat = logits.float().flatten(0, 1)
    return nn.functional.cross_entropy(flat, labels.to(device).flatten(), ignore_index=IGNORED)


def blocks(texts: Sequence[str], tokenizer: Any, limit: int) -> Iterator[list[int]]:
    """The texts one after the other, cut into contiguous blocks of `limit` sub-words with the special tokens."""
    stream = [i for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"] for i in ids]
    before, after = specials(tokenizer)
    room = limit - len(before) - len(after)
    for start in range(0, len(stream), room):
        yield before + stream[start : start + room] + after


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
