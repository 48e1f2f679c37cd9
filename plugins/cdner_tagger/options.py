"""The taggers' options: those of a `Transfer`, with what each learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from cdner_bench import chooses_knowledge
from cdner_torch.tagging.options import Dapt, TransferOptions


@dataclass(frozen=True)
class TaggerOptions(TransferOptions):
    """Defaults are CrossNER's (bert-base-cased, Adam 5e-5, batch 16, 2 source epochs, patience 8); docs/tagger.md says
    what differs from its code.
    """

    pretraining: Annotated[Literal["none", "gtok"], chooses_knowledge] = "none"
    """Masked-LM on the target's `gtok` explanations first, or `none`."""

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


@dataclass(frozen=True)
class DaptnOptions(TransferOptions):
    """Defaults are CrossNER's (bert-base-cased, span-level masked-LM, then its tagger); docs/daptn.md says what differs
    from its code.
    """

    pretraining: Annotated[Literal["none", "dapt"], chooses_knowledge] = "dapt"
    """Masked-LM on unlabelled text of the target first, its resource `dapt`, or `none`."""
    mlm: Dapt = field(default_factory=Dapt)
