"""The surprisal of each token of a text under a causal transformer.

What makes it fast on a processor: units of similar length in one batch, padded on the right, where a causal model
sees no padding and needs no mask; batches small enough for the caches; logits only where a token is scored, a few rows
at a time; a repeated unit read once. `perf/surprisal.py` has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from cdner_bench import CdnerError, OptionError
from cdner_torch import hub
from cdner_torch.batches import pad_rows

Surprisals = npt.NDArray[np.float64]

_UNBOUNDED = 2048
"""The window of a model that states no number of positions."""

BATCH_TOKENS = {"cpu": 512, "cuda": 16_384}
"""On a processor more were slower; on a GPU this is a guess."""

_STRETCH = 64
"""Batches' worth of tokens that are read, and put into groups of similar length, before the first is scored."""

HEAD_ROWS = 128
"""Tokens whose logits exist at one time: 25 MB of a vocabulary of 49k, what a third-level cache holds."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Tokens `first` to `end` of a row are scored, given those from `start`; all counted in the row's tokens."""

    row: tuple[int, ...]
    start: int
    first: int
    end: int

    @property
    def inputs(self) -> tuple[int, ...]:
        """What the model reads: all but the last token, which is only asked for."""
        return self.row[self.start : self.end - 1]

    @property
    def targets(self) -> tuple[int, ...]:
        """What it is asked for."""
        return self.row[self.first : self.end]


def split_windows(row: tuple[int, ...], size: int, stride: int) -> Iterator[Passage]:
    """Windows of at most `size` inputs in which each token of a row but the first is scored once.

    All after the first score `stride` tokens (the last one what is left) and are full, so that such a token has
    `size - stride + 1` tokens of context or more.
    """
    first, end = 1, min(len(row), size + 1)
    while first < end:
        yield Passage(row, max(0, end - 1 - size), first, end)
        first, end = end, min(len(row), end + stride)


