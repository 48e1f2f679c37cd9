"""Prefixes of several domains brought together: the mean of two, or the target's with several sources'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from cdner_torch.prefixes import KINDS, Fixed, Kind, Prefixes

LEARNT = "prefixes."
"""How the names of a prefix's weights begin among those of its network."""


def mean(target: Mapping[str, Tensor], source: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The target's weights, those that make its prefix averaged with the source's."""
    return {name: (w + source[name]) / 2 if name.startswith(LEARNT) else w for name, w in target.items()}


def share(similarities: Tensor) -> Tensor:
    """Similarities as shares of one; none is below zero, and all are alike where nothing is similar."""
    positive = similarities.clamp(min=0) + 1e-8
    return positive / positive.sum()


class Combined(Prefixes):
    """P = (P_T + Σ_j s_j P_j) / 2: the target's live prefix P_T and the sources' P_j as they are, s = (a + b) / 2.

    a_j are the shares of cos(π(P̄_T), π(P̄_j)), where P̄ is the mean of a prefix's keys and values and π learns by the
    sources alone; b_j, which are given, are those of the domains' labels.
    """

    labels: Tensor

    def __init__(self, own: Prefixes, sources: Sequence[Fixed], labels: Tensor, hidden: int) -> None:
        super().__init__()
        self.own = own
        for kind in KINDS:
            self.register_buffer(f"of_sources_{kind}", torch.stack([source(kind).detach() for source in sources]))
        self.register_buffer("labels", labels)
        means = [average(source).detach() for source in sources]
        self.register_buffer("means", torch.stack(means))
        self.compared = nn.Sequential(nn.Linear(len(means[0]), hidden), nn.Tanh(), nn.Linear(hidden, len(means[0])))

    def shares(self) -> Tensor:
        """s_j, one a source."""
        target = self.compared(average(self.own)).detach()
        alike = nn.functional.cosine_similarity(target[None], self.compared(self.get_buffer("means")))
        shares: Tensor = (share(alike) + self.labels) / 2
        return shares

    def forward(self, kind: Kind) -> Tensor:
        """See `Prefixes`."""
        sources = self.get_buffer(f"of_sources_{kind}")
        brought = torch.einsum("j,j...->...", self.shares().to(sources.dtype), sources)
        combined: Tensor = (self.own(kind) + brought) / 2
        return combined


def average(prefixes: Prefixes) -> Tensor:
    """The mean of all keys and values, as wide as all heads together."""
    flat = [prefixes(kind).float().transpose(-3, -2).flatten(-2).flatten(0, -2) for kind in KINDS]
    return torch.cat(flat).mean(0)
