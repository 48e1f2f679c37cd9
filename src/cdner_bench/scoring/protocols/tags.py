"""Protocols that read tags: `bio-projected`, `seqeval-default`, `seqeval-strict`, `conlleval-stream`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ...data import conll
from ...types import Entity, Prediction, Sentence
from ..counts import Pairs, PerType, Tally
from .span_f1 import count_as_sets, place_spans


def bio_projected(pairs: Pairs, types: Collection[str]) -> PerType:
    """As `span_f1`, but what was not placed is forgotten: what most generative-NER code does. Flatters."""
    placed = [(s, place_spans(s, p)[0]) for s, p in pairs]
    return count_as_sets(
        [(len(s.tokens), s.entities, ()) for s, _ in placed],
        [(len(s.tokens), entities, ()) for s, entities in placed],
        types,
    )


def seqeval_default(pairs: Pairs, types: Collection[str]) -> PerType:
    """Seqeval's lenient mode on a tagger's own tags: an `I-x` that continues nothing begins an `x`."""
    return _count_tags(pairs, lambda tags: tags)


def seqeval_strict(pairs: Pairs, types: Collection[str]) -> PerType:
    """Seqeval's strict mode (IOB2) on a tagger's own tags: an `I-x` that continues no `x` is part of no entity. Such a
    tag costs the entity that was meant, and is no false positive.
    """
    return _count_tags(pairs, drop_strays)


def _count_tags(pairs: Pairs, read: Callable[[Sequence[str]], Sequence[str]]) -> PerType:
    gold: set[tuple[int, Entity]] = set()
    said: set[tuple[int, Entity]] = set()
    for n, (sentence, prediction) in enumerate(pairs):
        gold.update((n, e) for e in sentence.entities)
        said.update((n, e) for e in conll.chunks(read(say_as_tags(sentence, prediction))))
    return _count_sets(gold, said)


def drop_strays(tags: Sequence[str]) -> list[str]:
    """Legal IOB2: every `I-x` that continues no `x` is outside."""
    legal: list[str] = []
    for tag in tags:
        goes_on = bool(legal) and legal[-1][1:] == tag[1:]
        legal.append(tag if goes_on or tag[:1] != "I" else "O")
    return legal


def conlleval_stream(pairs: Pairs, types: Collection[str]) -> PerType:
    """Conlleval over all sentences as one stream of tags, as CrossNER and LANER call it: no sentence boundaries."""
    true: list[str] = []
    predicted: list[str] = []
    for sentence, prediction in pairs:
        true += conll.tags(sentence.entities, len(sentence.tokens))
        predicted += say_as_tags(sentence, prediction)
    return _count_sets({(0, e) for e in conll.chunks(true)}, {(0, e) for e in conll.chunks(predicted)})


def say_as_tags(sentence: Sentence, prediction: Prediction) -> Sequence[str]:
    """The tags of a tagger, or those of the spans that tags can say, whatever their types."""
    if prediction.tags is not None:
        return prediction.tags
    return conll.tags(place_spans(sentence, prediction)[0], len(sentence.tokens))


def count_unsaid(pairs: Pairs) -> int:
    """How many predictions these protocols cannot count, because tags cannot say them: text that is not in its
    sentence, and spans that overlap others.
    """
    return sum(len(place_spans(s, p)[1]) for s, p in pairs if p.tags is None)


def count_strays(pairs: Pairs) -> int:
    """How many of the taggers' tags `I-x` continue nothing, so that seqeval's strict mode drops them."""
    tagged = [p.tags for _, p in pairs if p.tags is not None]
    return sum(drop_strays(tags).count("O") - tags.count("O") for tags in tagged)


def _count_sets(gold: set[tuple[int, Entity]], said: set[tuple[int, Entity]]) -> PerType:
    tally = Tally()
    tally.add(*((e.type for _, e in side) for side in (gold & said, said - gold, gold - said)))
    return tally.counts
