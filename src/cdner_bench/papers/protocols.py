"""The same predictions under every protocol, run by run, and how far the released scorer reads above the headline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from ..data import Benchmark
from ..data import benchmark as benchmarks
from ..errors import DataError, OptionError, PredictionError
from ..records import Result, Run, describe_comparable, refuse
from ..reporting import Cell, Column, Fixed, Hole, Table
from ..scoring import HEADLINE, PROTOCOLS, RELEASED, Counts, Pairs, pair, read_kept, tell_left_out, total
from ..scoring import score as score_anew

ANEW = "scored anew"


@dataclass(frozen=True)
class Scored:
    """A finished run with its counts under each protocol that it could be scored with, what some of these leave out,
    and whence the counts are: `ANEW`, or why they are those of its result.
    """

    result: Result
    counts: Mapping[str, Counts]
    whence: str
    remarks: Sequence[str] = ()

    @property
    def name(self) -> str:
        """What the run is called."""
        place = self.result.scenario
        return f"{self.result.method.name}/{place.setting}/{place.target}/{self.result.seed}"

    def f1(self, protocol: str) -> float | None:
        """Micro-F1 in percent; None under a protocol that it was not scored with."""
        return self.counts[protocol].f1 if protocol in self.counts else None

    def above(self, protocol: str) -> float | None:
        """How far a protocol reads above the headline, in points of F1."""
        there, here = self.f1(protocol), self.f1(HEADLINE)
        return None if there is None or here is None else there - here


def score_run(run: Run, benchmark: Benchmark | None) -> Scored:
    """A finished run under every protocol: from its kept predictions where these and their data are here, else as its
    result holds it. Nothing is written.
    """
    result = run.result
    try:
        found = _pair_kept(run, benchmark)
    except PredictionError as error:
        refuse(error)
        found = "its predictions are refused"
    if isinstance(found, str):
        held = {name: total(result.scores[name].values()) for name in PROTOCOLS if name in result.scores}
        return Scored(result, held, f"as the result holds it: {found}")
    pairs, types = found
    scores = score_anew([s for s, _ in pairs], [p for _, p in pairs], types)
    return Scored(result, {name: scores.counts(name) for name in PROTOCOLS}, ANEW, tell_left_out(pairs))


def _pair_kept(run: Run, benchmark: Benchmark | None) -> tuple[Pairs, Sequence[str]] | str:
    """Gold with what is kept of a run, and the types of its domain; or why that cannot be had."""
    result = run.result
    place = next((place for place in run.places if place.is_file()), None)
    if place is None:
        return "no predictions are kept"
    if benchmark is None or benchmark.name != result.benchmark.name:
        return "; ".join(benchmarks.describe_unshipped(result.benchmark.name))
    try:
        if result.comparable != describe_comparable(benchmark, result.scenario):
            return "the data are not those that it was scored on"
        target = benchmark.corpus(result.scenario.target)
    except (DataError, OptionError):
        return "its data are not here"
    return pair(target.test, read_kept(place, target.test, target.types)), target.types


@dataclass(frozen=True)
class ProtocolPage:
    """Finished runs under every protocol: a table for each that was `named`, else one for all; and the inflation of
    each domain.
    """

    runs: Sequence[Scored]
    named: bool = False

    title = "The same predictions under every protocol"
    lead = "Written by `cdner-bench protocols`. Only span-f1 ranks; docs/scoring.md says what the others count."

    def tables(self) -> list[Table]:
        """The runs, then the domains of several."""
        shown = [_tabulate_run(run) for run in self.runs] if self.named else [self._tabulate_all()]
        return [*shown, *([self._tabulate_inflation()] if len(self.runs) > 1 else [])]

    def records(self) -> list[dict[str, Any]]:
        """One record a run and protocol, a hole where the run was not scored with it: the unrounded numbers."""
        return [
            {
                "run": run.result.run,
                "benchmark": run.result.benchmark.name,
                "setting": run.result.scenario.setting,
                "target": run.result.scenario.target,
                "method": run.result.method.name,
                "options": dict(run.result.method.options),
                "backbone": run.result.backbone,
                "seed": run.result.seed,
                "protocol": protocol,
                **{part: getattr(run.counts.get(protocol), part, None) for part in _PARTS},
                f"above_{HEADLINE}": run.above(protocol),
                "scored": run.whence,
                "doubts": "; ".join(map(str, run.result.doubts)),
            }
            for run in self.runs
            for protocol in PROTOCOLS
        ]

    def _tabulate_all(self) -> Table:
        columns = [
            Column[Scored]("Run", "left", lambda run: run.name, 9),
            Column[Scored]("Id", "left", lambda run: run.result.run[:8], 2),
            Column[Scored]("Backbone", "left", lambda run: run.result.backbone, 3),
            *(_show_f1(name, 8 if name in (HEADLINE, RELEASED) else 4) for name in PROTOCOLS),
            Column[Scored](f"{RELEASED} − {HEADLINE}", "right", lambda run: _show(run.above(RELEASED), sign=True), 7),
        ]
        return Table(self.title, columns, self.runs, "Micro-F1 in percent.", legend=" ".join(self._tell_whence()))

    def _tell_whence(self) -> Iterator[str]:
        """How many runs were scored anew, and how many were not, by the reason."""
        for whence in dict.fromkeys(run.whence for run in self.runs):
            yield f"{sum(run.whence == whence for run in self.runs)} of {len(self.runs)} runs: {whence}."

    @cached_property
    def sure(self) -> list[Scored]:
        """The runs whose scores are not doubtful: a score of nothing is inflated by nothing."""
        return [run for run in self.runs if not run.result.doubts and run.above(RELEASED) is not None]

    def _tabulate_inflation(self) -> Table:
        groups: dict[tuple[str, str], list[Scored]] = {}
        for run in self.sure:
            groups.setdefault((run.result.benchmark.name, run.result.scenario.target), []).append(run)
        note = f"Points of F1 that {RELEASED} reads above {HEADLINE}, over the runs of each target domain."
        if left := len(self.runs) - len(self.sure):
            note += f" Left out: {left} whose score is doubtful, or that lack one of the two."
        columns = [
            Column[_Group]("Benchmark", "left", lambda group: group[0][0], 1),
            Column[_Group]("Domain", "left", lambda group: group[0][1], 9),
            Column[_Group]("Runs", "right", lambda group: len(group[1]), 2),
            *(_show_above(title, take) for title, take in (("Mean", fmean), ("Least", min), ("Most", max))),
        ]
        return Table(f"Inflation of {RELEASED} over {HEADLINE}", columns, list(groups.items()), note)


_PARTS = ("precision", "recall", "f1", "tp", "fp", "fn")
_Group = tuple[tuple[str, str], Sequence[Scored]]


def _tabulate_run(run: Scored) -> Table:

    def show_part(title: str, part: str, importance: int) -> Column[str]:
        return Column(title, "right", lambda name: _show(getattr(run.counts.get(name), part, None)), importance, part)

    columns = [
        Column[str]("Protocol", "left", lambda name: name, 9),
        show_part("Precision", "precision", 6),
        show_part("Recall", "recall", 6),
        show_part("F1", "f1", 8),
        Column[str](f"above {HEADLINE}", "right", lambda name: _show(run.above(name), sign=True), 7),
        *(show_part(part, part, 0) for part in ("tp", "fp", "fn")),
    ]
    doubts = [f"The score is to be doubted: {doubt}." for doubt in run.result.doubts]
    legend = [f"{run.whence[0].upper()}{run.whence[1:]}.", *doubts, *(f"{remark}." for remark in run.remarks)]
    return Table(f"{run.name} (run {run.result.run})", columns, list(PROTOCOLS), legend=" ".join(legend))


def _show_f1(protocol: str, importance: int) -> Column[Scored]:
    return Column(protocol, "right", lambda run: _show(run.f1(protocol)), importance)


def _show_above(title: str, take: Callable[[Sequence[float]], float]) -> Column[_Group]:
    def cell(group: _Group) -> Cell:
        return _show(take([above for run in group[1] if (above := run.above(RELEASED)) is not None]), sign=True)

    return Column(title, "right", cell, 5)


def _show(value: float | None, *, sign: bool = False) -> Cell:
    if value is None or isinstance(value, int):
        return Hole() if value is None else value
    return Fixed(value, 2, "+" if sign and value >= 0 else "")
