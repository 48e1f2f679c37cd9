"""LST-NER's options: a group for each stage, in the order of the stages, and those that several stages read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Gt

from cdner_bench import backbone
from cdner_torch.options import Dev, Factor, Positive, Share
from cdner_torch.tagging import options
from cdner_torch.tagging.options import Finetuning, Network, Source


@dataclass(frozen=True)
class Graph:
    """The graphs of the target's labels, and what their use weighs."""

    temperature: Annotated[float, Gt(0)] = 4.0
    """What logits are divided by before they are probabilities, of which a label's node is the mean."""
    reach: Annotated[float, Gt(0)] = 1.5
    """Labels nearer than so many mean distances have an edge."""
    regularisation: Annotated[float, Gt(0)] = 0.05
    """How much entropy the coupling of the two graphs is given."""
    momentum: Share = 0.5
    """What a node of the target's graph keeps of its value when a batch has words of its label."""
    matching: Factor = 0.01
    """The weight of the discrepancy between the two graphs; 0: they are not matched."""
    auxiliary: Factor = 0.1
    """The weight of saying which types a sentence has."""


@dataclass(frozen=True)
class Target(options.Target):
    """The target domain."""

    epochs: Positive = 100
    patience: Positive | None = None
    warmup: Share = 0.1
    """The share of all steps over which the learning rate rises. With `schedule=linear` it falls over all steps, these
    too, so that it comes to 1 - `warmup` of what is given.
    """
    clip: Annotated[float, Gt(0)] | None = 1.0
    """The length that gradients are cut to; none: they are not."""


@dataclass(frozen=True)
class LstOptions:
    """The paper's values where it says them, else those that docs/lst-ner.md gives reasons for."""

    backbone: Annotated[str, backbone] = "bert-base-cased"
    """The encoder to start from: one of `cdner-bench models list`, a folder, or a hub's name."""
    network: Network = field(default_factory=Network)
    finetuning: Finetuning = field(default_factory=Finetuning)
    source: Source = field(default_factory=Source)
    graph: Graph = Graph()
    target: Target = Target()
    dev: Dev = field(default_factory=Dev)
