"""What a dictionary of a domain's train mentions reaches on its test split: less, and a method has learnt nothing."""

from __future__ import annotations

from ..data import Gazetteer
from ..types import Corpus, Prediction
from .counts import Counts, total
from .protocols.span_f1 import sentence_counts


def measure_floor(corpus: Corpus) -> Counts:
    """The headline's counts of the method `gazetteer`, as it is without options."""
    gazetteer = Gazetteer.learn(corpus.train)
    return total(sentence_counts(s, Prediction(s.id, tuple(gazetteer.find(s.tokens)))) for s in corpus.test)
