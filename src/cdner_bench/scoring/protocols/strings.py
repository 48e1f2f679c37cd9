"""`string-multiset`: entities as strings, wherever they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from ...types import Reason
from ..counts import OUTSIDE, Counts, Pairs, PerType


def string_multiset(pairs: Pairs, types: Collection[str]) -> PerType:
    """(type, string) pairs as a multiset per sentence, positions ignored: UIE, DeepKE, CP-NER."""
    known = frozenset(types)
    counts: Counter[tuple[str, str]] = Counter()
    for sentence, prediction in pairs:
        gold, placed = frozenset(sentence.entities), frozenset(prediction.entities)
        found = [e.type for e in gold & placed]
        missed = [(e.type, sentence.surface(e)) for e in gold - placed]
        wrong = []
        said = [(e.type, sentence.surface(e)) for e in placed - gold]
        for claim in (*said, *((r.type, r.text) for r in prediction.rejected if r.reason is not Reason.PROSE)):
            if claim in missed:
                missed.remove(claim)
                found.append(claim[0])
            else:
                wrong.append(claim[0])
        for verdict, kinds in (("tp", found), ("fp", wrong), ("fn", [kind for kind, _ in missed])):
            for kind in kinds:
                counts[kind if kind in known else OUTSIDE, verdict] += 1
    return {
        kind: Counts(counts[kind, "tp"], counts[kind, "fp"], counts[kind, "fn"])
        for kind in sorted({kind for kind, _ in counts})
    }
