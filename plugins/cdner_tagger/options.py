"""The tagger's options: a group for each stage, in the order of the stages, and those that several stages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from cdner_bench import backbone, chooses_knowledge
from cdner_torch.options import Dev, Positive, Rate
from cdner_torch.tagging import options
from cdner_torch.tagging.options import Network, Source


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
class Finetuning(options.Finetuning):
    """How the sources and the target are learnt."""

    transfer: Literal["pretrain-finetune", "direct", "joint"] = "pretrain-finetune"
    """`pretrain-finetune` learns the sources, then the target; `direct` the target alone; `joint` both at once."""


@dataclass(frozen=True)
class Target(options.Target):
    """The target domain."""

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
    network: Network = field(default_factory=Network)
    mlm: Mlm = Mlm()
    finetuning: Finetuning = Finetuning()
    source: Source = field(default_factory=Source)
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
