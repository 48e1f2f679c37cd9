"""A tagger that reads every word together with what its sentence says of each label, and how it is taught."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from cdner_torch.batches import IGNORED
from cdner_torch.descent import move_network
from cdner_torch.tagging.encoding import Window, collate
from cdner_torch.tagging.model import Tagger
from cdner_torch.tagging.training import Pupil, Tagging

from .graphs import connect, couple, measure_discrepancy, measure_distances, place_labels
from .options import Graph


class LabelGraphTagger(Tagger):
    """Label semantic fusing over BIO labels, `O` first and then B and I of each type.

    `apart` are the distances of the labels as the source sees them, `edges` the adjacency made of them: without a
    source, no label has a neighbour. `nodes` is where the target's graph has come to: training moves it, and no
    gradient does.
    """

    apart: Tensor
    edges: Tensor

    def __init__(self, encoder: object, labels: Sequence[str], domains: Sequence[Sequence[str]]) -> None:
        super().__init__(encoder, labels, domains)
        size, count = self.head.in_features, len(labels)
        self.query, self.passing, self.fusing = (
            nn.Linear(size, size),
            nn.Linear(size, size, bias=False),
            nn.Linear(size, size),
        )
        self.vectors = Parameter(torch.randn(count, size) * 0.02)
        self.occurring = Parameter(torch.randn(count // 2, size) * 0.02)
        nn.init.normal_(self.fusing.weight, std=0.02)
        nn.init.zeros_(self.fusing.bias)
        self.nodes = Parameter(torch.full((count, count), 1 / count), requires_grad=False)
        self.register_buffer("apart", torch.zeros(count, count))
        self.register_buffer("edges", torch.eye(count))

    def forward(self, ids: Tensor, attention: Tensor, domains: Tensor) -> Tensor:
        """Logits (sequences, sub-words, labels), in float32."""
        return self.read(ids, attention)[0]

    def read(self, ids: Tensor, attention: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (sequences, sub-words, labels) of labels, and (sequences, types) of whether a type occurs."""
        hidden = self.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
        queries = self.query(hidden)
        near = queries @ self.vectors.T
        shares = near.masked_fill(attention[..., None] == 0, -torch.inf).softmax(1)
        said = shares.transpose(1, 2) @ queries
        passed = torch.relu(self.passing(self.edges @ said))
        fused = hidden + self.fusing((queries @ passed.transpose(1, 2)).softmax(-1) @ passed)
        occurs = (passed[:, 1::2] * self.occurring).sum(-1)
        return self.head(fused).float(), occurs.float()

    def connect(self, nodes: Tensor, reach: float) -> None:
        """Take over where the source places the labels."""
        self.apart.copy_(measure_distances(nodes))
        self.edges.copy_(connect(self.apart, reach))


class GraphPupil(Pupil):
    """A tagger that learns its words' labels, which types a sentence has, and to keep the source's label graph."""

    network: LabelGraphTagger

    def __init__(self, tagger: LabelGraphTagger, compute: Tagging, graph: Graph) -> None:
        super().__init__(tagger, compute)
        self.graph = graph

    def learnt(self) -> Iterator[tuple[str, Parameter]]:
        """With where the target's graph has come to, or an interrupted training would not go on from there."""
        yield from super().learnt()
        yield "nodes", self.network.nodes

    def loss(self, windows: Sequence[Window]) -> Tensor:
        """L = L_words + matching · L_graphs + auxiliary · L_types, times the words, as `terms` counts them."""
        batch = collate(windows, self.compute.pad)
        device = self.compute.device
        with self.compute.autocast():
            logits, occurs = self.network.read(batch.ids.to(device), batch.attention.to(device))
        gold = batch.labels.to(device)
        loss = cross_entropy(logits.flatten(0, 1), gold.flatten(), ignore_index=IGNORED, reduction="sum")
        words = (gold != IGNORED).sum(1)
        if self.graph.auxiliary and occurs.numel():
            kinds = torch.stack([(gold == row) | (gold == row + 1) for row in range(1, logits.shape[-1], 2)])
            each = binary_cross_entropy_with_logits(occurs, kinds.any(-1).T.float(), reduction="none").mean(1)
            loss = loss + self.graph.auxiliary * (each * words).sum()
        if self.graph.matching and self.network.apart.any():
            loss = loss + self.graph.matching * self._mismatch(logits, gold) * words.sum()
        return loss

    def _mismatch(self, logits: Tensor, gold: Tensor) -> Tensor:
        """L_graphs; the nodes of the batch's labels move towards where the batch places them."""
        chosen, group, nodes = gold != IGNORED, self.graph, self.network.nodes
        placed, seen = place_labels((logits[chosen] / group.temperature).softmax(-1), gold[chosen], len(nodes))
        moved = torch.where(seen[:, None], group.momentum * nodes + (1 - group.momentum) * placed, nodes)
        with torch.no_grad():
            nodes.copy_(moved)
        target = measure_distances(moved)
        coupling = couple(self.network.apart, target.detach(), group.regularisation)
        return measure_discrepancy(self.network.apart, target, coupling)


@torch.no_grad()
def survey(tagger: Tagger, windows: Sequence[Window], labels: int, compute: Tagging, temperature: float) -> Tensor:
    """Where a tagger, of whatever labels, places the `labels` labels that the windows have."""
    move_network(tagger, compute.device, Pupil.relief).eval()

    def say(group: Sequence[Window]) -> tuple[Tensor, Tensor]:
        batch = collate(group, compute.pad)
        chosen = batch.labels != IGNORED
        logits = compute.logits(tagger, batch)[chosen.to(compute.device)]
        return (logits / temperature).softmax(-1), batch.labels[chosen]

    probabilities, gold = (
        [torch.empty(0, len(tagger.labels), device=compute.device)],
        [torch.empty(0, dtype=torch.long)],
    )
    for _, (likely, labelled) in tagger.portions.answer(windows, len, say):
        probabilities.append(likely)
        gold.append(labelled)
    return place_labels(torch.cat(probabilities), torch.cat(gold).to(compute.device), labels)[0]
