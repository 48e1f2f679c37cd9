"""MCCL's options: what a word is read as, the cells, the two sides of the one stage, and dev."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt
from pydantic import FilePath

from cdner_bench import backbone
from cdner_torch.options import Dev, Factor, Positive, Rate, Share
from cdner_torch.tagging.options import Network


@dataclass(frozen=True)
class Words:
    """What a word is read as: the encoder's state at its first sub-word, its letters, and a vector if there is one."""

    encoder: Literal["frozen", "trained"] = "frozen"
    """Whether the encoder stays as it is or learns with the rest."""
    encoder_dropout: Share | None = None
    """The encoder's dropout while it is trained; none leaves the backbone's own."""
    letters: Positive = 50
    """How many filters of three letters read a word."""
    vectors: FilePath | None = None
    """A file of word vectors, `word number number …` a line, as GloVe's and fastText's are; none: there are none."""
    dropout: Share = 0.5
    """The share of a word's representation, and of what the cells make of it, that is left out."""


@dataclass(frozen=True)
class Cells:
    """The multi-cell compositional LSTM."""

    units: Positive = 100
    """How many numbers a cell has in each direction."""
    types: Factor = 1.0
    """The weight of telling a word's type from the cell of that type."""
    attention: Factor = 1.0
    """The weight of attending to the cell of a word's type."""
    attention_loss: Literal["paper", "code"] = "paper"
    """`paper` takes -log of the attention, `code` a softmax over it first, as the released code does."""


@dataclass(frozen=True)
class Source:
    """The source domains, batches of which alternate with those of the target."""

    epochs: Positive | None = None
    """How often they are gone through in all, evenly over the epochs of the target, in each of which are as many whole
    batches, one at least; none: a batch of a source follows each of the target.
    """
    sentences: Positive | None = None
    """How many train sentences of each are learnt at most, drawn by the seed; none: all."""
    weight: Factor = 1.0
    """What the loss of a source's tags weighs."""


@dataclass(frozen=True)
class Target:
    """The target domain, and how both are learnt."""

    epochs: Positive = 100
    """How often it is gone through at most."""
    patience: Positive | None = None
    """After how many epochs without a better dev score training stops; none: never."""
    weight: Factor = 1.0
    """What the loss of its tags weighs."""
    batch_size: Positive = 10
    """How many sentences make a step."""
    optimizer: Literal["sgd", "adam"] = "sgd"
    """Plain gradient descent, or Adam."""
    learning_rate: Rate = 0.015
    """The learning rate at the beginning."""
    encoder_rate: Annotated[float, Gt(0)] = 1.0
    """The learning rate of a trained encoder, as a multiple of the others'."""
    schedule: Literal["inverse", "linear", "constant"] = "inverse"
    """The rate divided by 1 + 0.03 · epoch (`inverse`), falling to 0 (`linear`) or `constant`."""
    clip: Annotated[float, Gt(0)] | None = None
    """The length that gradients are cut to; none: they are not."""


@dataclass(frozen=True)
class McclOptions:
    """Defaults are those of the released code; docs/mccl.md says what differs from it."""

    backbone: Annotated[str, backbone] = "bert-base-cased"
    """The encoder to start from: one of `cdner-bench models list`, a folder, or a hub's name."""
    network: Network = field(default_factory=Network)
    words: Words = Words()
    cells: Cells = Cells()
    source: Source = Source()
    target: Target = Target()
    dev: Dev = field(default_factory=Dev)
