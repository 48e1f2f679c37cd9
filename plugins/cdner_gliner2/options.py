"""What can be said of a GLiNER2: from which checkpoint it comes, how its answers are read, and what it learns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt

from cdner_bench import backbone
from cdner_torch.options import Dev, Rate
from cdner_torch.tagging.options import Finetuning, Network, Source, Target


@dataclass(frozen=True)
class Transfer(Finetuning):
    """How the sources and the target are learnt."""

    batch_size: Annotated[int, Gt(0)] = 8
    """How many stretches (a sentence, or a part of one that is too long) make a step."""
    transfer: Literal["none", "direct", "pretrain-finetune"] = "none"
    """`none` learns nothing (zero-shot); `direct` learns the target; `pretrain-finetune` the sources before it."""
    pace: Annotated[float, Gt(0)] = 50.0
    """How many times faster than the encoder its heads learn."""


@dataclass(frozen=True)
class Answering:
    """How spans become entities."""

    threshold: Rate = 0.5
    """How probable a span of a type is at least. Of spans that overlap, the most probable one stays."""


@dataclass(frozen=True)
class Gliner2Options:
    """Zero-shot with the paper's checkpoint; what is learnt if `finetuning.transfer` says so is learnt at the rates of
    the package's own trainer (docs/gliner2.md).
    """

    backbone: Annotated[str, backbone] = "fastino/gliner2-base-v1"
    """The GLiNER2 checkpoint to start from: a folder, or a hub's name."""
    network: Network = field(default_factory=Network)
    finetuning: Transfer = Transfer()
    source: Source = field(default_factory=lambda: Source(epochs=1, learning_rate=1e-5))
    target: Target = field(
        default_factory=lambda: Target(epochs=10, patience=None, learning_rate=1e-5, schedule="linear")
    )
    dev: Dev = field(default_factory=Dev)
    answering: Answering = Answering()
