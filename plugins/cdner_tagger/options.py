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


@dataclass(frozen=True)
class Mlm:
    """Masked-LM pre-training: on rows of `block` sub-words, each masked with `probability`."""

    epochs: Positive = 15
    probability: Rate = 0.2
    learning_rate: Rate = 5e-5
    block: Annotated[int, Ge(16)] = 512


@dataclass(frozen=True)
class Finetuning:
    """How the sources and the target are learnt. `transfer`: `pretrain-finetune` learns the sources, then the target;
    `direct` the target alone; `joint` both at once. The batch is counted in windows, the dropout is the encoder's (None
    leaves the backbone's own).
    """

    transfer: Literal["pretrain-finetune", "direct", "joint"] = "pretrain-finetune"
    batch_size: Positive = 16
    dropout: Share | None = None


@dataclass(frozen=True)
class Source:
    """The source domains, of which `sentences` caps each. `sampling`: `sqrt` draws from several with weight √size,
    `concat` takes them as they are.
    """

    epochs: Positive = 2
    learning_rate: Rate = 5e-5
    sentences: Positive | None = None
    sampling: Literal["sqrt", "concat"] = "sqrt"


@dataclass(frozen=True)
class Target:
    """The target: training stops after `patience` epochs without a better dev score. With `finetuning.transfer=joint`,
    its sentences are repeated `joint_repeats` times.
    """

    epochs: Positive = 300
    patience: Positive | None = 8
    learning_rate: Rate = 5e-5
    schedule: Literal["constant", "linear"] = "constant"
    joint_repeats: Positive = 50


@dataclass(frozen=True)
class TaggerOptions:
    """Defaults are CrossNER's (bert-base-cased, Adam 5e-5, batch 16, 2 source epochs, patience 8); docs/tagger.md says
    what differs from its code.

    `pretraining`: masked-LM on the target's `gtok` explanations first, or `none`.
    """

    backbone: Annotated[str, backbone] = "bert-base-cased"
    pretraining: Annotated[Literal["none", "gtok"], chooses_knowledge] = "none"
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
