"""A row of a leaderboard: the results of one method with its options, and what its cells say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from ..io import models
from ..llm import Usage
from ..records import Result, Status
from ..scoring import HEADLINE, Counts, Sample, total
from ..types import Cut, Doubt, Given
from .cells import HOLE, Estimate, Hole

LOST = (f"{Cut.ANSWER} cut", f"{Cut.PROMPT} cut", "unseen sentences", "unseen tokens", "unseen entities")
"""Counts of a result's answers that limits of length bring about."""
READ_IN_PART = "some test sentences were read only in part (share under Fairness)"
_IN_PART = ("unseen sentences", f"{Cut.PROMPT} cut")
Ratio = Callable[[Result], float | None]
"""A number in percent that a result has, or lacks."""


@dataclass(frozen=True)
class Row:
    """All results of one method with one set of options in one setting."""

    results: Sequence[Result]
    targets: Sequence[str]

    @property
    def method(self) -> str:
        """The name of the method that made every result of the row."""
        return self.results[0].method.name

    @cached_property
    def finished(self) -> Sequence[Result]:
        """The results that have scores."""
        return [r for r in self.results if r.finished]

    @cached_property
    def made(self) -> Sequence[Result]:
        """The finished results that runs made; none where somebody brought predictions."""
        return [r for r in self.finished if not r.predictions_only]

    def seeds(self, target: str) -> Mapping[int, Result]:
        """The finished runs of one target by seed; one stands for all where no seed changes anything."""
        return self._by_target.get(target, {})

    @cached_property
    def _by_target(self) -> Mapping[str, Mapping[int, Result]]:
        found: dict[str, dict[int, Result]] = {}
        for result in self.finished:
            found.setdefault(result.scenario.target, {})[result.seed] = result
        shared = set.intersection(*map(set, found.values())) if found else set()
        firsts = {target: runs[min(shared or runs)] for target, runs in found.items()}
        # Whether all seeds answer alike, sentence by sentence: then they are one run, and not a sample.
        if all(
            (r.scores, r.sentences) == (firsts[target].scores, firsts[target].sentences)
            for target, runs in found.items()
            for r in runs.values()
        ):
            return {target: {first.seed: first} for target, first in firsts.items()}
        return found

    def f1(self, target: str, protocol: str = HEADLINE) -> Estimate | None:
        """Micro-F1 of one target under a protocol; None without a score."""
        return self.measure(target, lambda r: r.f1(protocol))

    def measure(self, target: str, ratio: Ratio) -> Estimate | None:
        """What the runs of one target have; None if none of them has it."""
        values = [ratio(r) for r in self.seeds(target).values()]
        return Estimate.over([value for value in values if value is not None])

    def average(self, protocol: str = HEADLINE) -> Estimate | None:
        """The mean over all targets, by seed; only seeds that every target has. None if there is no such seed."""
        return self.average_of(lambda r: r.f1(protocol))

    def average_of(self, ratio: Ratio) -> Estimate | None:
        """As `average`, of whatever results have."""
        return Estimate.over([fmean(ratio(r) or 0.0 for r in runs) for runs in self._list_common(ratio)])

    def pooled(self, protocol: str = HEADLINE) -> Estimate | None:
        """Micro-F1 over the entities of all targets together, by seed, of the same seeds as the average."""
        by_seed = self._list_common(lambda r: r.f1(protocol))
        return Estimate.over([total(c for r in runs for c in r.scores[protocol].values()).f1 for runs in by_seed])

    @cached_property
    def sample(self) -> Sample | None:
        """The counts of the headline by sentence, of the same seeds as the average; None without an average."""
        by_seed = self._list_common(lambda r: r.f1(HEADLINE))
        counts: list[Sequence[Sequence[Counts]]] = [[r.sentences for r in runs] for runs in zip(*by_seed, strict=True)]
        return Sample(dict(zip(self.targets, counts, strict=True))) if by_seed else None

    def _list_common(self, ratio: Ratio) -> list[list[Result]]:
        """The runs of every seed of which all targets have a ratio, each in the order of the targets."""
        runs = [{seed: r for seed, r in self.seeds(t).items() if ratio(r) is not None} for t in self.targets]
        return [[of_target[seed] for of_target in runs] for seed in sorted(set.intersection(*map(set, runs)))]

    def doubts(self, targets: Sequence[str]) -> list[Doubt]:
        """Why to doubt the scores of these targets, each reason once."""
        found = {why for target in targets for r in self.seeds(target).values() for why in r.doubts}
        return [why for why in Doubt if why in found]

    def precisions(self, targets: Sequence[str]) -> list[str]:
        """What the runs of these targets computed in, each once; the sign of a hole where a record does not say."""
        return sorted({r.model.precision or HOLE for target in targets for r in self.seeds(target).values()})

    def remarks(self, targets: Sequence[str]) -> list[str]:
        """What a reader has to know of the scores of these targets: each doubt, whether precisions are mixed, whether
        sentences were read only in part.
        """
        mixed = self.precisions(targets)
        said = [f"runs of different precision ({', '.join(mixed)}) are averaged"] if len(mixed) > 1 else []
        cut = [READ_IN_PART] if self.share_read_in_part(targets) else []
        return [*map(str, self.doubts(targets)), *said, *cut]

    def count_lost(self, targets: Sequence[str]) -> dict[str, int]:
        """What limits of length took away in the runs of these targets, under the names of columns."""
        runs = [r for target in targets for r in self.seeds(target).values()]
        return {name.replace(" ", "_"): sum(r.answers.get(name, 0) for r in runs) for name in LOST}

    def share_read_in_part(self, targets: Sequence[str]) -> float | None:
        """The share in percent of the test sentences of these targets that the runs did not wholly read; None without a
        run, and where only predictions are known.
        """
        runs = [r for target in targets for r in self.seeds(target).values()]
        size = sum(len(r.sentences) for r in runs)
        return 100 * sum(map(_count_read_in_part, runs)) / size if size and not runs[0].predictions_only else None

    @property
    def given(self) -> Sequence[Given] | None:
        """What the method may learn from; None if it does not say."""
        return next((r.given for r in self.results if r.given is not None), None)

    @property
    def published(self) -> str:
        """The month in which its backbone was published, or "none" if that has read nothing public; "" if not known."""
        return "none" if self.backbone == "none" else models.look_up_date(self.backbone) or ""

    @property
    def rank_key(self) -> tuple[Any, ...]:
        """Best average first; incomplete rows last; then by name."""
        average = self.average()
        return (average is None, -(average.mean if average else 0.0), self.method, self.results[0].method.row)

    def cell(self, target: str, protocol: str = HEADLINE) -> Estimate | Hole:
        """F1 of one target under a protocol, or why there is none."""
        estimate = self.f1(target, protocol)
        if estimate:
            return estimate
        holes = {r.status for r in self.results if r.scenario.target == target}
        return Hole("not run" if Status.NOT_RUN in holes else "incomplete" if Status.INCOMPLETE in holes else "")

    @property
    def backbone(self) -> str:
        """The model that the method builds on or asks, "none" if there is no such."""
        first = (self.finished or self.results)[0]
        return first.backbone

    @property
    def preset(self) -> str | None:
        """The preset that the options started from, if there was one."""
        return (self.finished or self.results)[0].method.preset

    @property
    def usages(self) -> list[Usage]:
        """What its runs asked of language models, if they did."""
        return [r.usage for r in self.finished if r.usage and r.usage.requests]


def _count_read_in_part(result: Result) -> int:
    """The test sentences of which a run read only a part: a cut prompt is one, whether or not it was said what of the
    sentence went with it.
    """
    return max(result.answers.get(name, 0) for name in _IN_PART) if result.answers else 0
