"""Generators out of a folder, the hub's cache or the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer, GenerationConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from cdner_bench import CdnerError

from . import hub
from .compute import Compute
from .generators import Backbone, Causal, Limits, Seq2Seq

_DROPOUTS = (
    "dropout_rate", "dropout", "attention_dropout", "activation_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop",
)  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """What a folder or the hub's name holds: a kind of model, its tokenizer, and how to read the weights."""

    kind: type[Seq2Seq | Causal]
    tokenizer: Any
    config: Any
    options: dict[str, Any]


def opened(name: str) -> Opened:
    """A backbone but for its weights. Raises `CdnerError` for one that is not there, or that generates no text."""
    file = gguf(name)
    options: dict[str, Any] = {"gguf_file": file.name} if file else {}
    config = hub.load(AutoConfig.from_pretrained, name, **options)
    kind: type[Seq2Seq | Causal] = Seq2Seq if config.is_encoder_decoder else Causal
    tokenizer = hub.load(AutoTokenizer.from_pretrained, name, **options)
    encoder = kind is Causal and config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if encoder or tokenizer.eos_token_id is None:
        raise CdnerError(
            f"the backbone {name!r} generates no text: "
            + ("it is an encoder" if encoder else "its tokenizer has no end-of-sequence token"),
            hint="take a T5 or another encoder-decoder, or a decoder such as smollm2",
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Opened(kind, tokenizer, config, options)


def gguf(name: str) -> Path | None:
    """The file that a folder without a config.json is read through, if there is one."""
    folder = Path(name)
    files = sorted(folder.glob("*.gguf")) if folder.is_dir() and not (folder / "config.json").exists() else []
    return files[0] if files else None


def load(name: str, compute: Compute, limits: Limits, dropout: float | None = None) -> Backbone:
    """The backbone of a folder or a hub's name, in float32. A folder with a GGUF file is read through that.

    `dropout` None leaves the backbone's own. Raises `CdnerError` for one that is not there, or that generates no text.
    """
    found = opened(name)
    rates = {} if dropout is None else {rate: dropout for rate in _DROPOUTS if hasattr(found.config, rate)}
    options = {**found.options, **rates}
    network = hub.load_model(found.kind.auto, name, attn_implementation=hub.attention(), **options)
    if getattr(network.config, "quantization_config", None) is not None:
        del network.config.quantization_config  # the weights are float32 now
        network.hf_quantizer = None
    greedy(network, found.tokenizer)
    return found.kind(network, found.tokenizer, compute, limits)


def greedy(network: Any, tokenizer: Any) -> None:
    """Make answers greedy, whatever the backbone's own generation settings are."""
    network.generation_config = GenerationConfig(
        do_sample=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=getattr(network.config, "decoder_start_token_id", None),
    )