def make_batches(parts: Iterable[Passage], tokens: int) -> Iterator[list[Passage]]:
    """Groups of similar length, longest first: at most `tokens` with their padding, or one that is longer alone."""
    ordered = sorted(parts, key=lambda part: part.start - part.end)
    start = 0
    while start < len(ordered):
        rows = max(1, tokens // (ordered[start].end - 1 - ordered[start].start))
        yield ordered[start : start + rows]
        start += rows


class CausalModel:
    """A decoder and its tokenizer, in float32 on the GPU if there is one.

    `name` is a folder (one with only a GGUF file too), a name in the hub's cache or on the hub. `window` caps the
    tokens that are read at once, by default as many as the model has positions for; of a longer unit each window after
    the first scores `stride` tokens, by default half a window. `batch_tokens` caps the tokens of a batch, padding
    counted, by default `BATCH_TOKENS` of the device.

    Raises `CdnerError` for a model that is not there or not causal, `OptionError` for numbers that do not go together.
    """

    def __init__(self, name: str, *, window: int | None, stride: int | None, batch_tokens: int | None = None) -> None:
        config = hub.load(AutoConfig.from_pretrained, name)
        _refuse_others(name, config)
        positions = _count_positions(config) or _UNBOUNDED
        self.window = positions if window is None else min(window, positions)
        self.stride = max(1, self.window // 2) if stride is None else stride
        if not 0 < self.stride <= self.window:
            raise OptionError(
                f"stride={self.stride} and window={self.window} do not go together",
                hint=f"-o stride=N with N from 1 to {self.window}",
            )
        self.tokenizer = hub.load_tokenizer(name)
        self.context = _find_context(self.tokenizer)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.batch_tokens = batch_tokens or BATCH_TOKENS[self.device]
        network = hub.load_model(AutoModelForCausalLM, name).eval()
        self.parameters = sum(p.numel() for p in network.parameters())
        self.network = network.to(self.device)
        self.head = self._find_head(name)

    def surprisals(self, units: Iterable[str]) -> Iterator[Surprisals]:
        """-ln P(token | those before it in the unit), in nats, for each unit in order: an array of its tokens.

        Tokens are the tokenizer's, without special ones. The first is conditioned on the mark that begins a text
        (BOS) or, where the tokenizer has none, on the one that ends one (EOS), which is what stood before a text in
        training; where there is neither it is left out. No more is read ahead than what makes groups of similar length.
        """
        for stretch in self._read_stretches(units):
            yield from self._score_stretch(stretch)

    def _read_stretches(self, units: Iterable[str]) -> Iterator[list[tuple[int, ...]]]:
        """Units as ids after their context, in stretches of about as many tokens."""
        before = () if self.context is None else (self.context,)
        stretch: list[tuple[int, ...]] = []
        room = _STRETCH * self.batch_tokens
        for unit in units:
            row = (*before, *self.tokenizer(unit, add_special_tokens=False)["input_ids"])
            stretch.append(row)
            room -= len(row) + 1  # empty units count too, or a stretch of them would never end
            if room <= 0:
                yield stretch
                stretch, room = [], _STRETCH * self.batch_tokens
        yield stretch

    def _score_stretch(self, rows: Sequence[tuple[int, ...]]) -> list[Surprisals]:
        """Surprisals of rows, in their order; rows that are the same are read once."""
        out = {row: np.zeros(max(0, len(row) - 1)) for row in rows}
        parts = (part for row in out for part in split_windows(row, self.window, self.stride))
        for batch in make_batches(parts, self.batch_tokens):
            scored = self._score(batch)
            for part in batch:
                count = part.end - part.first
                out[part.row][part.first - 1 : part.end - 1], scored = scored[:count], scored[count:]
        return [out[row].copy() for row in rows]

    @torch.inference_mode()
    def _score(self, batch: Sequence[Passage]) -> Surprisals:
        """Surprisals of the targets of all windows, one after the other."""
        ids = pad_rows([part.inputs for part in batch], 0).to(self.device)  # no real token sees what is right of it
        longest = ids.shape[1]
        asked = [
            n * longest + place - part.start - 1
            for n, part in enumerate(batch)
            for place in range(part.first, part.end)
        ]
        places = torch.tensor(asked, device=self.device)
        targets = torch.tensor([token for part in batch for token in part.targets], device=self.device)
        states = self._compute_states(ids).flatten(0, 1)
        pieces = [
            cross_entropy(self.head(states[some]), tokens, reduction="none")
            for some, tokens in zip(torch.split(places, HEAD_ROWS), torch.split(targets, HEAD_ROWS), strict=True)
        ]
        surprisals: Surprisals = torch.cat(pieces).double().cpu().numpy()
        return surprisals

    def _compute_states(self, ids: Tensor) -> Tensor:
        """What `head` makes logits of, of shape (rows, tokens, size)."""
        network = self.network if isinstance(self.head, nn.Identity) else self.network.base_model
        said = network(input_ids=ids, use_cache=False)
        states: Tensor = said.logits if isinstance(self.head, nn.Identity) else said.last_hidden_state
        return states

    @torch.inference_mode()
    def _find_head(self, name: str) -> nn.Module:
        """The layer from states to logits, or the identity where logits are more than its product (Gemma 2 caps them)
        and the network has to make them itself, all at a time.

        Raises `CdnerError` for a model of which a later token changes what it says of an earlier one.
        """
        vocabulary = self.network.config.get_text_config().vocab_size
        ids = torch.tensor([[1, 2, 3, 4], [1, 2, 3, 5]], device=self.device) % vocabulary
        logits = self.network(input_ids=ids, use_cache=False).logits
        if not _are_close(logits[0, :3], logits[1, :3]):
            raise _not_causal(name, "a later token changes what it says of an earlier one")
        head = self.network.get_output_embeddings()
        states = getattr(self.network.base_model(input_ids=ids, use_cache=False), "last_hidden_state", None)
        plain = isinstance(head, nn.Module) and states is not None and _are_close(head(states), logits)
        return head if plain else nn.Identity()


def _are_close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def _find_context(tokenizer: Any) -> int | None:
    """The token that a unit is read after."""
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    return None


def _count_positions(config: Any) -> int | None:
    """Tokens that a model can read at once, if it says so."""
    text = config.get_text_config()
    names = ("max_position_embeddings", "max_seq_len", "seq_length")
    return next((int(count) for name in names if (count := getattr(text, name, None))), None)


def _refuse_others(name: str, config: Any) -> None:
    """Raise `CdnerError` for what is known not to be causal before its weights are read."""
    if config.is_encoder_decoder:
        raise _not_causal(name, "it is an encoder-decoder")
    if config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_decoder", False):
        raise _not_causal(name, "it is an encoder")
    if config.model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise _not_causal(name, f"transformers knows no causal {config.model_type}")


def _not_causal(name: str, reason: str) -> CdnerError:
    return CdnerError(
        f"the model {name!r} gives no next-token probabilities: {reason}",
        hint="take a decoder: smollm2 (type: cdner-bench models fetch smollm2), or a folder or hub name such as gpt2",
    )
