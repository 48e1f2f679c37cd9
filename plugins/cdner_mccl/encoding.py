"""Sentences as the multi-cell reads them: whole, with their windows for the encoder and their letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cdner_bench import Sentence
from cdner_torch.batches import pad_rows
from cdner_torch.tagging.bioes import bioes_tags
from cdner_torch.tagging.encoding import Reader, Window, collate

from .vectors import find_row

LETTERS = 50
"""How many bytes of a word are read."""


@dataclass(frozen=True)
class Domain:
    """What of the network a domain uses: its side, the cells of `O` and its types, and its tags by their numbers on
    that side. `kinds` is the place of each tag's type among the cells.
    """

    side: int
    types: tuple[int, ...]
    tags: Mapping[str, int]
    kinds: Mapping[str, int]


def lay_out(inventory: Sequence[str], labels: Sequence[str], types: Sequence[str], side: int) -> Domain:
    """The domain of some types, of the cells' inventory and the labels of its side."""
    chosen = ("O", *types)
    tags = {label: n for n, label in enumerate(labels) if label == "O" or label[2:] in types}
    kinds = {label: 0 if label == "O" else chosen.index(label[2:]) for label in tags}
    return Domain(side, tuple(inventory.index(kind) for kind in chosen), tags, kinds)


@dataclass(frozen=True)
class Example:
    """A sentence: its windows, the bytes and the vectors' rows of its words, and, to learn from, tags and types."""

    windows: tuple[Window, ...]
    letters: tuple[tuple[int, ...], ...]
    rows: tuple[int, ...]
    tags: tuple[int, ...]
    kinds: tuple[int, ...]
    domain: int

    def __len__(self) -> int:
        return sum(map(len, self.windows))


@dataclass(frozen=True)
class Batch:
    """Tensors of sentences of one domain: of sub-words by window, of words one after the other, of words by sentence.

    `first` (words, 2) is each word's window and place in it; `inside` (sentences, longest) is where words are.
    """

    ids: Tensor
    attention: Tensor
    first: Tensor
    letters: Tensor
    rows: Tensor
    inside: Tensor
    lengths: Tensor
    tags: Tensor
    kinds: Tensor
    domain: int


def encode(
    sentences: Sequence[Sentence],
    reader: Reader,
    vectors: Mapping[str, int],
    domain: Domain | None = None,
    number: int = 0,
) -> list[Example]:
    """Sentences as examples; with a `domain`, of that `number`, to learn from."""
    windows: list[list[Window]] = [[] for _ in sentences]
    for window in reader.read(sentences):
        windows[window.sentence].append(window)
    made = []
    for sentence, own in zip(sentences, windows, strict=True):
        words = ["".join("0" if c.isdigit() else c for c in token) for token in sentence.tokens]
        letters = tuple(tuple(byte + 1 for byte in word.encode("utf-8", "replace")[:LETTERS]) for word in words)
        rows = tuple(find_row(word, vectors) for word in words) if vectors else ()
        tags = bioes_tags(sentence.entities, len(words)) if domain else []
        gold = tuple(domain.tags[tag] for tag in tags) if domain else ()
        kinds = tuple(domain.kinds[tag] for tag in tags) if domain else ()
        made.append(Example(tuple(own), letters, rows, gold, kinds, number))
    return made


def gather(examples: Sequence[Example], pad: int) -> Batch:
    """A batch of examples of one domain."""
    windows = [window for example in examples for window in example.windows]
    plain = collate(windows, pad)
    first = [(n, place) for n, window in enumerate(windows) for place in window.first]
    lengths = torch.tensor([len(example.letters) for example in examples])
    return Batch(
        ids=plain.ids,
        attention=plain.attention,
        first=torch.tensor(first),
        letters=pad_rows([word for example in examples for word in example.letters], 0),
        rows=torch.tensor([row for example in examples for row in example.rows], dtype=torch.long),
        inside=torch.arange(int(lengths.max())) < lengths[:, None],
        lengths=lengths,
        tags=pad_rows([example.tags for example in examples], 0) if examples[0].tags else torch.empty(0),
        kinds=pad_rows([example.kinds for example in examples], 0) if examples[0].tags else torch.empty(0),
        domain=examples[0].domain,
    )
