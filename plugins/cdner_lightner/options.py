"""LightNER's options: a group for each stage, in the order of the stages, and those that several stages read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Gt

from cdner_bench import backbone
from cdner_torch.compute import Precision
from cdner_torch.options import Dev, Length, Natural, Positive, Prefix, Share

Speed = Annotated[float, Gt(0)]


@dataclass(frozen=True)
class Network:
    """How the model computes in every stage."""

    freeze: bool = True
    """Whether only prefixes and the weights of the labels' pieces learn, and the backbone stays as it is."""
    dropout: Share | None = None
    """The backbone's dropout; none leaves its own."""
    head_dropout: Share = 0.3
    """The dropout of the decoder's states before they point."""
    max_source: Length = 512
    """How many sub-words of a sentence are read; what is beyond is not answered."""
    precision: Precision = "auto"
    """What is computed in: `auto` is bf16 where the device has it, else fp32. Test sentences are always answered in
    fp32.
    """


@dataclass(frozen=True)
class Finetuning:
    """What is the same for the sources and the target."""

    weight_decay: Annotated[float, Ge(0)] = 0.01
    """AdamW's, of matrices."""
    schedule: Literal["constant", "linear"] = "constant"
    """Whether the learning rate stays `constant` or falls to 0 (`linear`)."""


@dataclass(frozen=True)
class Source:
    """The source domains."""

    epochs: Positive = 30
    """How often they are gone through."""
    sentences: Positive | None = None
    """How many train sentences of each are learnt at most, drawn by the seed; none: all."""
    learning_rate: Speed = 2e-5
    """The learning rate at the beginning."""
    batch_size: Positive = 16
    """How many sentences make a step."""
    sampling: Literal["sqrt", "concat"] = "sqrt"
    """How several are mixed: `sqrt` draws from each with weight √size, `concat` takes them as they are."""
    only_with_entities: bool = False
    """Leave out sentences without an entity, as the released code does."""


@dataclass(frozen=True)
class Target:
    """The target domain."""

    epochs: Positive = 30
    """How often it is gone through at most."""
    patience: Positive | None = None
    """After how many epochs without a better dev score training stops; none: never."""
    learning_rate: Speed = 5e-5
    """The learning rate at the beginning."""
    batch_size: Positive = 4
    """How many sentences make a step."""


@dataclass(frozen=True)
class Answering:
    """How long an answer, of pointers and labels, may be."""

    base: Natural = 10
    """How many pointers and labels any answer may have."""
    ratio: Annotated[float, Ge(0)] = 0.8
    """How many more for each sub-word of the sentence."""


@dataclass(frozen=True)
class LightNerOptions:
    """Defaults are the released code's (docs/lightner.md has the list)."""

    backbone: Annotated[str, backbone] = "facebook/bart-large"
    """The encoder-decoder to start from: one of `cdner-bench models list`, a folder, or a hub's name."""
    network: Network = Network()
    prefix: Prefix = field(default_factory=Prefix)
    finetuning: Finetuning = Finetuning()
    source: Source = Source()
    target: Target = Target()
    dev: Dev = field(default_factory=Dev)
    answering: Answering = Answering()
