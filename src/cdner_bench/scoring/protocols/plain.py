"""Large files are counted once for the protocols that compare spans: on plain predictions they cannot differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from ...data import conll, readers
from ...types import Prediction, Sentence
from ..counts import HEADLINE, Pairs, PerType, add_per_type
from .span_f1 import count_spans, strict_reading
from .tags import bio_projected, conlleval_stream, seqeval_default, seqeval_strict

_SPANS: Mapping[str, Callable[[Pairs, Collection[str]], PerType]] = {
    HEADLINE: count_spans,
    "strict-reading": strict_reading,
    "bio-projected": bio_projected,
    "seqeval-default": seqeval_default,
    "seqeval-strict": seqeval_strict,
    "conlleval-stream": conlleval_stream,
}


def count_by_spans(pairs: Pairs, types: Collection[str]) -> Mapping[str, PerType]:
    """What the protocols that compare spans count; a test holds it equal to what each of them says.

    A prediction is plain if it is nothing but spans of known types that do not overlap, and the tags of its method, if
    it has any, are those of these spans. The others are given to each protocol.
    """
    known = frozenset(types)
    plain = [_is_plain(sentence, prediction, known) for sentence, prediction in pairs]
    # In one stream of tags a sentence that begins with I- may go on with the entity that ends the sentence before it.
    goes_on = [p.tags is not None and p.tags[0].startswith("I-") for _, p in pairs[1:]] + [False]
    alone = [one and not goes for one, goes in zip(plain, goes_on, strict=True)]
    shared = count_spans([pair for pair, chosen in zip(pairs, alone, strict=True) if chosen], types)
    others = [pair for pair, chosen in zip(pairs, alone, strict=True) if not chosen]
    return {name: add_per_type([shared, protocol(others, types)]) for name, protocol in _SPANS.items()}


def _is_plain(sentence: Sentence, prediction: Prediction, known: frozenset[str]) -> bool:
    said = prediction.entities
    if prediction.rejected or prediction.raw is not None or not readers.stand_in_order(said):
        return False
    if not known.issuperset([e.type for e in (*said, *sentence.entities)]):
        return False
    return prediction.tags is None or list(prediction.tags) == conll.tags(said, len(sentence.tokens))
