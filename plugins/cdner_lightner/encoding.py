"""Sentences and what is said about them as numbers: pieces of words, and a vocabulary of end, labels and places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from cdner_bench import Cut, DataError, Entity, Prediction, Reason, Rejected, Sentence
from cdner_torch.batches import IGNORED, pad_rows
from cdner_torch.lengths import LONGEST
from cdner_torch.tokens import find_marks

END = 0
"""In what is said, 0 is the end, 1 + n the n-th label, and what follows the labels the places of the source."""


@dataclass(frozen=True)
class Source:
    """A sentence as sub-words with the special tokens around them. `words[p]` is the word that place p belongs to, None
    for a special token; `first[w]` is where word w begins. `domain` selects the labels; `said` is the answer to learn.
    """

    ids: tuple[int, ...]
    words: tuple[int | None, ...]
    first: tuple[int, ...]
    domain: int = 0
    said: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.ids) + len(self.said)

    @property
    def end(self) -> int:
        """The first place behind the words: neither it nor what follows is pointed at."""
        return max(n for n, word in enumerate(self.words) if word is not None) + 1


@dataclass(frozen=True)
class Batch:
    """Tensors of shape (sentences, places), (sentences, steps) and (sentences). `decoded` are the ids that the decoder
    reads, `labels` what is to be said after each.
    """

    ids: Tensor
    mask: Tensor
    places: Tensor
    domains: Tensor
    decoded: Tensor
    labels: Tensor


class Encoder:
    """How sentences and answers become numbers, for a tokenizer and the types of some domains.

    `start` is the id that the decoder begins with, `limit` how many sub-words of a sentence are read, `positions` how
    many ids the decoder can tell apart by their places. So an answer has at most `steps` pointers and labels.
    """

    def __init__(self, tokenizer: Any, start: int, limit: int, types: Sequence[str], positions: int = LONGEST) -> None:
        self.tokenizer, self.limit, self.types = tokenizer, limit, list(types)
        self.before, self.after = find_marks(tokenizer)
        self.start = [start, *self.before]
        self.steps = positions - len(self.start) + 1  # what is said last is not read
        self.names = name_pieces(tokenizer, types)

    def sources(self, sentences: Sequence[Sentence], domain: int = 0, *, gold: bool = False) -> list[Source]:
        """Sentences, cut to what is read; with `gold`, with the answers to learn."""
        if not sentences:
            return []
        encoded = self.tokenizer(
            [list(s.tokens) for s in sentences], is_split_into_words=True, add_special_tokens=False
        )
        room = self.limit - len(self.before) - len(self.after)
        made = []
        for n, sentence in enumerate(sentences):
            pieces: list[list[int]] = [[] for _ in sentence.tokens]
            for piece, word in zip(encoded["input_ids"][n], encoded.word_ids(n), strict=True):
                pieces[word].append(piece)
            ids, first = list(self.before), list[int]()
            words: list[int | None] = [None] * len(ids)
            for number, found in enumerate(pieces):
                # A word that the tokenizer makes nothing of has a place, and of the first there is one at least.
                parts = (found or [self.tokenizer.unk_token_id])[: None if number else room]
                if len(ids) + len(parts) > room + len(self.before):
                    break
                first.append(len(ids))
                ids += parts
                words += [number] * len(parts)
            whole = (*ids, *self.after), (*words, *[None] * len(self.after)), tuple(first)
            made.append(Source(*whole, domain, self.say(sentence, first) if gold else ()))
        return made

    def say(self, sentence: Sentence, first: Sequence[int]) -> tuple[int, ...]:
        """The gold answer: for each entity the places where its words begin and its label, then the end, as far as an
        answer goes.
        """
        said: list[int] = []
        for entity in sentence.entities:
            if entity.end <= len(first):
                said += [1 + len(self.types) + first[word] for word in range(entity.start, entity.end)]
                said.append(1 + self.types.index(entity.type))
        return (*said, END)[: self.steps]

    def decoded(self, said: int, source: Source) -> int:
        """The id that the decoder reads for what was said: that of the place's piece, or of a label's first."""
        place = said - 1 - len(self.types)
        if place >= 0:
            return source.ids[place]
        return self.names[said - 1][0] if said else self.after[0]

    def collate(self, sources: Sequence[Source]) -> Batch:
        """Padded on the right."""
        pad = self.tokenizer.pad_token_id or 0
        ids = pad_rows([s.ids for s in sources], pad)
        decoded = [[*self.start, *(self.decoded(n, s) for n in s.said[:-1])] for s in sources]
        unsaid = [IGNORED] * (len(self.start) - 1)
        return Batch(
            ids,
            pad_rows([[1] * len(s.ids) for s in sources], 0),
            torch.arange(ids.shape[1])[None] < torch.tensor([[s.end] for s in sources]),
            torch.tensor([s.domain for s in sources]),
            pad_rows(decoded, pad),
            pad_rows([[*unsaid, *(s.said or (IGNORED,))] for s in sources], IGNORED),
        )

    def read(self, said: Sequence[int], source: Source, sentence: Sentence) -> Prediction:
        """A run of places in neighbouring words, from left to right, that a label closes is an entity; all else that is
        said is rejected.
        """
        entities: list[Entity] = []
        rejected: list[Rejected] = []
        run: list[int] = []
        ended = END in said
        for token in said[: said.index(END)] if ended else said:
            place = token - 1 - len(self.types)
            if place >= 0:
                run.append(place)
                continue
            kind, text = self.types[token - 1], _spell(run, source, sentence)
            entity = _find(run, source, kind)
            if entity is None:
                rejected.append(Rejected(kind, text, Reason.MALFORMED))
            elif entity in entities:
                rejected.append(Rejected(kind, text, Reason.REPEAT))
            elif any(entity.start < other.end and other.start < entity.end for other in entities):
                rejected.append(Rejected(kind, text, Reason.OCCUPIED))
            else:
                entities.append(entity)
            run = []
        if run:
            rejected.append(Rejected("?", _spell(run, source, sentence), Reason.MALFORMED))
        unseen = len(sentence.tokens) - len(source.first)
        cut = [Cut.PROMPT] * (unseen > 0) + [Cut.ANSWER] * (not ended)
        return Prediction(sentence.id, tuple(sorted(entities)), tuple(rejected), cut=tuple(cut), unseen=unseen)


def name_pieces(tokenizer: Any, types: Sequence[str]) -> list[list[int]]:
    """The pieces of each type's name. Raises `DataError` for a name that says nothing, or the same as another."""
    words = [kind.replace("_", " ").replace("-", " ").split() or [kind] for kind in types]
    pieces: list[list[int]] = tokenizer(words, is_split_into_words=True, add_special_tokens=False)["input_ids"]
    seen: dict[tuple[int, ...], str] = {}
    for kind, ids in zip(types, pieces, strict=True):
        known = tokenizer.decode([i for i in ids if i != tokenizer.unk_token_id])
        if not any(character.isalnum() for character in known):
            raise DataError(
                f"the type {kind!r} has no name that the backbone can read, and labels are known by their names",
                hint="rename it, or take a backbone with a larger vocabulary",
            )
        if (other := seen.setdefault(tuple(ids), kind)) != kind:
            raise DataError(
                f"the types {other!r} and {kind!r} are one to the backbone, and labels are known by their names",
                hint="rename one of them",
            )
    return pieces


def _find(run: Sequence[int], source: Source, kind: str) -> Entity | None:
    """The entity of a run of places, None if it does not go forwards, leaves a word out, or has none."""
    words = [word for place in run if (word := source.words[place]) is not None]
    forwards = all(before < after for before, after in pairwise(run))
    joined = all(after - before <= 1 for before, after in pairwise(words))
    whole = bool(words) and len(words) == len(run)
    return Entity(words[0], words[-1] + 1, kind) if whole and forwards and joined else None


def _spell(run: Sequence[int], source: Source, sentence: Sentence) -> str:
    """The words that places belong to."""
    words = dict.fromkeys(source.words[place] for place in run)
    return " ".join(sentence.tokens[word] for word in words if word is not None)
