"""Options that the methods which tag words have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from cdner_bench import backbone, chooses_knowledge

from ..compute import Precision
from ..options import Dev, Length, Positive, Rate, Share


@dataclass(frozen=True)
class Network:
    """How the model computes in every stage."""

    precision: Precision = "auto"
    """What is computed in: `auto` is bf16 where the device has it, else fp32. Test sentences are always answered in
    fp32.
    """


@dataclass(frozen=True)
class Finetuning:
    """How the sources and the target are learnt."""

    batch_size: Positive = 16
    """How many windows (a sentence, or a stretch of one that is too long) make a step."""
    dropout: Share | None = None
    """The encoder's dropout; none leaves the backbone's own."""


@dataclass(frozen=True)
class Source:
    """The source domains."""

    epochs: Positive = 2
    """How often they are gone through."""
    learning_rate: Rate = 5e-5
    """The learning rate, constant."""
    sentences: Positive | None = None
    """How many train sentences of each are learnt at most, drawn by the seed; none: all."""
    sampling: Literal["sqrt", "concat"] = "sqrt"
    """How several are mixed: `sqrt` draws from each with weight √size, `concat` takes them as they are."""


@dataclass(frozen=True)
class Target:
    """The target domain."""

    epochs: Positive = 300
    """How often it is gone through at most."""
    patience: Positive | None = 8
    """After how many epochs without a better dev score training stops; none: never."""
    learning_rate: Rate = 5e-5
    """The learning rate at the beginning."""
    schedule: Literal["constant", "linear"] = "constant"
    """Whether the learning rate stays `constant` or falls to 0 (`linear`)."""


@dataclass(frozen=True)
class Mlm:
    """Masked-LM pre-training."""

    epochs: Positive = 15
    """How often the texts are read."""
    probability: Rate = 0.2
    """The share of sub-words that are masked."""
    learning_rate: Rate = 5e-5
    """The learning rate at the beginning; it falls to 0."""
    block: Length = 512
    """How many sub-words a row of text has."""


@dataclass(frozen=True)
class Dapt(Mlm):
    """Domain-adaptive pre-training: masked-LM on unlabelled text of the target's domain."""

    dapt_tokens: Positive | None = None
    """How many words of the text are learnt at most; none: all."""


@dataclass(frozen=True)
class TransferFinetuning(Finetuning):
    """How the sources and the target are learnt."""

    transfer: Literal["pretrain-finetune", "direct", "joint"] = "pretrain-finetune"
    """`pretrain-finetune` learns the sources, then the target; `direct` the target alone; `joint` both at once."""


@dataclass(frozen=True)
class TransferTarget(Target):
    """The target domain."""

    joint_repeats: Positive = 50
    """How often its sentences are repeated among those of the sources, with `finetuning.transfer=joint`."""


@dataclass(frozen=True)
class TransferOptions:
    """What a `Transfer` has."""

    backbone: Annotated[str, backbone] = "bert-base-cased"
    """The encoder to start from: one of `cdner-bench models list`, a folder, or a hub's name."""
    pretraining: Annotated[Literal["none", "gtok", "dapt"], chooses_knowledge] = "none"
    """What masked-LM reads first: the target's `gtok` explanations, unlabelled text of it (`dapt`), or `none`."""
    network: Network = Network()
    mlm: Mlm = Mlm()
    finetuning: TransferFinetuning = TransferFinetuning()
    source: Source = Source()
    target: TransferTarget = TransferTarget()
    dev: Dev = field(default_factory=Dev)
