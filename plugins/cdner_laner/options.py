"""LANER's options: those of a `Transfer`, with how labels are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from cdner_bench import chooses_knowledge
from cdner_torch.options import Positive
from cdner_torch.tagging import options
from cdner_torch.tagging.options import Dapt, TransferOptions, TransferTarget


@dataclass(frozen=True)
class Network(options.Network):
    """How the model computes in every stage."""

    label_size: Positive = 100
    """How many numbers stand for a label, and for what each direction of the LSTM has read of labels."""
    background: bool = True
    """Whether what a word asks of the labels before it depends on the sentence as those labels ask for it, too."""
    faithful: bool = False
    """Attend to pads, and read at test what was said of sub-words that have no label, as the released code does."""


@dataclass(frozen=True)
class LanerOptions(TransferOptions):
    """Defaults are the released code's (bert-base-cased, Adam 5e-5, batch 16, 2 source epochs, patience 16);
    docs/laner.md says what differs from it.
    """

    pretraining: Annotated[Literal["none", "dapt"], chooses_knowledge] = "none"
    """Masked-LM on unlabelled text of the target first, its resource `dapt`, or `none`."""
    network: Network = Network()
    mlm: Dapt = field(default_factory=Dapt)
    target: TransferTarget = field(default_factory=lambda: TransferTarget(patience=16))
