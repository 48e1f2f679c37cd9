"""Prefixes: keys and values that the attention of an encoder-decoder reads before those of its own tokens.

transformers calls whatever attention function a model's configuration names, after a layer's keys and values went
through the cache; the one that is registered here puts the layer's prefix before them, so that a prefix is never in a
cache. peft's prefix tuning goes through the cache instead, and reaches no encoder that way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

from cdner_bench import CdnerError

Kind = Literal["encoder", "decoder", "cross"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The encoder's self-attention, the decoder's, and the decoder's attention to the encoder."""

FITTING = {
    "t5": "a T5 (google/flan-t5-base, minit5)",
    "mt5": "an mT5 (google/mt5-base)",
    "bart": "a BART (facebook/bart-base)",
    "encoder-decoder": "an encoder-decoder of two BERTs (minilm2minilm)",
}
"""The architectures that take prefixes, in words and with examples."""

_NAME = "prefixed"
_KEYS = ("k", "key", "k_proj")
_HEADS = ("n_heads", "num_attention_heads", "num_heads")


@dataclass(frozen=True)
class Shape:
    """What the keys and values of one kind of attention are like; `width` is that of what they are made of."""

    layers: int
    heads: int
    size: int
    width: int


class Prefixes(nn.Module):
    """What a network attends to first: for each kind, a tensor (layers, keys and values, heads, length, size)."""

    def forward(self, kind: Kind) -> Tensor:
        """The keys and values of all layers of a kind."""
        raise NotImplementedError


class Learnt(Prefixes):
    """Prefixes out of few parameters, each kind by a network of its own: embedding, linear, tanh, linear, dropout."""

    def __init__(self, shapes: Mapping[Kind, Shape], length: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.shapes, self.length = shapes, length
        for kind, shape in shapes.items():
            whole = shape.layers * 2 * shape.heads * shape.size
            embedding = nn.Embedding(length, shape.width)
            layers = (nn.Linear(shape.width, hidden), nn.Tanh(), nn.Linear(hidden, whole), nn.Dropout(dropout))
            self.add_module(kind, nn.ModuleList([embedding, nn.Sequential(*layers)]))

    def forward(self, kind: Kind) -> Tensor:
        """See `Prefixes`."""
        shape = self.shapes[kind]
        embedding, layers = self.get_submodule(kind).children()
        flat = layers(embedding.weight)
        parts: Tensor = flat.view(self.length, shape.layers, 2, shape.heads, shape.size)
        return parts.permute(1, 2, 3, 0, 4)


class Fixed(Prefixes):
    """Prefixes as they are: what is left of any when they have learnt."""

    def __init__(self, tensors: Mapping[Kind, Tensor]) -> None:
        super().__init__()
        for kind, tensor in tensors.items():
            self.register_parameter(kind, nn.Parameter(tensor.detach().clone().contiguous()))

    def forward(self, kind: Kind) -> Tensor:
        """See `Prefixes`."""
        return self.get_parameter(kind)


@torch.no_grad()
def fix(prefixes: Prefixes) -> Fixed:
    """Prefixes as they are when nothing is dropped out."""
    was = prefixes.training
    prefixes.eval()
    fixed = Fixed({kind: prefixes(kind) for kind in KINDS})
    prefixes.train(was)
    return fixed


def check(place: str, config: Any, fitting: Mapping[str, str] = FITTING) -> None:
    """Raise `CdnerError` for a backbone that is of none of the fitting architectures."""
    kind = config.model_type
    parts = [part.model_type for part in (config.encoder, config.decoder)] if kind == "encoder-decoder" else []
    if kind not in fitting or set(parts) - {"bert"}:
        named = f"{kind} of {' and '.join(parts)}" if parts else kind
        raise CdnerError(
            f"the backbone {place!r} does not fit: its architecture is {named}",
            hint=f"take {' or '.join(fitting.values())}: -o backbone=minilm2minilm",
        )


def measure(network: Any) -> dict[Kind, Shape]:
    """What prefixes of a network are like."""
    shapes: dict[Kind, Shape] = {}
    for kind, attentions in _find_attentions(network).items():
        keys = next(getattr(attentions[0], name) for name in _KEYS if hasattr(attentions[0], name))
        heads = next(getattr(attentions[0], name) for name in _HEADS if hasattr(attentions[0], name))
        shapes[kind] = Shape(len(attentions), heads, keys.out_features // heads, keys.in_features)
    return shapes


def attach(network: Any, prefixes: Prefixes) -> None:
    """Let a network attend to prefixes, which become its part `prefixes`, in the place of those that it had."""
    begun = hasattr(network, "prefixes")
    network.prefixes = prefixes.to(network.device)
    if begun:
        return
    network.set_attn_implementation(_NAME)
    attentions = _find_attentions(network)

    def hand_out(*kinds: Kind) -> Any:
        def hook(*_: object) -> None:
            for kind in kinds:
                for attention, prefix in zip(attentions[kind], network.prefixes(kind), strict=True):
                    attention.prefix = prefix

        return hook

    network.get_encoder().register_forward_pre_hook(hand_out("encoder"))
    network.get_decoder().base_model.register_forward_pre_hook(hand_out("decoder", "cross"))


def freeze(network: Any, *, embeddings: bool) -> None:
    """Leave nothing of a network to learn but its prefixes and, unless they are frozen too, its embeddings."""
    network.requires_grad_(False)
    network.prefixes.requires_grad_(True)
    network.get_input_embeddings().weight.requires_grad_(not embeddings)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **more: Any,
) -> tuple[Tensor, Tensor]:
    """Attention as transformers calls it, to the module's prefix first: no mask hides a prefix, and no bias of places
    is added for it. Tensors are (sentences, heads, tokens, size); mask and bias (…, tokens, tokens attended to).
    """
    prefix = module.prefix.to(key.dtype)[:, None].expand(2, len(key), *module.prefix.shape[1:])
    length = prefix.shape[-2]
    key, value = torch.cat([prefix[0], key], 2), torch.cat([prefix[1], value], 2)
    scores = query @ key.transpose(2, 3) * scaling
    for added in (more.get("position_bias"), attention_mask):
        if added is not None:
            scores = scores + nn.functional.pad(added, (length, 0))
    weights = nn.functional.dropout(scores.softmax(-1), dropout, module.training)
    return (weights @ value).transpose(1, 2).contiguous(), weights


AttentionInterface.register(_NAME, attend)
AttentionMaskInterface.register(_NAME, eager_mask)


def _find_attentions(network: Any) -> dict[Kind, list[Any]]:
    """The modules of each kind, by layer."""
    of_decoder = list(_find_in(network.get_decoder()))
    crossing = ("EncDecAttention", "encoder_attn", "crossattention")
    found: dict[Kind, list[Any]] = {
        "encoder": [module for _, module in _find_in(network.get_encoder())],
        "decoder": [module for name, module in of_decoder if not any(part in name for part in crossing)],
        "cross": [module for name, module in of_decoder if any(part in name for part in crossing)],
    }
    return found


def _find_in(stack: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    return ((name, m) for name, m in stack.named_modules() if any(hasattr(m, key) for key in _KEYS))
