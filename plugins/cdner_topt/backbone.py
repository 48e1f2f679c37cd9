"""Text-to-text models: encoder-decoders (T5, mT5, BART) and decoder-only ones, behind the same few verbs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from cdner_bench import CdnerError
from cdner_torch import hub
from cdner_torch.batches import IGNORED, blocks, padded
from cdner_torch.compute import Compute

from .mslm import SENTINELS


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

    auto: Any

    def __init__(self, network: Any, tokenizer: Any, compute: Compute, limits: Limits) -> None:
        self.network = network.to(compute.device)
        self.tokenizer = tokenizer
        self.compute = compute
        self.limits = limits

    def encode(self, pairs: Sequence[tuple[str, str]]) -> list[Example]:
        """Texts as ids."""
        sources, targets = self._ids([s for s, _ in pairs]), self._ids([t for _, t in pairs])
        return [self.example(s, t) for s, t in zip(sources, targets, strict=True)]

    @abstractmethod
    def example(self, source: list[int], target: list[int]) -> Example:
        """Cut to the limits and end both as the model expects."""

    @abstractmethod
    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Inputs of the network, padded, with the `labels` that count."""

    @abstractmethod
    def prompt(self, sources: Sequence[Sequence[int]]) -> Tensor:
        """Sources padded on the side that generation wants."""

    def loss(self, examples: Sequence[Example]) -> tuple[Tensor, int]:
        """Cross-entropy summed over the target tokens, and how many those are."""
        inputs = {name: tensor.to(self.compute.device) for name, tensor in self.batch(examples).items()}
        count = sum(len(e.target) for e in examples)
        with self.compute.autocast():
            mean: Tensor = self.network(**inputs).loss
        return mean.float() * count, count

    @torch.no_grad()
    def answers(self, texts: Sequence[str], compute: Compute, rows: int = 64) -> list[str]:
        """Greedy answers to prompts, in order; batches of similar length, halved when memory runs out."""
        sources = [self._source(ids) for ids in self._ids(texts)]
        order = sorted(range(len(sources)), key=lambda n: -len(sources[n]))
        out = [""] * len(texts)
        self.network.eval()
        waiting = list(reversed(list(blocks(order, rows))))
        while waiting:
            chosen = waiting.pop()
            try:
                said = self._generate([sources[n] for n in chosen], compute)
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if len(chosen) == 1 or not out_of_memory(error):
                    raise
                waiting += [chosen[len(chosen) // 2 :], chosen[: len(chosen) // 2]]
                continue
            for n, text in zip(chosen, said, strict=True):
                out[n] = text
        return out

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave. Raises `CdnerError` for another model's weights."""
        different = set(weights) ^ set(self.state())
        if different:
            raise CdnerError(f"these are another model's weights: {min(different)} is in one of the two only")
        self.network.load_state_dict(weights, strict=False)  # weights that the network ties come once

    def state(self) -> dict[str, Tensor]:
        """The weights, each once."""
        return {name: p.detach() for name, p in self.network.named_parameters()}

    def keep(self, folder: Path) -> None:
        """Write the weights as `model.safetensors`, whole or not at all."""
        save_file({name: tensor.contiguous() for name, tensor in self.state().items()}, folder / "draft")
        (folder / "draft").rename(folder / "model.safetensors")

    def size(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.network.parameters())

    def need_sentinels(self, *, add: bool) -> None:
        """Make sure that the tokenizer has T5's sentinels. Raises `CdnerError` if not, and they may not be added."""
        known = self.tokenizer.get_vocab()
        missing = [sentinel for sentinel in SENTINELS if sentinel not in known]
        if not missing:
            return
        if not add:
            raise CdnerError(
                f"the tokenizer has no sentinel {missing[0]}, which MSLM marks its gaps with",
                hint="add them to the vocabulary with -o add_sentinels=true, or start from a T5",
            )
        self.tokenizer.add_special_tokens({"additional_special_tokens": missing}, replace_extra_special_tokens=False)
        # mean_resizing draws from torch's generator, which the seed of the run sets.
        self.network.resize_token_embeddings(len(self.tokenizer))

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return list(self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]) if texts else []

    @abstractmethod
    def _source(self, ids: list[int]) -> list[int]: ...

    def _generate(self, sources: Sequence[Sequence[int]], compute: Compute) -> list[str]:
        ids = self.prompt(sources).to(compute.device)
        pad = self.tokenizer.pad_token_id
        lengths = torch.tensor([len(s) for s in sources], device=ids.device)[:, None]
        places = torch.arange(ids.shape[1], device=ids.device)[None]
        left = self.auto is AutoModelForCausalLM
        attention = places >= ids.shape[1] - lengths if left else places < lengths
        with compute.autocast():
            out = self.network.generate(
                input_ids=ids,
                attention_mask=attention.long(),
                do_sample=False,
                num_beams=1,
                max_new_tokens=self.limits.answer,
                eos_token_id=self.tokenizer.eos_token_id,
                pad_token_id=pad,
            )
        new = out[:, ids.shape[1] :] if left else out
        return [text.strip() for text in self.tokenizer.batch_decode(new, skip_special_tokens=True)]


class Seq2Seq(Backbone):
    """An encoder-decoder: the source goes into the encoder."""

    auto = AutoModelForSeq2SeqLM

    def example(self, source: list[int], target: list[int]) -> Example:
        """Both end with the end-of-sequence token, after the cut."""
        eos = self.tokenizer.eos_token_id
        return Example((*source[: self.limits.source - 1], eos), (*target[: self.limits.target - 1], eos))

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """`input_ids`, `attention_mask` (rows, source tokens) and `labels` (rows, target tokens)."""
        return {
            "input_ids": padded([e.source for e in examples], self.tokenizer.pad_token_id),
            "attention_mask": padded([[1] * len(e.source) for e in examples], 0),
            "labels": padded([e.target for e in examples], IGNORED),
        }

    def prompt(self, sources: Sequence[Sequence[int]]) -> Tensor:
        """Padded on the right."""
        return padded(sources, self.tokenizer.pad_token_id)

    def _source(self, ids: list[int]) -> list[int]:
        return [*ids, self.tokenizer.eos_token_id]


class Causal(Backbone):
    """A decoder: source, line break, target in one sequence; only the target is learnt."""

    auto = AutoModelForCausalLM

    def example(self, source: list[int], target: list[int]) -> Example:
        """The source is cut before its line break."""
        kept = (*self._source(source[: self.limits.source]),)
        return Example(kept, (*target[: self.limits.target - 1], self.tokenizer.eos_token_id))

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """All of shape (rows, source and target tokens)."""
        rows = [(*e.source, *e.target) for e in examples]
        return {
            "input_ids": padded(rows, self.tokenizer.pad_token_id),
            "attention_mask": padded([[1] * len(row) for row in rows], 0),
            "labels": padded([(*[IGNORED] * len(e.source), *e.target) for e in examples], IGNORED),
        }

    def prompt(self, sources: Sequence[Sequence[int]]) -> Tensor:
        """Padded on the left, so that answers begin where prompts end."""
        return padded(sources, self.tokenizer.pad_token_id, left=True)

    def _source(self, ids: list[int]) -> list[int]:
        return [*ids, *self._ids(["\n"])[0]]


_DROPOUTS = ("dropout_rate", "dropout", "attention_dropout", "activation_dropout")


def load(name: str, compute: Compute, limits: Limits, dropout: float | None = None) -> Backbone:
    """The backbone of a folder or a hub's name, in float32. A folder with a GGUF file is read through that.

    `dropout` None leaves the backbone's own.
    Raises `CdnerError` for one that is not there, or that generates no text.
    """
    folder = Path(name)
    quantised = sorted(folder.glob("*.gguf")) if folder.is_dir() and not (folder / "config.json").exists() else []
    extra: dict[str, Any] = {"gguf_file": quantised[0].name} if quantised else {}
    config = hub.load(AutoConfig.from_pretrained, name, **extra)
    kind: type[Backbone] = Seq2Seq if config.is_encoder_decoder else Causal
    tokenizer = hub.load(AutoTokenizer.from_pretrained, name, **extra)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if dropout is not None:
        extra |= {rate: dropout for rate in _DROPOUTS if hasattr(config, rate)}
    network = hub.load_model(kind.auto, name, attn_implementation=hub.attention(), **extra)
    if getattr(network.config, "quantization_config", None) is not None:
        del network.config.quantization_config  # the weights are float32 now
    network.generation_config.max_length = None
    return kind(network, tokenizer, compute, limits)


def restored(folder: Path) -> dict[str, Tensor]:
    """The weights that a stage left in its folder."""
    weights: dict[str, Tensor] = load_file(folder / "model.safetensors")
    return weights


def out_of_memory(error: BaseException) -> bool:
    """Whether a device ran out of memory; the CPU allocator says so in a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
