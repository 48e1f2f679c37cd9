"""Text-to-text models: encoder-decoders (T5, mT5, BART) and decoder-only ones, behind the same few verbs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
)
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from cdner_bench import CdnerError

from . import hub, weights
from .batches import IGNORED, blocks, padded
from .compute import Compute
from .tokens import specials


@dataclass(frozen=True, slots=True)
class Example:
    """A source and its target as ids, cut to the model's limits."""

    source: tuple[int, ...]
    target: tuple[int, ...]


@dataclass(frozen=True)
class Limits:
    """Tokens of a source and of a target in training, and of an answer; longer ones are cut."""

    source: int = 256
    target: int = 256
    answer: int = 256


class Backbone(ABC):
    """A network, its tokenizer, and how precisely to compute."""

    def __init__(self, network: Any, tokenizer: Any, compute: Compute, limits: Limits) -> None:
        self.network = network.to(compute.device)
        self.tokenizer = tokenizer
        self.compute = compute
        self.limits = limits
        self.before, after = specials(tokenizer)
        self.after = after or [tokenizer.eos_token_id]
        self._dropped = _dropped(tokenizer)

    def encode(self, pairs: Sequence[tuple[str, str]]) -> list[Example]:
        """Texts as ids."""
        sources, targets = self._ids([s for s, _ in pairs]), self._ids([t for _, t in pairs])
        return [self.example(s, t) for s, t in zip(sources, targets, strict=True)]

    @abstractmethod
    def example(self, source: list[int], target: list[int]) -> Example:
        """Cut to the limits, with the special tokens that the model expects."""

    @abstractmethod
    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Inputs of the network, padded, with the `labels` that count."""

    @abstractmethod
    def source(self, ids: list[int]) -> list[int]:
        """A whole source, with the special tokens that the model expects."""

    @abstractmethod
    def continuations(self, sources: Sequence[Sequence[int]]) -> Tensor:
        """What the network generates for sources: new tokens only, of shape (sources, tokens)."""

    def loss(self, examples: Sequence[Example]) -> Tensor:
        """Cross-entropy summed over the target tokens."""
        inputs = {name: tensor.to(self.compute.device) for name, tensor in self.batch(examples).items()}
        with self.compute.autocast():
            mean: Tensor = self.network(**inputs).loss
        return mean.float() * sum(len(e.target) for e in examples)

    @torch.no_grad()
    def answers(self, texts: Sequence[str], compute: Compute, rows: int = 128) -> list[str]:
        """Greedy answers to prompts, in order; batches of similar length, halved when memory runs out."""
        sources = [self.source(ids) for ids in self._ids(texts)]
        order = sorted(range(len(sources)), key=lambda n: -len(sources[n]))
        out = [""] * len(texts)
        self.network.eval()
        waiting = list(reversed(list(blocks(order, rows))))
        while waiting:
            chosen = waiting.pop()
            try:
                with compute.autocast():
                    said = self.continuations([sources[n] for n in chosen])
            except RuntimeError as error:
                if len(chosen) == 1 or not out_of_memory(error):
                    raise
                waiting += [chosen[len(chosen) // 2 :], chosen[: len(chosen) // 2]]
                continue
            for n, ids in zip(chosen, said.tolist(), strict=True):
                out[n] = self._text(ids)
        return out

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave. Raises `CdnerError` for another model's weights."""
        different = set(state) ^ set(self.state())
        if different:
            raise CdnerError(f"these are another model's weights: {min(different)} is in one of the two only")
        self.network.load_state_dict(state, strict=False)  # weights that the network ties come once

    def state(self) -> dict[str, Tensor]:
        """The weights, each once."""
        return {name: p.detach() for name, p in self.network.named_parameters()}

    def keep(self, folder: Path) -> None:
        """Write the weights as `model.safetensors`, whole or not at all."""
        weights.keep(self.state(), folder / weights.NAME)

    def size(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.network.parameters())

    def missing(self, tokens: Sequence[str]) -> list[str]:
        """Those that are not one token each."""
        unknown = self.tokenizer.unk_token_id
        return [t for t, ids in zip(tokens, self._ids(tokens), strict=True) if len(ids) > 1 or unknown in ids]

    def add(self, tokens: Sequence[str]) -> None:
        """Make each a token of the vocabulary. Their vectors are the mean of all others."""
        self.tokenizer.add_special_tokens(
            {"additional_special_tokens": list(tokens)}, replace_extra_special_tokens=False
        )
        size = self.network.get_input_embeddings().num_embeddings
        if len(self.tokenizer) > size:
            self.network.resize_token_embeddings(len(self.tokenizer), mean_resizing=False)
        new = self.tokenizer.convert_tokens_to_ids(list(tokens))
        with torch.no_grad():
            for layer in (self.network.get_input_embeddings(), self.network.get_output_embeddings()):
                layer.weight[new] = layer.weight[: min(new)].mean(0)
        self._dropped = _dropped(self.tokenizer)

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return list(self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]) if texts else []

    def _text(self, ids: Sequence[int]) -> str:
        """Without special tokens, but with the mark of what the vocabulary lacks, which the alignment reads."""
        if self.tokenizer.eos_token_id in ids:
            ids = ids[: ids.index(self.tokenizer.eos_token_id)]
        kept = [i for i in ids if i not in self._dropped]
        return str(self.tokenizer.decode(kept, clean_up_tokenization_spaces=False)).strip()

    def _padded(self, rows: Sequence[Sequence[int]], *, left: bool = False) -> tuple[Tensor, Tensor]:
        """Ids and their attention mask."""
        mask = padded([[1] * len(row) for row in rows], 0, left=left)
        return padded(rows, self.tokenizer.pad_token_id, left=left), mask


