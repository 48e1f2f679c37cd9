"""`string-multiset`: entities as strings, wherever they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from ...types import Reason
from ..counts import Pairs, PerType, Tally
from .span_f1 import is_right


def string_multiset(pairs: Pairs, types: Collection[str]) -> PerType:
    """(type, string) pairs as a multiset per sentence, positions ignored: UIE, DeepKE, CP-NER."""
    tally = Tally(types)
    for sentence, prediction in pairs:
        if is_right(sentence, prediction):
            tally.add([e.type for e in sentence.entities], (), ())
            continue
        gold, placed = frozenset(sentence.entities), frozenset(prediction.entities)
        found = [e.type for e in gold & placed]
        missed = Counter((e.type, sentence.surface(e)) for e in gold - placed)
        wrong = []
        said = [(e.type, sentence.surface(e)) for e in placed - gold]
        for claim in (*said, *((r.type, r.text) for r in prediction.rejected if r.reason is not Reason.PROSE)):
            if missed[claim]:
                missed[claim] -= 1
                found.append(claim[0])
            else:
                wrong.append(claim[0])
        tally.add(found, wrong, (kind for kind, _ in missed.elements()))
    return tally.counts
