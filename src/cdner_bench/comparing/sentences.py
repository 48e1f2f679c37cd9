"""The sentences of which two methods say different things, and the explanations that are nearest to a sentence."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..knowledge import Explanation
from ..marking import Piece, cut_pieces
from ..scoring import Counts, list_unplaced, sentence_counts
from ..types import Corpus, Prediction, Sentence

NEAREST = 2
"""Explanations that are shown with a sentence."""
_WORD = re.compile(r"[^\W\d_]{3,}")

Find = Callable[[Sentence], Sequence[tuple[str, Explanation]]]
"""The explanations nearest to a sentence, each after the name of the corpus that it is of."""


@dataclass(frozen=True)
class Changed:
    """A sentence of which A and B say different things, with their counts. `explained` are the explanations that a side
    learnt from and that are nearest to it.
    """

    domain: str
    sentence: Sentence
    a: Prediction
    b: Prediction
    find: Find

    @property
    def counts(self) -> tuple[Counts, Counts]:
        """The headline's counts of A and of B."""
        return sentence_counts(self.sentence, self.a), sentence_counts(self.sentence, self.b)

    @property
    def loss(self) -> int:
        """How many more errors A makes than B: what is wrong, and what is missed."""
        a, b = self.counts
        return a.fp + a.fn - b.fp - b.fn

    @property
    def explained(self) -> Sequence[tuple[str, Explanation]]:
        """(name of the corpus, explanation), the nearest first; nothing where neither learnt from any."""
        return self.find(self.sentence)

    @property
    def lines(self) -> dict[str, list[Piece]]:
        """Gold and what A and B say, in pieces."""
        gold = self.sentence.entities
        return {"gold": cut_pieces(self.sentence, gold)} | {
            name: cut_pieces(self.sentence, said.entities, gold, list_unplaced(self.sentence, said))
            for name, said in (("A", self.a), ("B", self.b))
        }


def find_changed(corpus: Corpus, a: Sequence[Prediction], b: Sequence[Prediction], find: Find) -> list[Changed]:
    """The sentences of a domain that two runs answer differently, in their order."""
    return [
        Changed(corpus.name, sentence, mine, theirs, find)
        for sentence, mine, theirs in zip(corpus.test, a, b, strict=True)
        if _list_claims(sentence, mine) != _list_claims(sentence, theirs)
    ]


def _list_claims(sentence: Sentence, said: Prediction) -> tuple[frozenset[object], frozenset[object]]:
    return frozenset(said.entities), frozenset(list_unplaced(sentence, said))


class Nearest:
    """Explanations by how near they are to a text: the cosine of the words that both have, each weighted by how few
    explanations have it (TF-IDF, a word counted once). Words are runs of three letters or more, in small letters; an
    explanation has those of its text and of the span that it explains. Of equals, the first in the file.
    """

    def __init__(self, explanations: Sequence[Explanation]) -> None:
        self.explanations = explanations
        words = [_find_words(f"{e.span} {e.text}") for e in explanations]
        often = Counter(word for each in words for word in each)
        self._weights = {word: math.log(len(words) / number) for word, number in often.items()}
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        for n, each in enumerate(words):
            for word in sorted(each):
                self._having[word].append(n)
        self._lengths = [math.sqrt(sum(self._weights[word] ** 2 for word in sorted(each))) for each in words]

    def find(self, text: str, number: int = NEAREST) -> list[Explanation]:
        """The nearest that have a word of the text which not all have."""
        near: defaultdict[int, float] = defaultdict(float)
        for word in sorted(_find_words(text) & self._having.keys()):
            for n in self._having[word]:
                near[n] += self._weights[word] ** 2
        scores = {n: weight / self._lengths[n] for n, weight in near.items() if weight > 0}
        return [self.explanations[n] for n in sorted(scores, key=lambda n: (-scores[n], n))[:number]]


def _find_words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
