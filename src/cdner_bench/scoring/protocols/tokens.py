"""`token-f1`: tokens with their types, and no boundaries."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ...data import conll
from ...types import Entity
from ..counts import Pairs, PerType, Tally
from .span_f1 import list_unplaced


def token_f1(pairs: Pairs, types: Collection[str]) -> PerType:
    """Micro-F1 over (token, type): what stands outside entities is not counted, and whether a token begins an entity or
    goes on with one is ignored. A token in overlapping spans has each of their types once. Of a tagger, its own tags.
    """
    tally = Tally(types)
    for sentence, prediction in pairs:
        entities = prediction.entities if prediction.tags is None else tuple(conll.chunks(prediction.tags))
        if entities == sentence.entities:  # as most are, and gold's do not overlap
            tally.add([e.type for e in entities for _ in range(e.start, e.end)], (), ())
            continue
        gold, said = _list_tokens(sentence.entities), _list_tokens(entities)
        tally.add(*([kind for _, kind in side] for side in (gold & said, said - gold, gold - said)))
    return tally.counts


def count_tokenless(pairs: Pairs) -> int:
    """How many predictions are no tokens of their sentence."""
    return sum(len(list_unplaced(s, p)) for s, p in pairs)


def _list_tokens(entities: Iterable[Entity]) -> frozenset[tuple[int, str]]:
    return frozenset((n, e.type) for e in entities for n in range(e.start, e.end))
