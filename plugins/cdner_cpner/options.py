"""CP-NER's options: a group for each stage, in the order of the stages, and those that several stages read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt

from cdner_bench import backbone
from cdner_torch import options
from cdner_torch.options import Decoding, Dev, Generation, Length, Positive, Share

Speed = Annotated[float, Gt(0)]


@dataclass(frozen=True)
class Network(Generation):
    """How the model computes in every stage."""

    max_target: Length = 192
    """To how many tokens what is to be said is cut, in training."""


@dataclass(frozen=True)
class Prefix(options.Prefix):
    """The prefixes, and what else may learn."""

    dropout: Share = 0.1
    """The dropout of the prefixes."""
    freeze_embeddings: bool = False
    """Whether the backbone's embeddings, which are its output layer too, are frozen like the rest of it."""


@dataclass(frozen=True)
class Finetuning:
    """What is the same for all stages."""

    wording: Literal["spots", "items"] = "spots"
    """What is read and said: `spots` are those of the released code, which names no types in what is read; `items` the
    prompt and the `(type, words)` of this project's other text-to-text methods.
    """
    rejection: Share = 0.1
    """In training, for each entity, the chance of a record of nothing with a type that the sentence lacks (`spots`
    only).
    """
    warmup: Share = 0.06
    """During which share of the steps the learning rate rises. It falls to 0 over all steps, these too, so that it
    comes to 1 - `warmup` of what is given.
    """
    max_norm: Speed = 1.0
    """To which length gradients are cut."""
    patience: Positive | None = 5
    """After how many epochs without a better dev score training stops; none: never."""


@dataclass(frozen=True)
class Source:
    """The prefix of each source domain."""

    epochs: Positive = 100
    """How often the domain is gone through at most."""
    sentences: Positive | None = None
    """How many of its train sentences are learnt at most, drawn by the seed; none: all."""
    learning_rate: Speed = 1e-4
    """The learning rate, before it rises and falls (`finetuning.warmup`)."""
    batch_size: Positive = 8
    """How many sentences make a step."""
    select: Literal["dev", "last"] = "dev"
    """Which epoch is kept: the best on the domain's dev, or the last."""


@dataclass(frozen=True)
class Own:
    """The target's own prefix, before the sources' come to it."""

    epochs: Positive = 100
    """How often the target is gone through at most."""
    learning_rate: Speed = 1e-4
    """The learning rate, before it rises and falls (`finetuning.warmup`)."""
    batch_size: Positive = 8
    """How many sentences make a step."""


@dataclass(frozen=True)
class Target:
    """The target with the prefixes of all domains."""

    epochs: Positive = 100
    """How often it is gone through at most."""
    learning_rate: Speed | None = None
    """The learning rate, before it rises and falls (`finetuning.warmup`); none: the released code's, 5e-4 with one
    source and 4e-4 with several.
    """
    batch_size: Positive | None = None
    """How many sentences make a step; none: the released code's, 4 with one source and 8 with several."""
    hidden: Positive = 500
    """How wide the layer is through which prefixes of several sources are compared."""


@dataclass(frozen=True)
class CpNerOptions:
    """Defaults are the released code's (docs/cp-ner.md has the list)."""

    backbone: Annotated[str, backbone] = "t5-base"
    """The encoder-decoder to start from: one of `cdner-bench models list`, a folder, or a hub's name."""
    network: Network = Network()
    prefix: Prefix = Prefix()
    finetuning: Finetuning = Finetuning()
    source: Source = Source()
    own: Own = Own()
    target: Target = Target()
    dev: Dev = field(default_factory=Dev)
    decoding: Decoding = field(default_factory=lambda: Decoding(max_answer=192))
