"""The network: words as the encoder, their letters and their vectors say, cells, and a CRF for each side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.functional import cross_entropy, nll_loss

from cdner_bench import Cut, Prediction, Sentence, conll
from cdner_torch.crf import IMPOSSIBLE, Crf
from cdner_torch.descent import move_network
from cdner_torch.learner import NEVER, Learner
from cdner_torch.portions import Portions
from cdner_torch.tagging.bioes import bioes_labels, list_legal, to_bio
from cdner_torch.tagging.model import DECODED
from cdner_torch.tagging.training import Tagging

from .cells import BothWays
from .encoding import Batch, Domain, Example, gather, lay_out
from .options import McclOptions

TARGET, SOURCE = 0, 1
BYTES, EMBEDDED, WIDTH = 257, 30, 3
"""How many letters there are, how many numbers stand for one, and how many a filter sees."""


class MultiCellTagger(nn.Module):
    """Emissions, cells and attention of a batch. `types` are those of the target and those of each source."""

    vectors: Tensor

    def __init__(self, encoder: Any, types: Sequence[Sequence[str]], options: McclOptions, vectors: Tensor) -> None:
        super().__init__()
        self.encoder: Any = encoder
        self.options = options
        self.portions = Portions(*DECODED)
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        encoder.requires_grad_(options.words.encoder == "trained")
        sides = [list(types[0]), sorted({kind for source in types[1:] for kind in source})]
        inventory = ["O", *sorted({*sides[0], *sides[1]})]
        self.labels = [bioes_labels(side) for side in sides]
        self.domains = [
            lay_out(inventory, self.labels[bool(n)], own, SOURCE if n else TARGET) for n, own in enumerate(types)
        ]
        words, units = options.words, 2 * options.cells.units
        self.letters = nn.Embedding(BYTES, EMBEDDED, padding_idx=0)
        self.filters = nn.Conv1d(EMBEDDED, words.letters, WIDTH, padding=WIDTH // 2)
        self.register_buffer("vectors", vectors)
        self.dropout = nn.Dropout(words.dropout)
        inputs = encoder.config.hidden_size + words.letters + vectors.shape[1]
        self.cells = BothWays(inputs, options.cells.units, len(inventory))
        self.emit = nn.ModuleList(nn.Linear(units, len(labels)) for labels in self.labels)
        self.crf = nn.ModuleList(Crf(*list_legal(labels)) for labels in self.labels)
        self.naming = Parameter(torch.empty(len(inventory), units).uniform_(-(units**-0.5), units**-0.5))
        self.naming_bias = Parameter(torch.zeros(len(inventory)))
        for domain, own in enumerate(self.domains):
            barred = torch.full((len(self.labels[own.side]),), IMPOSSIBLE)
            barred[list(own.tags.values())] = 0.0
            self.register_buffer(f"barred{domain}", barred, persistent=False)

    def train(self, mode: bool = True) -> Self:
        """A frozen encoder has no dropout."""
        super().train(mode)
        if self.options.words.encoder == "frozen":
            self.encoder.eval()
        return self

    def represent(self, batch: Batch, compute: Tagging) -> Tensor:
        """Words by sentence: (sentences, longest, numbers), 0 where there are none."""
        learns = torch.is_grad_enabled() and self.options.words.encoder == "trained"
        with torch.set_grad_enabled(learns), compute.autocast():
            hidden = self.encoder(input_ids=batch.ids, attention_mask=batch.attention).last_hidden_state
        seen = self.filters(self.letters(batch.letters).transpose(1, 2))
        spelt = seen.masked_fill(batch.letters[:, None] == 0, -torch.inf).amax(2)
        parts = [hidden[batch.first[:, 0], batch.first[:, 1]].float(), spelt]
        if len(batch.rows):
            parts.append(self.vectors[batch.rows])
        words = self.dropout(torch.cat(parts, -1))
        by_sentence: Tensor = words.new_zeros(*batch.inside.shape, words.shape[-1])
        by_sentence[batch.inside] = words
        return by_sentence

    def forward(self, batch: Batch, compute: Tagging) -> tuple[Tensor, Tensor, Tensor]:
        """Emissions (sentences, longest, tags of the side), cells and attention, as `BothWays` gives them."""
        domain = self.domains[batch.domain]
        types = torch.tensor(domain.types, device=batch.ids.device)
        words = self.represent(batch, compute)
        outputs, cells, attention = self.cells(words, batch.lengths, types, domain.side)
        emissions = self.emit[domain.side](self.dropout(outputs)) + getattr(self, f"barred{batch.domain}")
        return emissions, cells, attention

    def name_cells(self, cells: Tensor, domain: Domain) -> Tensor:
        """How much each cell says that the word is of its type: w_k · c_k + b_k."""
        types = torch.tensor(domain.types, device=cells.device)
        return (cells * self.naming[types]).sum(-1) + self.naming_bias[types]


class Pupil(Learner[Example]):
    """A multi-cell that learns tags, types by cells, and where to attend, from batches of one domain each."""

    network: MultiCellTagger
    compute: Tagging
    spare = NEVER  # a part goes through its words one after the other

    def __init__(self, network: MultiCellTagger, compute: Tagging) -> None:
        self.network, self.compute = move_network(network, compute.device, self.relief), compute

    def loss(self, examples: Sequence[Example]) -> Tensor:
        """λ · NLL of the CRF + types · L_types + attention · L_attention, summed over the sentences."""
        network, options = self.network, self.network.options
        batch = move(gather(examples, self.compute.pad), self.compute.device)
        domain = network.domains[batch.domain]
        emissions, cells, attention = network(batch, self.compute)
        weight = options.source.weight if domain.side else options.target.weight
        loss = weight * network.crf[domain.side].loss(emissions, batch.lengths, batch.tags).sum()  # type: ignore[operator]
        kinds = batch.kinds[batch.inside]
        named = network.name_cells(cells, domain)[batch.inside]
        loss = loss + options.cells.types * cross_entropy(named, kinds, reduction="sum")
        shares = attention[batch.inside]
        logs = shares.log_softmax(-1) if options.cells.attention_loss == "code" else shares.clamp(min=1e-9).log()
        return loss + options.cells.attention * nll_loss(logs, kinds, reduction="sum")  # type: ignore[no-any-return]

    def terms(self, examples: Sequence[Example]) -> int:
        """How many sentences there are."""
        return len(examples)


def move(batch: Batch, device: str) -> Batch:
    """The batch on a device."""
    tensors = {name: part.to(device) for name, part in vars(batch).items() if isinstance(part, Tensor)}
    return Batch(**tensors, domain=batch.domain)


@torch.no_grad()
def decode(
    network: MultiCellTagger, sentences: Sequence[Sentence], examples: Sequence[Example], compute: Tagging
) -> list[Prediction]:
    """The most probable tags that are legal together."""
    move_network(network, compute.device, Pupil.relief).eval()

    def say(group: Sequence[int]) -> list[list[int]]:
        batch = move(gather([examples[n] for n in group], compute.pad), compute.device)
        emissions, _, _ = network(batch, compute)
        return network.crf[TARGET].decode(emissions, batch.lengths)  # type: ignore[no-any-return, operator]

    tags: list[tuple[str, ...]] = [()] * len(sentences)
    longest_first = sorted(range(len(sentences)), key=lambda n: -len(examples[n]))
    for group, paths in network.portions.answer(longest_first, lambda n: len(examples[n]), say):
        for n, path in zip(group, paths, strict=True):
            tags[n] = tuple(to_bio([network.labels[TARGET][tag] for tag in path]))
    cut = [any(window.cut for window in example.windows) for example in examples]
    return [
        Prediction(s.id, conll.chunks(t), tags=t, cut=(Cut.PROMPT,) if short else ())
        for s, t, short in zip(sentences, tags, cut, strict=True)
    ]
