"""The tagger's options: a group for each stage, in the order of the stages, and those that several stages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from cdner_bench import backbone, chooses_knowledge
from cdner_torch.compute import Precision
from cdner_torch.options import Dev, Positive, Rate, Share


@dataclass(frozen=True)
class Network:
    """How the model computes in every stage."""

    precision: Precision = "auto"
    """What is computed in: `auto` is bf16 where the device has it, else fp32. Test sentences are always answered in
    fp32.
    """


@dataclass(frozen=True)
class Mlm:
    """Masked-LM pre-training on explanations."""

    epochs: Positive = 15
    """How often the explanations are read."""
    probability: Rate = 0.2
    """The share of sub-words that are masked."""
    learning_rate: Rate = 5e-5
    """The learning rate at the beginning; it falls to 0."""
    block: Annotated[int, Ge(16)] = 512
    """How many sub-words a row of text has."""


@dataclass(frozen=True)
class Finetuning:
    """How the sources and the target are learnt."""

    transfer: Literal["pretrain-finetune", "direct", "joint"] = "pretrain-finetune"
    """`pretrain-finetune` learns the sources, then the target; `direct` the target alone; `joint` both at once."""
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
    joint_repeats: Positive = 50
    """How often its sentences are repeated among those of the sources, with `finetuning.transfer=joint`."""


@dataclass(frozen=True)
class TaggerOptions:
    """Defaults are CrossNER's (bert-base-cased, Adam 5e-5, batch 16, 2 source epochs, patience 8); docs/tagger.md says
    what differs from its code.
    """

    backbone: Annotated[str, backbone] = "bert-base-cased"
    """The encoder to start from: one of `cdner-bench models list`, a folder, or a hub's name."""
    pretraining: Annotated[Literal["none", "gtok"], chooses_knowledge] = "none"
    """Masked-LM on the target's `gtok` explanations first, or `none`."""
    network: Network = Network()
    mlm: Mlm = Mlm()
    finetuning: Finetuning = Finetuning()
    source: Source = Source()
    target: Target = Target()
    dev: Dev = field(default_factory=Dev)

    formerly: ClassVar[Mapping[str, str]] = {
        "precision": "network.precision",
        "mlm_epochs": "mlm.epochs",
        "mlm_probability": "mlm.probability",
        "mlm_learning_rate": "mlm.learning_rate",
        "mlm_block": "mlm.block",
        "transfer": "finetuning.transfer",
        "batch_size": "finetuning.batch_size",
        "dropout": "finetuning.dropout",
        "source_epochs": "source.epochs",
        "source_learning_rate": "source.learning_rate",
        "source_sentences": "source.sentences",
        "source_sampling": "source.sampling",
        "epochs": "target.epochs",
        "patience": "target.patience",
        "dev_every": "dev.every",
        "target.dev_every": "dev.every",
        "learning_rate": "target.learning_rate",
        "schedule": "target.schedule",
        "joint_repeats": "target.joint_repeats",
    }
