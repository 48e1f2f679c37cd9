"""What a GTOK corpus amounts to: Tables 1 and 3 of the TOPT paper."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..types import Corpus
from . import gtok
from .gtok import Record

_SENTENCE_END = re.compile(r"[.?!](?=\s|\Z)")


@dataclass(frozen=True, slots=True)
class TypeCount:
    """How many of the `gold` entities of a type in the train split are explained."""

    type: str
    gold: int
    explained: int

    @property
    def fail_rate(self) -> float | None:
        """The share of gold entities without explanation; None where there is no gold."""
        return 1 - self.explained / self.gold if self.gold else None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of one corpus of explanations beside its train split.

    `texts` are its records, `tokens` and `sentences` the words (between white space) and sentences of its explanations.
    """

    domain: str
    texts: int
    tokens: int
    sentences: int
    train_sentences: int
    types: tuple[TypeCount, ...]

    @property
    def total(self) -> TypeCount:
        """The counts of all types together, under the name "all"."""
        return TypeCount("all", sum(t.gold for t in self.types), sum(t.explained for t in self.types))

    @property
    def per_hundred(self) -> float:
        """Explanations / 100: what Table 3 prints as "Avg. Sen.", for every domain, whatever its train split."""
        return self.total.explained / 100

    @property
    def per_train_sentence(self) -> float:
        """Explanations per sentence of the train split: what "Avg. Sen." should be."""
        return self.total.explained / self.train_sentences if self.train_sentences else 0.0

    @property
    def sentences_per_text(self) -> float:
        """Sentences of explanation per record."""
        return self.sentences / self.texts if self.texts else 0.0


def statistics(records: Sequence[Record], corpus: Corpus) -> Statistics:
    """Counts over `records`, without those of sentences that the benchmark took out of `corpus`.

    An empty explanation explains nothing. Types that are not the corpus's come last, in order of appearance.
    """
    kept = gtok.kept(records, corpus)
    explanations = [e for record in kept for e in record.explanations if e.text.strip()]
    explained = Counter(e.type for e in explanations)
    gold = Counter(e.type for s in corpus.train for e in s.entities)
    types = dict.fromkeys((*corpus.types, *explained))
    return Statistics(
        domain=corpus.name,
        texts=len(kept),
        tokens=sum(len(e.text.split()) for e in explanations),
        sentences=sum(len(_SENTENCE_END.findall(e.text)) for e in explanations),
        train_sentences=len(corpus.train),
        types=tuple(TypeCount(name, gold[name], explained[name]) for name in types),
    )
