"""Everything there is to say of somebody's predictions, and the same for some types only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ...data import readers
from ...errors import OptionError, did_you_mean
from ...types import Prediction, Reason
from .. import diagnosis
from ..counts import Counts, Pairs, Scores
from .gold import Judged
from ..protocols import SAID_IN_TAGS, count_unsaid
from ..score import add_scores, pair, score


@dataclass(frozen=True)
class Report:
    """Predictions and gold, the scores of one by the other, and what should be known of them: `remarks`, a sentence
    each.
    """

    file: readers.LabelledFile
    judged: Judged
    types: Sequence[str] | None = None

    @cached_property
    def scores(self) -> Scores:
        """The scores under every protocol."""
        return add_scores([score(gold, said, types) for (gold, types), said in self.judged.parts])

    @cached_property
    def pairs(self) -> Pairs:
        """Gold sentences and the predictions for them."""
        return [found for (gold, _), said in self.judged.parts for found in pair(gold, said)]

    @cached_property
    def lenient(self) -> Mapping[str, float]:
        """F1 by two lenient rules."""
        return diagnosis.lenient_f1(self.pairs)

    @cached_property
    def errors(self) -> Mapping[str, int]:
        """How many errors of each class."""
        return diagnosis.count_errors(self.pairs)

    @cached_property
    def remarks(self) -> list[str]:
        """What was read in spite of its form, what is of no type of the domain, what a protocol leaves out."""
        remarks = list(self.file.remarks)
        if self.file.illegal and any(item.gold is None for item in self.file.items):
            remarks.append(f"{self.file.illegal}; what continues nothing begins an entity, as conlleval reads it")
        for (_, types), said in self.judged.parts:
            remarks += readers.count_unknown_types([kind for p in said for kind in _list_types(p)], types)
        if inside := sum(len(p.rejected) for _, p in self.pairs if p.raw is None):
            remarks.append(f"{inside:,} predictions are no spans of tokens, and count as wrong")
        remarks += [f"the score is to be doubted: {doubt}" for doubt in self.scores.doubts]
        if unsaid := count_unsaid(self.pairs):
            remarks.append(f"{unsaid:,} predictions that tags cannot say are left out by {', '.join(SAID_IN_TAGS)}")
        return remarks

    def to_data(self) -> dict[str, Any]:
        """All of it as values of JSON; ratios in percent."""
        return {
            "predictions": {"file": self.file.name, "format": self.file.format, "scheme": self.file.scheme},
            "gold": self.judged.gold,
            "types": self.types,
            "sentences": len(self.pairs),
            "protocols": {
                name: {**_to_data(self.scores.counts(name)), "types": {k: _to_data(c) for k, c in per_type.items()}}
                for name, per_type in self.scores.protocols.items()
            },
            "lenient": dict(self.lenient),
            "errors": dict(self.errors),
            "answers": dict(self.scores.answers),
            "remarks": self.remarks,
        }


def choose_types(judged: Judged, only: Collection[str], without: Collection[str]) -> tuple[Judged, list[str]]:
    """Gold and predictions of some types, all but those of `without` if `only` names none, and these types. What was
    predicted of a type that the domain does not have stays, and is wrong.

    Raises `OptionError` for a type that no domain has.
    """
    known = sorted({kind for (_, types), _ in judged.parts for kind in types})
    for kind in (*only, *without):
        if kind not in known:
            raise OptionError(f"there is no type {kind!r}", hint=did_you_mean(kind, known))
    kept = [kind for kind in known if (not only or kind in only) and kind not in without]
    dropped = frozenset(known) - frozenset(kept)
    parts = [
        (
            ([replace(s, entities=tuple(e for e in s.entities if e.type not in dropped)) for s in gold], types),
            [_drop(prediction, dropped) for prediction in said],
        )
        for (gold, types), said in judged.parts
    ]
    return Judged(judged.gold, parts), kept


def _drop(prediction: Prediction, dropped: Collection[str]) -> Prediction:
    return replace(
        prediction,
        entities=tuple(e for e in prediction.entities if e.type not in dropped),
        rejected=tuple(r for r in prediction.rejected if r.type not in dropped),
        raw=None,  # what a protocol reads out of the text would be of all types
        tags=prediction.tags and tuple("O" if tag[2:] in dropped else tag for tag in prediction.tags),
    )


def _list_types(prediction: Prediction) -> list[str]:
    unknown = [r.type for r in prediction.rejected if r.reason is Reason.UNKNOWN_TYPE]
    return [*(e.type for e in prediction.entities), *unknown]


def _to_data(counts: Counts) -> dict[str, float]:
    ratios = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
    return {**ratios, "tp": counts.tp, "fp": counts.fp, "fn": counts.fn}
