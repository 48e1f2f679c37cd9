"""A dictionary of mentions: what labels nothing but what was labelled in training. Every method should be above it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from ..types import Entity, Sentence

Tokens = tuple[str, ...]


@dataclass(frozen=True)
class Gazetteer:
    """Sequences of tokens, and the type of each."""

    types: Mapping[Tokens, str]
    folded: bool = False

    @classmethod
    def learn(
        cls, sentences: Iterable[Sentence], types: Collection[str] | None = None, *, folded: bool = False
    ) -> Self:
        """The mentions of labelled sentences, those of `types` only if such are given; `folded` takes upper and lower
        case for the same. A mention has the type that it has most often; of types that it has equally often, the one
        that it has first.
        """
        counts: dict[Tokens, Counter[str]] = {}
        for sentence in sentences:
            tokens = _fold(sentence.tokens) if folded else sentence.tokens
            for entity in sentence.entities:
                if types is None or entity.type in types:
                    counts.setdefault(tokens[entity.start : entity.end], Counter())[entity.type] += 1
        return cls({mention: found.most_common(1)[0][0] for mention, found in counts.items()}, folded)

    def find(self, tokens: Sequence[str]) -> Iterator[Entity]:
        """The mentions in a sentence from left to right, the longest where several begin at one token."""
        read = _fold(tokens) if self.folded else tuple(tokens)
        start = 0
        while start < len(read):
            ends = range(min(start + self._longest, len(read)), start, -1)
            end = next((end for end in ends if read[start:end] in self.types), None)
            if end is not None:
                yield Entity(start, end, self.types[read[start:end]])
            start = end or start + 1

    @cached_property
    def _longest(self) -> int:
        """The tokens of the longest mention."""
        return max(map(len, self.types), default=0)


def _fold(tokens: Sequence[str]) -> Tokens:
    return tuple(token.casefold() for token in tokens)
