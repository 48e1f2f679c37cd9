"""An encoder-decoder that says ends, labels and places of its source instead of words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cdner_torch.batches import IGNORED
from cdner_torch.compute import Compute
from cdner_torch.learner import Learner
from cdner_torch.portions import Portions

from .encoding import END, Batch, Encoder, Source


class Pointing(nn.Module):
    """`forward` gives logits (sentences, steps, 1 + labels + places) of a decoder's states z: z·E[end] for the end,
    Σ_k α_k z·E[piece k] for a label, α = softmax(w) over the pieces of its name, and z·(H + E[piece]) / 2 for a place.

    E are the backbone's embeddings, H what its encoder makes of the source. `allowed` (domains, labels) is false where
    a domain lacks a label; such logits are -inf.
    """

    names: Tensor
    named: Tensor
    allowed: Tensor

    def __init__(
        self, backbone: Any, names: Sequence[Sequence[int]], end: int, allowed: Sequence[Sequence[bool]], dropout: float
    ) -> None:
        super().__init__()
        self.backbone, self.end = backbone, end
        longest = max(map(len, names), default=0)
        padded = torch.zeros(len(names), longest, dtype=torch.long)
        exists = torch.zeros(len(names), longest, dtype=torch.bool)
        for row, ids in enumerate(names):
            padded[row, : len(ids)] = torch.tensor(ids)
            exists[row, : len(ids)] = True
        self.register_buffer("names", padded, persistent=False)
        self.register_buffer("named", exists, persistent=False)
        self.register_buffer("allowed", torch.tensor(allowed, dtype=torch.bool), persistent=False)
        self.weights = nn.Parameter(torch.empty(len(names), longest).uniform_(1, 2.5))
        self.dropout = nn.Dropout(dropout)

    @property
    def embeddings(self) -> Tensor:
        """E, a row for each piece."""
        weight: Tensor = self.backbone.get_input_embeddings().weight
        return weight

    def encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        """H, of shape (sentences, places, width)."""
        hidden: Tensor = self.backbone.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        return hidden

    def decode(self, decoded: Tensor, hidden: Tensor, mask: Tensor, past: Any = None) -> tuple[Tensor, Any]:
        """The decoder's states after each of the ids that it reads, as its output layer would see them, and its cache,
        if `past` is not False.
        """
        decoder = self.backbone.get_decoder()
        out = decoder.base_model(
            input_ids=decoded,
            encoder_hidden_states=hidden,
            encoder_attention_mask=mask,
            past_key_values=past or None,
            use_cache=past is not False,
        )
        states = out.last_hidden_state
        if hasattr(decoder, "cls"):  # BERT has a layer between its states and its output
            states = decoder.cls.predictions.transform(states)
        return states, out.past_key_values

    def label_shares(self) -> Tensor:
        """α, of shape (labels, pieces)."""
        return self.weights.masked_fill(~self.named, -torch.inf).softmax(-1)

    def point(self, states: Tensor, hidden: Tensor, ids: Tensor, places: Tensor, domains: Tensor) -> Tensor:
        """The logits, in float32, of states (sentences, steps, width)."""
        table = self.embeddings
        end = states @ table[self.end, :, None]
        labels = torch.einsum("bsd,lkd,lk->bsl", states, table[self.names], self.label_shares().to(states.dtype))
        labels = labels.float().masked_fill(~self.allowed[domains][:, None], -torch.inf)
        pointers = states @ ((hidden + table[ids]) / 2).transpose(1, 2)
        pointers = pointers.float().masked_fill(~places[:, None], -torch.inf)
        return torch.cat([end.float(), labels, pointers], -1)

    def forward(self, batch: Batch) -> Tensor:
        """The logits of a batch, whose answers are given."""
        hidden = self.encode(batch.ids, batch.mask)
        states, _ = self.decode(batch.decoded, hidden, batch.mask, past=False)
        return self.point(self.dropout(states), hidden, batch.ids, batch.places, batch.domains)


class Pointer(Learner[Source]):
    """A model that learns what to point at."""

    network: Pointing

    def __init__(self, network: Pointing, encoder: Encoder, compute: Compute) -> None:
        self.network = network.to(compute.device)
        self.encoder, self.compute = encoder, compute
        self.portions = Portions(64, 64 * 256**2)

    def loss(self, items: Sequence[Source]) -> Tensor:
        """Cross-entropy summed over what is to be said."""
        batch = self._batch(items)
        with self.compute.autocast():
            logits = self.network(batch)
        return nn.functional.cross_entropy(
            logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )

    def terms(self, items: Sequence[Source]) -> int:
        """How much is to be said."""
        return sum(len(item.said) for item in items)

    @torch.no_grad()
    def answer(self, sources: Sequence[Source], limits: Sequence[int], compute: Compute) -> list[list[int]]:
        """What is likeliest at every step, up to a limit for each source; the end is in it if it was reached."""
        network, device = self.network.eval(), self.compute.device
        batch = self._batch(sources)
        ids, mask, places, domains = batch.ids, batch.mask, batch.places, batch.domains
        said: list[list[int]] = [[] for _ in sources]
        rows = list(range(len(sources)))
        read, past = torch.tensor([self.encoder.start] * len(sources), device=device), None
        with compute.autocast():
            hidden = network.encode(ids, mask)
            while rows:
                states, past = network.decode(read, hidden, mask, past)
                chosen = network.point(states[:, -1:], hidden, ids, places, domains)[:, 0].argmax(-1).tolist()
                for row, token in zip(rows, chosen, strict=True):
                    said[row].append(token)
                going = [n for n, row in enumerate(rows) if said[row][-1] != END and len(said[row]) < limits[row]]
                last = [self.encoder.decoded(said[rows[n]][-1], sources[rows[n]]) for n in going]
                if len(going) < len(rows) and going:
                    kept = torch.tensor(going, device=device)
                    past.batch_select_indices(kept)
                    ids, mask, places, domains, hidden = (
                        tensor[kept] for tensor in (ids, mask, places, domains, hidden)
                    )
                rows = [rows[n] for n in going]
                read = torch.tensor(last, device=device)[:, None]
        return said

    def relabelled(self, state: Mapping[str, Tensor], types: Sequence[str]) -> dict[str, Tensor]:
        """What a model of other types has learnt, as this one takes it over: the weights of a label's pieces go by its
        name, and those of a new one are drawn.
        """
        weights = self.network.weights.detach().clone()
        for row, kind in enumerate(self.encoder.types):
            if kind in types:
                count = int(self.network.named[row].sum())
                weights[row, :count] = state["weights"][list(types).index(kind), :count]
        return {**state, "weights": weights}

    def _batch(self, items: Sequence[Source]) -> Batch:
        batch = self.encoder.collate(items)
        return Batch(**{name: tensor.to(self.compute.device) for name, tensor in vars(batch).items()})


def decaying(rate: float) -> Callable[[Sequence[nn.Parameter], float], Optimizer]:
    """AdamW that lets matrices decay, and no bias or norm."""

    def make(parameters: Sequence[nn.Parameter], speed: float) -> Optimizer:
        groups = [
            {"params": [p for p in parameters if (p.ndim > 1) is matrix], "weight_decay": rate if matrix else 0.0}
            for matrix in (True, False)
        ]
        return torch.optim.AdamW([group for group in groups if group["params"]], lr=speed, fused=True)

    return make
