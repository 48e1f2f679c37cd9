"""A frozen decoder with low-rank adapters in all of its linear layers."""

from __future__ import annotations

import copy
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cdner_bench import CdnerError, text2text
from cdner_torch import backbones, hub
from cdner_torch.batches import IGNORED
from cdner_torch.compute import Compute
from cdner_torch.descent import fitting
from cdner_torch.generators import Causal, Completion, Example
from cdner_torch.learner import NEVER
from cdner_torch.lengths import TokenLimits

from . import quantisation
from .options import Adapters

from peft import LoraConfig, PeftModel, get_peft_model  # isort: skip  # imports bitsandbytes, which is quiet by now

EAGER_CELLS = 512**2
"""How much of a batch is computed at once (see `Learner`) where attention keeps what every token of it made of every
other, in each layer, for the gradient.
"""


class Adapted(Causal):
    """A decoder of which only the adapters learn."""

    spare = NEVER  # nothing is padded
    _plain: Causal | None = None

    def __init__(self, network: Any, tokenizer: Any, compute: Compute, limits: TokenLimits) -> None:
        super().__init__(network, tokenizer, compute, limits)
        if self._is_eager():
            self.cells = EAGER_CELLS

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """One row, in which what examples begin with in common stands once, and nothing is padded: the prefix tree of a
        batch. A token sees what comes before it in its own examples, at the positions that it has there. No logits are
        made of positions that nothing is learnt from.
        """
        tokens, paths = merge([(*e.source, *e.target) for e in examples])
        sees = torch.zeros(len(tokens), len(tokens), dtype=torch.bool)
        positions = torch.zeros(1, len(tokens), dtype=torch.long)
        for path in paths:
            sees[path[:, None], path] = torch.ones(len(path), len(path), dtype=torch.bool).tril()
            positions[0, path] = torch.arange(len(path))
        return {
            "input_ids": torch.tensor([tokens]),
            "attention_mask": self._as_attention_mask(sees),
            "position_ids": positions,
            "logits_to_keep": torch.cat([path[len(e.source) - 1 :] for e, path in zip(examples, paths, strict=True)]),
            "labels": torch.tensor([[label for e in examples for label in (IGNORED, *e.target)]]),
        }

    def _as_attention_mask(self, sees: Tensor) -> Tensor:
        """Which token sees which (tokens, tokens), as the network's attention takes it: eager attention adds it."""
        if not self._is_eager():
            return sees[None, None]
        return torch.zeros(sees.shape).masked_fill(~sees, torch.finfo(torch.float32).min)[None, None]

    def _is_eager(self) -> bool:
        return bool(self.network.config._attn_implementation == "eager")

    def complete(
        self, texts: Sequence[str], compute: Compute, grammars: Sequence[text2text.Grammar] | None = None
    ) -> list[Completion]:
        """As `Causal`. A processor unpacks 4-bit weights at every new token, so there they are unpacked once, and the
        adapters added: the same function, computed in float32.
        """
        if self.compute.device != "cpu":
            return super().complete(texts, compute, grammars)
        return self.plain().complete(texts, Compute("cpu", "fp32"), grammars)

    @torch.no_grad()
    def plain(self) -> Causal:
        """The same function without adapters and quantisation, in float32, as the adapters are now."""
        if self._plain is None:
            network = copy.deepcopy(self.network.get_base_model())
            for name, layer in _adapted(network):
                linear = nn.Linear(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
                linear.to_empty(device="cpu").bias = layer.bias
                network.set_submodule(name, linear)  # its weights come below
            network.is_quantized = False  # transformers casts no other
            self._plain = Causal(network.float().requires_grad_(False), self.tokenizer, self.compute, self.limits)
        for name, layer in _adapted(self.network.get_base_model()):
            learnt = quantisation.weight(layer.base_layer) + layer.get_delta_weight("default").float()
            self._plain.network.get_submodule(name).weight.copy_(learnt)
        return self._plain

    def export(self, folder: Path, backbone: str) -> None:
        """Leave the adapters as peft reads them: adapter_model.safetensors and adapter_config.json."""
        draft = folder.with_name(f"{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        self.network.peft_config["default"].base_model_name_or_path = backbone
        self.network.save_pretrained(draft, save_embedding_layers=False)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)


def merge(rows: Sequence[Sequence[int]]) -> tuple[list[int], list[Tensor]]:
    """The prefix tree of rows of tokens: the token of each node, and for each row the nodes on its way."""
    nodes: dict[tuple[int, int], int] = {}
    paths = []
    for row in rows:
        node, path = -1, []
        for token in row:
            node = nodes.setdefault((node, token), len(nodes))
            path.append(node)
        paths.append(torch.tensor(path))
    return [token for _, token in nodes], paths


def load(place: str, compute: Compute, limits: TokenLimits, adapters: Adapters, seed: int) -> Adapted:
    """The decoder of a folder or a hub's name, with fresh adapters. Raises `CdnerError` for what is no decoder, is not
    there, does not fit into memory, or cannot be quantised here.
    """
    frame = backbones.read_frame(place)
    if frame.kind is not Causal:
        raise CdnerError(
            f"the backbone {place!r} is no decoder",
            hint="take a decoder, -o backbone=smollm2 say, or --method topt-no-gtok",
        )
    dtype = torch.bfloat16 if compute.resolved == "bf16" else torch.float32
    options: dict[str, Any] = {"attn_implementation": hub.attention()}
    quantised = adapters.quantisation == "nf4"
    if quantised:
        quantisation.check(compute.device)
        options |= {"quantization_config": quantisation.config(dtype), "device_map": {"": compute.device}}
    relief = f"take a smaller one, -o backbone=smollm2 say{'' if quantised else ', or qlora-llama2'}"
    with fitting(f"the backbone {place!r} does not fit into the memory of this {compute.device}", relief):
        network = hub.load_model(Causal.auto, place, dtype, **options)
        quantisation.keep_layout(network)
        network = _with_adapters(network, adapters, seed)
    return Adapted(network, frame.tokenizer, compute, limits)


def _with_adapters(network: Any, adapters: Adapters, seed: int) -> PeftModel:
    config = LoraConfig(
        r=adapters.rank,
        lora_alpha=adapters.alpha,
        lora_dropout=adapters.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(seed)
    with warnings.catch_warnings():  # the names of transformers 5.0, which peft uses too
        warnings.filterwarnings("ignore", "`(is_)?gradient_checkpointing(_enable)?` is deprecated", FutureWarning)
        if adapters.checkpointing:
            network.gradient_checkpointing_enable({"use_reentrant": False})
        return get_peft_model(network, config)


def _adapted(network: nn.Module) -> list[tuple[str, Any]]:
    return [(name, module) for name, module in network.named_modules() if hasattr(module, "lora_A")]
