"""QLoRA's options: a group for each stage, in the order of the stages, and those that several stages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt

from cdner_bench import backbone
from cdner_torch.compute import Precision
from cdner_torch.options import Decoding, Dev, Length, Positive, Rate, Share


@dataclass(frozen=True)
class Network:
    """How the decoder computes in every stage."""

    max_source: Length = 320
    """To how many tokens what is read is cut, in training."""
    max_target: Length = 192
    """To how many tokens what is to be said is cut, in training."""
    precision: Precision = "auto"
    """What is computed in: `auto` is bf16 where the device has it, else fp32."""


@dataclass(frozen=True)
class Adapters:
    """What learns: adapters in a decoder whose own weights do not change."""

    quantisation: Literal["nf4", "none"] = "nf4"
    """Whether the decoder's weights are in 4 bits (`nf4`) or as they are (`none`)."""
    rank: Positive = 64
    """The rank of an adapter's two matrices."""
    alpha: Positive = 16
    """An adapter's scale, times its rank."""
    dropout: Share = 0.1
    """The dropout before an adapter."""
    checkpointing: bool = False
    """Compute activations twice to save memory."""


@dataclass(frozen=True)
class Finetuning:
    """How the sources and the target are learnt."""

    learning_rate: Rate = 2e-4
    """The learning rate, constant after the warm-up."""
    warmup: Share = 0.03
    """The share of all steps in which the learning rate rises."""
    max_norm: Annotated[float, Gt(0)] | None = 0.3
    """The norm to which gradients are cut; none: they are not."""
    batch_size: Positive = 16
    """How many sentences make a step."""
    accumulate: Positive = 1
    """In how many parts a batch is gone through, to save memory."""


@dataclass(frozen=True)
class Source:
    """The source domains. Several are pooled, each by the square root of its size."""

    epochs: Positive = 2
    """How often they are gone through."""
    sentences: Positive | None = None
    """How many train sentences of each are learnt at most; none: all."""


@dataclass(frozen=True)
class Target:
    """The target domain."""

    epochs: Positive = 10
    """How often it is gone through."""
    select: Literal["dev", "last"] = "dev"
    """Which epoch is kept: the best on dev, or the last."""


@dataclass(frozen=True)
class QloraOptions:
    """Defaults are the paper's (rank, alpha) and, where it is silent, QLoRA's for 7B models (docs/qlora.md)."""

    backbone: Annotated[str, backbone] = "meta-llama/Llama-2-7b-hf"
    """The decoder to start from: one of `cdner-bench models list`, a folder, or a hub's name."""
    network: Network = Network()
    adapters: Adapters = Adapters()
    finetuning: Finetuning = Finetuning()
    source: Source = Source()
    target: Target = Target()
    dev: Dev = field(default_factory=Dev)
    decoding: Decoding = field(default_factory=Decoding)

    formerly: ClassVar[Mapping[str, str]] = {
        **{name: f"network.{name}" for name in ("max_source", "max_target", "precision")},
        **{name: f"adapters.{name}" for name in ("quantisation", "rank", "alpha", "dropout", "checkpointing")},
        **{name: f"finetuning.{name}" for name in ("learning_rate", "warmup", "max_norm", "batch_size", "accumulate")},
        "source_epochs": "source.epochs",
        "source_sentences": "source.sentences",
        "epochs": "target.epochs",
        "select": "target.select",
        "dev_every": "dev.every",
        "dev_sentences": "dev.sentences",
        "max_answer": "decoding.max_answer",
    }