class Seq2Seq(Backbone):
    """An encoder-decoder: the source goes into the encoder."""

    auto = AutoModelForSeq2SeqLM

    def example(self, source: list[int], target: list[int]) -> Example:
        """Both with the tokenizer's special tokens, after the cut."""
        room = len(self.before) + len(self.after)
        cut = target[: self.limits.target - room]
        return Example(tuple(self.source(source[: self.limits.source - room])), (*self.before, *cut, *self.after))

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """`input_ids`, `attention_mask` (rows, source tokens) and `labels` (rows, target tokens)."""
        ids, mask = self._padded([e.source for e in examples])
        return {"input_ids": ids, "attention_mask": mask, "labels": padded([e.target for e in examples], IGNORED)}

    def source(self, ids: list[int]) -> list[int]:
        """As the tokenizer would."""
        return [*self.before, *ids, *self.after]

    def continuations(self, sources: Sequence[Sequence[int]]) -> Tensor:
        """Padded on the right. A sentence whose answer has ended leaves the batch, so that the rest goes faster."""
        network, eos = self.network, self.tokenizer.eos_token_id
        ids, mask = (tensor.to(self.compute.device) for tensor in self._padded(sources))
        hidden = network.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        out = torch.full((len(sources), self.limits.answer), eos, device=ids.device)
        rows = torch.arange(len(sources), device=ids.device)
        token = torch.full_like(rows, network.generation_config.decoder_start_token_id)
        past = None
        for step in range(self.limits.answer):
            said = network(
                encoder_outputs=BaseModelOutput(last_hidden_state=hidden),
                attention_mask=mask,
                decoder_input_ids=token[:, None],
                past_key_values=past,
                use_cache=True,
            )
            token, past = said.logits[:, -1].argmax(-1), said.past_key_values
            out[rows, step] = token
            going = (token != eos).nonzero()[:, 0]
            if not len(going):
                break
            if len(going) < len(rows):
                past.batch_select_indices(going)
                rows, token, hidden, mask = rows[going], token[going], hidden[going], mask[going]
        return out


class Causal(Backbone):
    """A decoder: source, line break, target in one sequence; only the target is learnt."""

    auto = AutoModelForCausalLM

    def __init__(self, network: Any, tokenizer: Any, compute: Compute, limits: Limits) -> None:
        super().__init__(network, tokenizer, compute, limits)
        (self.line_break,) = self._ids(["\n"])

    def example(self, source: list[int], target: list[int]) -> Example:
        """The source is cut before its line break."""
        eos = self.tokenizer.eos_token_id
        return Example(tuple(self.source(source[: self.limits.source])), (*target[: self.limits.target - 1], eos))

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """All of shape (rows, source and target tokens)."""
        ids, mask = self._padded([(*e.source, *e.target) for e in examples])
        labels = padded([(*[IGNORED] * len(e.source), *e.target) for e in examples], IGNORED)
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    def source(self, ids: list[int]) -> list[int]:
        """What the tokenizer puts before a text, the text, a line break."""
        return [*self.before, *ids, *self.line_break]

    def continuations(self, sources: Sequence[Sequence[int]]) -> Tensor:
        """Padded on the left, so that answers begin where sources end."""
        ids, mask = (tensor.to(self.compute.device) for tensor in self._padded(sources, left=True))
        out: Tensor = self.network.generate(input_ids=ids, attention_mask=mask, max_new_tokens=self.limits.answer)
        return out[:, ids.shape[1] :]


_DROPOUTS = (
    "dropout_rate", "dropout", "attention_dropout", "activation_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop",
)  # fmt: skip


def load(name: str, compute: Compute, limits: Limits, dropout: float | None = None) -> Backbone:
    """The backbone of a folder or a hub's name, in float32. A folder with a GGUF file is read through that.

    `dropout` None leaves the backbone's own. Whatever the backbone's own generation settings are, answers are greedy.
    Raises `CdnerError` for one that is not there, or that generates no text.
    """
    folder = Path(name)
    quantised = sorted(folder.glob("*.gguf")) if folder.is_dir() and not (folder / "config.json").exists() else []
    extra: dict[str, Any] = {"gguf_file": quantised[0].name} if quantised else {}
    config = hub.load(AutoConfig.from_pretrained, name, **extra)
    kind: type[Seq2Seq | Causal] = Seq2Seq if config.is_encoder_decoder else Causal
    tokenizer = hub.load(AutoTokenizer.from_pretrained, name, **extra)
    encoder = kind is Causal and config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if encoder or tokenizer.eos_token_id is None:
        raise CdnerError(
            f"the backbone {name!r} generates no text: "
            + ("it is an encoder" if encoder else "its tokenizer has no end-of-sequence token"),
            hint="take a T5 or another encoder-decoder, or a decoder such as smollm2",
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if dropout is not None:
        extra |= {rate: dropout for rate in _DROPOUTS if hasattr(config, rate)}
    network = hub.load_model(kind.auto, name, attn_implementation=hub.attention(), **extra)
    if getattr(network.config, "quantization_config", None) is not None:
        del network.config.quantization_config  # the weights are float32 now
    network.generation_config = GenerationConfig(
        do_sample=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=getattr(network.config, "decoder_start_token_id", None),
    )
    return kind(network, tokenizer, compute, limits)


def out_of_memory(error: BaseException) -> bool:
    """Whether a device ran out of memory; the CPU allocator says so in a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _dropped(tokenizer: Any) -> frozenset[int]:
    """The special tokens that are no part of an answer: all but the mark of what the vocabulary lacks."""
    return frozenset(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
