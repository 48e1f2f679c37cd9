"""Everything there is to say of somebody's predictions, and the same for some types only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from ...data import readers
from ...errors import OptionError, did_you_mean
from ...types import Prediction
from .. import diagnosis
from ..counts import HEADLINE, Counts, Pairs, PerType, Ratios, Scores, average_types
from ..diagnosis import SPURIOUS, Mistake
from ..protocols import tell_left_out
from ..score import add_scores, pair, score
from .gold import Judged, list_types
from .words import cite, describe


@dataclass(frozen=True, repr=False)
class Report:
    """Predictions and gold, the scores of one by the other, and what should be known of them: `remarks`, a sentence
    each. Ratios are in percent.
    """

    file: readers.LabelledFile
    judged: Judged
    types: Sequence[str] | None = None

    def __repr__(self) -> str:
        return describe(self)

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

    @property
    def f1(self) -> float:
        """F1 under the headline."""
        return self.scores.counts().f1

    @property
    def precision(self) -> float:
        """Precision under the headline."""
        return self.scores.counts().precision

    @property
    def recall(self) -> float:
        """Recall under the headline."""
        return self.scores.counts().recall

    @property
    def per_type(self) -> PerType:
        """The headline's counts of each type."""
        return self.scores.protocols[HEADLINE]

    @property
    def protocols(self) -> Mapping[str, Counts]:
        """The counts under every protocol."""
        return {name: self.scores.counts(name) for name in self.scores.protocols}

    @property
    def averages(self) -> Mapping[str, Ratios]:
        """Means over types under the headline: `macro` counts each type once, `weighted` as often as gold has it."""
        return {"macro": average_types(self.per_type), "weighted": average_types(self.per_type, weighted=True)}

    @cached_property
    def mistakes(self) -> Sequence[Mistake]:
        """Every error."""
        return list(diagnosis.list_errors(self.pairs))

    @cached_property
    def errors(self) -> Mapping[str, int]:
        """How many errors of each class."""
        return diagnosis.count_errors(self.mistakes)

    @cached_property
    def errors_per_type(self) -> Mapping[str, Mapping[str, int]]:
        """How many errors of each class a type has: the gold type, or, where there is none, the predicted one."""
        found: dict[str, list[Mistake]] = {}
        for mistake, gold, said in self._typed:
            found.setdefault(said if gold == SPURIOUS else gold, []).append(mistake)
        return {kind: diagnosis.count_errors(found[kind]) for kind in sorted(found)}

    @cached_property
    def confusion(self) -> Mapping[str, Mapping[str, int]]:
        """How many errors have which gold type, or are `SPURIOUS`, and which predicted type, or are `MISSED`. What is
        right is not counted, so that a type with itself has wrong boundaries only.
        """
        return diagnosis.tabulate_confusion(Counter((gold, said) for _, gold, said in self._typed))

    @cached_property
    def _typed(self) -> list[tuple[Mistake, str, str]]:
        """Every error with its gold and its predicted type, `OUTSIDE` for all that the domain does not have."""
        known = {sentence.id: types for (gold, types), _ in self.judged.parts for sentence in gold}
        return [(m, *diagnosis.name_types(m.gold, m.said, known[m.sentence.id])) for m in self.mistakes]

    @property
    def citation(self) -> str:
        """One sentence for who publishes the score."""
        return cite(self)

    @cached_property
    def remarks(self) -> list[str]:
        """What was read in spite of its form, what is of no type of the domain, what a protocol leaves out."""
        remarks = self.file.notes
        for n, ((_, types), said) in enumerate(self.judged.parts):
            where = f"{self.judged.splits[n]}: " if len(self.judged.parts) > 1 else ""
            unknown = readers.count_unknown_types([kind for p in said for kind in list_types(p)], types)
            remarks += [f"{where}{remark}" for remark in unknown]
        if inside := sum(len(p.rejected) for _, p in self.pairs if p.raw is None):
            remarks.append(f"{inside:,} predictions are no spans of tokens, and count as wrong")
        remarks += [f"the score is to be doubted: {doubt}" for doubt in self.scores.doubts]
        return remarks + tell_left_out(self.pairs)

    def to_data(self) -> dict[str, Any]:
        """All of it as values of JSON; ratios in percent."""
        return {
            "predictions": {"file": self.file.name, "format": self.file.format, "scheme": self.file.scheme},
            "gold": self.judged.gold,
            "types": self.types,
            "map": dict(self.judged.renamed),
            "cite": self.citation,
            "sentences": len(self.pairs),
            "protocols": {
                name: {**_to_data(self.scores.counts(name)), "types": {k: _to_data(c) for k, c in per_type.items()}}
                for name, per_type in self.scores.protocols.items()
            },
            "lenient": dict(self.lenient),
            "averages": {name: asdict(ratios) for name, ratios in self.averages.items()},
            "errors": dict(self.errors),
            "errors_per_type": {kind: dict(errors) for kind, errors in self.errors_per_type.items()},
            "confusion": {gold: dict(said) for gold, said in self.confusion.items()},
            "answers": dict(self.scores.answers),
            "remarks": self.remarks,
        }


def choose_types(judged: Judged, only: Collection[str], without: Collection[str]) -> tuple[Judged, list[str]]:
    """Gold and predictions of some types, all but those of `without` if `only` names none, and these types. What was
    predicted of a type that the domain does not have stays, and is wrong.

    Raises `OptionError` for a type that no domain has, and if no type is left.
    """
    known = judged.types
    for kind in (*only, *without):
        if kind not in known:
            raise OptionError(f"there is no type {kind!r}", hint=did_you_mean(kind, known))
    kept = [kind for kind in known if (not only or kind in only) and kind not in without]
    if not kept:
        raise OptionError("--types and --ignore-type leave no type to score", hint="leave one of them out")
    dropped = frozenset(known) - frozenset(kept)
    parts = [
        (
            ([replace(s, entities=tuple(e for e in s.entities if e.type not in dropped)) for s in gold], types),
            [_drop(prediction, dropped) for prediction in said],
        )
        for (gold, types), said in judged.parts
    ]
    return replace(judged, parts=parts), kept


def _drop(prediction: Prediction, dropped: Collection[str]) -> Prediction:
    return replace(
        prediction,
        entities=tuple(e for e in prediction.entities if e.type not in dropped),
        rejected=tuple(r for r in prediction.rejected if r.type not in dropped),
        raw=None,  # what a protocol reads out of the text would be of all types
        tags=prediction.tags and tuple("O" if tag[2:] in dropped else tag for tag in prediction.tags),
    )


def _to_data(counts: Counts) -> dict[str, float]:
    ratios = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
    return {**ratios, "tp": counts.tp, "fp": counts.fp, "fn": counts.fn}
