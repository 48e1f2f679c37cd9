"""`string-multiset`: entities as strings, wherever they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from ...types import Reason
from ..counts import OUTSIDE, Counts, Pairs, PerType


def string_multiset(pairs: Pairs, types: Collection[str]) -> PerType:
    """(type, string) pairs as a multiset per sentence, positions ignored: UIE, DeepKE, CP-NER."""
    counts: Counter[tuple[str, str]] = Counter()
    for sentence, prediction in pairs:
        gold = Counter((e.type, sentence.surface(e)) for e in sentence.entities)
        said = Counter((e.type, sentence.surface(e)) for e in frozenset(prediction.entities))
        said.update((r.type, r.text) for r in prediction.rejected if r.reason is not Reason.PROSE)
        for verdict, items in (("tp", gold & said), ("fp", said - gold), ("fn", gold - said)):
            for (kind, _), n in items.items():
                counts[kind if kind in types else OUTSIDE, verdict] += n
    return {
        kind: Counts(counts[kind, "tp"], counts[kind, "fp"], counts[kind, "fn"])
        for kind in sorted({kind for kind, _ in counts})
    }
