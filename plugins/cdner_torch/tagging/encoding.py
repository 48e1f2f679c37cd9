"""Sentences as padded batches of sub-words: first-sub-word labels, long sentences in overlapping windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from cdner_bench import Corpus, RunContext, Sentence, conll

from ..batches import IGNORED, pad_rows
from ..lengths import tell_long
from ..tokens import find_specials


@dataclass(frozen=True)
class Window:
    """One input of the encoder: a stretch of a sentence, and the words whose tags it decides.

    `ids` are sub-word ids with the special tokens; `first[i]` is the position of the first sub-word of word
    `words[i]` of the sentence; `labels[i]` is its gold label (empty at prediction). `domain` selects the label mask.
    `cut` says that one of the words is longer than a window, and not read to its end.
    """

    sentence: int
    ids: tuple[int, ...]
    words: range
    first: tuple[int, ...]
    labels: tuple[int, ...]
    domain: int
    cut: bool = False

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Batch:
    """Tensors of shape (windows, sub-words); `labels` and `domains` are aligned with `ids` and with its rows."""

    windows: Sequence[Window]
    ids: Tensor
    attention: Tensor
    labels: Tensor
    domains: Tensor

    def to(self, device: str) -> Batch:
        """The same, on a device."""
        parts = (part.to(device) for part in (self.ids, self.attention, self.labels, self.domains))
        return Batch(self.windows, *parts)


def windows(
    sentences: Sequence[Sentence],
    tokenizer: Any,
    limit: int,
    labels: dict[str, int] | None = None,
    domain: int = 0,
) -> list[Window]:
    """Encode sentences for a model that takes `limit` sub-words; with `labels`, gold tags become label ids."""
    before, after = find_specials(tokenizer)
    room = limit - len(before) - len(after)
    encoded = tokenizer([list(s.tokens) for s in sentences], is_split_into_words=True, add_special_tokens=False)
    cut = []
    for n, sentence in enumerate(sentences):
        pieces: list[list[int]] = [[] for _ in sentence.tokens]
        for piece, word in zip(encoded["input_ids"][n], encoded.word_ids(n), strict=True):
            pieces[word].append(piece)
        # A word the tokenizer makes nothing of still gets a tag, and no word is longer than a window.
        sizes = [len(p) for p in pieces]
        pieces = [(p or [tokenizer.unk_token_id])[:room] for p in pieces]
        tags = conll.tags(sentence.entities, len(sentence.tokens)) if labels else []
        for start, words, end in stretches([len(p) for p in pieces], room):
            ids, first = list(before), {}
            for word in range(start, end):
                first[word] = len(ids)
                ids += pieces[word]
            gold = tuple(labels[tags[w]] for w in words) if labels else ()
            short = any(sizes[w] > room for w in words)
            cut.append(Window(n, (*ids, *after), words, tuple(first[w] for w in words), gold, domain, short))
    return cut


def find_longer(sentences: Sequence[Sentence], tokenizer: Any, limit: int) -> list[bool]:
    """Which sentences do not fit into one window."""
    if not sentences:
        return []
    encoded = tokenizer([list(s.tokens) for s in sentences], is_split_into_words=True)
    return [len(ids) > limit for ids in encoded["input_ids"]]


def stretches(sizes: Sequence[int], room: int) -> list[tuple[int, range, int]]:
    """Cut words of the given sizes into stretches of at most `room` that overlap by about half.

    Returns (start, words, end): the stretch is `start:end` and decides the tags of `words`. Every word is decided
    once, where it has context on both sides if there is any; a stretch that would decide none is left out.
    """
    if sum(sizes) <= room:
        return [(0, range(len(sizes)), len(sizes))]
    cuts: list[tuple[int, int]] = []
    start = 0
    while True:
        end, size = start, 0
        while end < len(sizes) and size + sizes[end] <= room:
            size += sizes[end]
            end += 1
        cuts.append((start, end))
        if end == len(sizes):
            break
        start = max(start + 1, (start + end) // 2)
    borders = [0, *((low + high) // 2 for (_, high), (low, _) in pairwise(cuts)), len(sizes)]
    decided = [(start, range(*words), end) for (start, end), words in zip(cuts, pairwise(borders), strict=True)]
    return [stretch for stretch in decided if stretch[1]]


@dataclass(frozen=True)
class Reader:
    """A tokenizer, and how many sub-words its encoder takes: what makes windows of sentences."""

    tokenizer: Any
    limit: int

    def read(self, sentences: Sequence[Sentence], labels: Sequence[str] = (), domain: int = 0) -> list[Window]:
        """See `windows`."""
        numbers = {label: n for n, label in enumerate(labels)}
        return windows(sentences, self.tokenizer, self.limit, numbers, domain)

    def tell_lengths(self, corpora: Sequence[Corpus], run: RunContext) -> None:
        """Tell the user which sentences do not fit into one window; of the last corpus, also those of dev."""
        for corpus in corpora:
            splits = {"train": corpus.train, "dev": corpus.dev if corpus is corpora[-1] else ()}
            for split, sentences in splits.items():
                beyond = find_longer(sentences, self.tokenizer, self.limit)
                what = f"are read in stretches of {self.limit} sub-words that overlap"
                tell_long(run, f"{corpus.name} {split}", beyond, what)


def collate(chosen: Sequence[Window], pad: int) -> Batch:
    """Pad windows to the longest of them."""
    ids = pad_rows([w.ids for w in chosen], pad)
    attention = pad_rows([[1] * len(w.ids) for w in chosen], 0)
    labels = torch.full(ids.shape, IGNORED)
    for row, window in enumerate(chosen):
        if window.labels:
            labels[row, list(window.first)] = torch.tensor(window.labels)
    return Batch(chosen, ids, attention, labels, torch.tensor([w.domain for w in chosen]))
