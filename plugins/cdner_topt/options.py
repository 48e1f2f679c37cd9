"""TOPT's options: a group for each stage, in the order of the stages, and those that several stages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import DirectoryPath, FilePath

from cdner_bench import backbone, chooses_knowledge, supplies
from cdner_torch.compute import Precision
from cdner_torch.options import Decoding, Dev, Natural, Positive, Rate, Share


@dataclass(frozen=True)
class Network:
    """How the model computes in every stage. Sources and targets are cut to as many tokens; `dropout` None leaves the
    backbone's own.
    """

    dropout: Share | None = None
    max_source: Positive = 256
    max_target: Positive = 256
    precision: Precision = "auto"


@dataclass(frozen=True)
class Mslm:
    """Stage M, masked span language modelling, and what it learns from.

    `gtok` is a file to take instead of the benchmark's; `gtok_folder` holds one file a domain: `gtok_mix` explanations
    of the other domains are added, or those of as many sentences (`gtok_mix_unit`), or, with `cumulative_gtok`, the
    domains are learnt one after the other up to the target, as the released script does. `dapt_tokens` caps the words
    of domain text. `masked_copies` is λ.
    """

    gtok: Annotated[FilePath | None, supplies("gtok"), chooses_knowledge] = None
    gtok_folder: Annotated[DirectoryPath | None, chooses_knowledge] = None
    gtok_mix: Annotated[Natural, chooses_knowledge] = 0
    gtok_mix_unit: Annotated[Literal["explanations", "sentences"], chooses_knowledge] = "explanations"
    cumulative_gtok: Annotated[bool, chooses_knowledge] = False
    dapt_tokens: Positive | None = None
    masked_copies: Positive = 10
    mask_probability: Rate = 0.15
    masks: Literal["static", "dynamic"] = "static"
    entity_mask: bool = True
    legacy_sentinel: bool = False
    add_sentinels: bool = False
    epochs: Positive = 25
    learning_rate: Rate = 1e-4
    batch_size: Positive = 4


@dataclass(frozen=True)
class Finetuning:
    """What is the same for the sources and the target: sentences of a batch, and the order of the types in a prompt."""

    batch_size: Positive = 8
    option_order: Literal["sorted", "random"] = "sorted"


@dataclass(frozen=True)
class Source:
    """Stage S on a source domain, of which `sentences` caps the train split. `select`: the best epoch on dev, or the
    last.
    """

    epochs: Positive = 25
    sentences: Positive | None = None
    learning_rate: Rate = 1e-4
    select: Literal["dev", "last"] = "last"


@dataclass(frozen=True)
class Target:
    """Stage S on the target. `select`: the best epoch on dev, or the last.

    `merge`: the target's model as it is (`none`); Algorithm 1, the target learnt from the pre-trained model and merged
    with the sources (`alg1`); learnt from the sources and merged with them (`seq+merge`).
    """

    epochs: Positive = 25
    learning_rate: Rate = 1e-4
    select: Literal["dev", "last"] = "dev"
    merge: Literal["none", "alg1", "seq+merge"] = "none"


@dataclass(frozen=True)
class ToptOptions:
    """Defaults are the paper's or, where the two disagree, the released code's (docs/topt.md has the list).

    `pretraining`: MSLM on the target's `gtok` explanations, on `dapt` text, or `none`.
    """

    backbone: Annotated[str, backbone] = "google/flan-t5-base"
    pretraining: Annotated[Literal["gtok", "dapt", "none"], chooses_knowledge] = "gtok"
    network: Network = Network()
    mslm: Mslm = Mslm()
    finetuning: Finetuning = Finetuning()
    source: Source = Source()
    target: Target = Target()
    dev: Dev = field(default_factory=Dev)
    decoding: Decoding = field(default_factory=Decoding)

    formerly: ClassVar[Mapping[str, str]] = {
        **{name: f"network.{name}" for name in ("dropout", "max_source", "max_target", "precision")},
        **{
            name: f"mslm.{name}"
            for name in (
                "gtok", "gtok_folder", "gtok_mix", "gtok_mix_unit", "cumulative_gtok", "dapt_tokens", "masked_copies",
                "mask_probability", "masks", "entity_mask", "legacy_sentinel", "add_sentinels",
            )
        },
        "mslm_epochs": "mslm.epochs",
        "mslm_learning_rate": "mslm.learning_rate",
        "mslm_batch_size": "mslm.batch_size",
        "batch_size": "finetuning.batch_size",
        "option_order": "finetuning.option_order",
        "source_epochs": "source.epochs",
        "source_sentences": "source.sentences",
        "source_learning_rate": "source.learning_rate",
        "source_select": "source.select",
        "epochs": "target.epochs",
        "learning_rate": "target.learning_rate",
        "select": "target.select",
        "merge": "target.merge",
        "dev_every": "dev.every",
        "dev_sentences": "dev.sentences",
        "max_answer": "decoding.max_answer",
    }  # fmt: skip
