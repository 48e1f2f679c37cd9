"""TOPT's options: a group for each stage, in the order of the stages, and those that several stages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import DirectoryPath, FilePath

from cdner_bench import backbone, chooses_knowledge, supplies
from cdner_torch.options import Decoding, Dev, Generation, Natural, Positive, Rate


@dataclass(frozen=True)
class Mslm:
    """Stage M, masked span language modelling, and what it learns from."""

    gtok: Annotated[FilePath | None, supplies("gtok"), chooses_knowledge] = None
    """A file of explanations to take instead of the benchmark's."""
    gtok_folder: Annotated[DirectoryPath | None, chooses_knowledge] = None
    """A folder with a file of explanations for each domain, for `gtok_mix` and `cumulative_gtok`."""
    gtok_mix: Annotated[Natural, chooses_knowledge] = 0
    """How many explanations of other domains are added from `gtok_folder`."""
    gtok_mix_unit: Annotated[Literal["explanations", "sentences"], chooses_knowledge] = "explanations"
    """Whether `gtok_mix` counts explanations, or sentences of which all explanations are taken."""
    cumulative_gtok: Annotated[bool, chooses_knowledge] = False
    """Learn the domains of `gtok_folder` one after the other up to the target, as the released script does."""
    dapt_tokens: Positive | None = None
    """How many words of domain text are learnt at most, with `pretraining=dapt`; none: all."""
    masked_copies: Positive = 10
    """How many copies of each text are masked, λ in the paper."""
    mask_probability: Rate = 0.15
    """The share of words that are masked."""
    masks: Literal["static", "dynamic"] = "static"
    """Whether masks are drawn once (`static`) or in every epoch (`dynamic`)."""
    entity_mask: bool = True
    """Mask the entity's words and its type in the first copy of an explanation."""
    legacy_sentinel: bool = False
    """Number sentinels as the released code does, off by one where the first word is masked."""
    add_sentinels: bool = False
    """Give T5's sentinels to a tokenizer that has none."""
    epochs: Positive = 25
    """How often the texts are gone through."""
    learning_rate: Rate = 1e-4
    """The learning rate at the beginning; it falls to 0."""
    batch_size: Positive = 4
    """How many masked texts make a step."""


@dataclass(frozen=True)
class Finetuning:
    """What is the same for the sources and the target."""

    batch_size: Positive = 8
    """How many sentences make a step."""
    option_order: Literal["sorted", "random"] = "sorted"
    """The types of a prompt in alphabetical order, or in one that is drawn for each sentence."""


@dataclass(frozen=True)
class Source:
    """Stage S on a source domain."""

    epochs: Positive = 25
    """How often it is gone through."""
    sentences: Positive | None = None
    """How many of its train sentences are learnt at most; none: all."""
    learning_rate: Rate = 1e-4
    """The learning rate at the beginning; it falls to 0."""
    select: Literal["dev", "last"] = "last"
    """Which epoch is kept: the best on dev, or the last."""


@dataclass(frozen=True)
class Target:
    """Stage S on the target."""

    epochs: Positive = 25
    """How often it is gone through."""
    learning_rate: Rate = 1e-4
    """The learning rate at the beginning; it falls to 0."""
    select: Literal["dev", "last"] = "dev"
    """Which epoch is kept: the best on dev, or the last."""
    merge: Literal["none", "alg1", "seq+merge"] = "none"
    """Which model answers: the target's as it is (`none`); Algorithm 1, the target learnt from the pre-trained model
    and merged with the sources (`alg1`); learnt from the sources and merged with them (`seq+merge`).
    """


@dataclass(frozen=True)
class ToptOptions:
    """Defaults are the paper's or, where the two disagree, the released code's (docs/topt.md has the list)."""

    backbone: Annotated[str, backbone] = "google/flan-t5-base"
    """The text-to-text model or decoder to start from: one of `cdner-bench models list`, a folder, or a hub's name."""
    pretraining: Annotated[Literal["gtok", "dapt", "none"], chooses_knowledge] = "gtok"
    """MSLM on the target's `gtok` explanations, on `dapt` text, or `none`."""
    network: Generation = field(default_factory=Generation)
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
