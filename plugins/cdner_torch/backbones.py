"""Generators out of a folder, the hub's cache or the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from cdner_bench import CdnerError

from . import hub, weights
from .compute import Compute
from .generators import Backbone, Causal, Seq2Seq
from .lengths import TokenLimits

_DROPOUTS = (
    "dropout_rate", "dropout", "attention_dropout", "activation_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop",
    "hidden_dropout_prob", "attention_probs_dropout_prob",
)  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """A backbone but for its weights: what kind of model it is, its tokenizer and its configuration."""

    kind: type[Seq2Seq | Causal]
    tokenizer: Any
    config: Any


def read_frame(name: str) -> Frame:
    """What a folder or the hub's name holds. Raises `CdnerError` if it is not there, or generates no text."""
    config = hub.load(AutoConfig.from_pretrained, name)
    kind: type[Seq2Seq | Causal] = Seq2Seq if config.is_encoder_decoder else Causal
    tokenizer = hub.load_tokenizer(name)
    encoder = kind is Causal and config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if encoder or tokenizer.eos_token_id is None:
        raise CdnerError(
            f"the backbone {name!r} generates no text: "
            + ("it is an encoder" if encoder else "its tokenizer has no end-of-sequence token"),
            hint="take a T5 or another encoder-decoder, or a decoder such as smollm2",
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Frame(kind, tokenizer, config)


def load(name: str, compute: Compute, limits: TokenLimits, dropout: float | None = None) -> Backbone:
    """The backbone of a folder or a hub's name, in float32.

    `dropout` None leaves the backbone's own. Raises `CdnerError` for one that is not there, or that generates no text.
    """
    frame = read_frame(name)
    changed = {} if dropout is None else {"config": _with_dropout(frame.config, dropout)}
    network = hub.load_model(frame.kind.auto, name, attn_implementation=hub.attention(), **changed)
    if getattr(network.config, "quantization_config", None) is not None:
        del network.config.quantization_config  # the weights are float32 now
        network.hf_quantizer = None
    return _complete(network, frame, compute, limits)


def keep(model: Backbone, folder: Path) -> None:
    """Write a model as `load_kept` reads it: configuration, tokenizer, and every weight once."""
    model.network.config.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    weights.keep({name: p.detach() for name, p in model.network.named_parameters()}, folder / weights.NAME)


def load_kept(folder: Path, compute: Compute, limits: TokenLimits) -> Backbone:
    """The model that `keep` wrote, wherever its backbone is."""
    frame = read_frame(str(folder))
    network = frame.kind.auto.from_config(frame.config, attn_implementation=hub.attention()).float()
    model = _complete(network, frame, compute, limits)
    model.load(weights.restore(folder))
    return model


def _complete(network: Any, frame: Frame, compute: Compute, limits: TokenLimits) -> Backbone:
    if getattr(network.config, "shared_embeddings", False):
        share_embeddings(network)
    return frame.kind(network, frame.tokenizer, compute, limits)


def _with_dropout(config: Any, rate: float) -> Any:
    for part in (config, *(getattr(config, name) for name in ("encoder", "decoder") if hasattr(config, name))):
        for name in _DROPOUTS:
            if hasattr(part, name):
                setattr(part, name, rate)
    return config


def share_embeddings(network: Any) -> None:
    """Let an encoder-decoder made of two BERTs have one matrix of embeddings, for source, target and output, and no
    pooler, of which nothing becomes.
    """
    network.encoder.pooler = None
    shared = network.encoder.embeddings.word_embeddings
    network.decoder.bert.embeddings.word_embeddings = shared
    network.decoder.cls.predictions.decoder.weight = shared.weight
