"""QLoRA's options: a group for each stage, in the order of the stages, and those that several stages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt

from cdner_bench import backbone
from cdner_torch.compute import Precision
from cdner_torch.options import Decoding, Dev, Positive, Rate, Share


@dataclass(frozen=True)
class Network:
    """How the decoder computes in every stage. Sources and targets are cut to as many tokens."""

    max_source: Positive = 320
    max_target: Positive = 192
    precision: Precision = "auto"


@dataclass(frozen=True)
class Adapters:
    """What learns: adapters of a rank, a scale (alpha / rank) and a dropout of their own, in a decoder whose weights
    are in 4 bits or not. `checkpointing` computes activations twice to save memory.
    """

    quantisation: Literal["nf4", "none"] = "nf4"
    rank: Positive = 64
    alpha: Positive = 16
    dropout: Share = 0.1
    checkpointing: bool = False


@dataclass(frozen=True)
class Finetuning:
    """How the sources and the target are learnt. `warmup` is a share of all steps, `max_norm` cuts gradients; a batch
    is gone through in `accumulate` parts.
    """

    learning_rate: Rate = 2e-4
    warmup: Share = 0.03
    max_norm: Annotated[float, Gt(0)] | None = 0.3
    batch_size: Positive = 16
    accumulate: Positive = 1


@dataclass(frozen=True)
class Source:
    """The source domains, of which `sentences` caps each. Several are pooled, each by the square root of its size."""

    epochs: Positive = 2
    sentences: Positive | None = None


@dataclass(frozen=True)
class Target:
    """The target. `select`: the best epoch on dev, or the last."""

    epochs: Positive = 10
    select: Literal["dev", "last"] = "dev"


@dataclass(frozen=True)
class QloraOptions:
    """Defaults are the paper's (rank, alpha) and, where it is silent, QLoRA's for 7B models (docs/qlora.md)."""

    backbone: Annotated[str, backbone] = "meta-llama/Llama-2-7b-hf"
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
