"""Result files in, ranked tables out. A pure function of the files; `formats/` puts the tables on a page.

A row is a method with its options, a column a target domain, a cell mean ± sample SD over seeds. Only `span-f1` ranks,
and only rows that have every target: a mean over what happens to be there is never printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase
from typing import Any

from ..data import Benchmark
from ..records import Result
from ..scoring import HEADLINE, PROTOCOLS
from ..types import Doubt
from .cells import HOLE, Cell, Estimate, Hole, Remarked, Several, list_values
from .costs import (
    ANSWERS,
    ASKED,
    COST,
    DEVICE,
    METHOD,
    MODEL,
    TRAINED,
    UNSEEN,
    Ranked,
    show_seconds_of_training,
)
from .row import Row
from .table import Column, Supplement, Table

SHOWN = (HEADLINE, "strict-reading", "topt-released", "bio-projected", "string-multiset")
"""Protocols whose averages stand side by side; all are in the CSV and JSON."""

MOST_NAMED = 4
"""Options that a row is named by; JSON and CSV have all of them."""


@dataclass(frozen=True)
class Board:
    """The leaderboard of one setting of a benchmark."""

    benchmark: Benchmark
    setting: str
    rows: Sequence[Row]
    left_out: Sequence[Result] = ()
    supplements: Sequence[Supplement] = ()

    @property
    def title(self) -> str:
        """The titles of the benchmark and of the setting."""
        return f"{self.benchmark.title}: {self.benchmark.setting(self.setting).title}"

    @property
    def lead(self) -> str:
        """Which data, and where the page comes from."""
        return (
            f"Benchmark `{self.benchmark.name}`, version {self.benchmark.version}. "
            "Written by `cdner-bench leaderboard` from the result files; do not edit."
        )

    @cached_property
    def ranked(self) -> list[Ranked]:
        """The rows, named."""
        stated = [[p for p in row.precisions(self.targets) if p != HOLE] for row in self.rows]
        differ = len({p for precisions in stated for p in precisions}) > 1
        return [
            Ranked(
                place,
                name_row(row),
                row,
                f"{row.backbone}, {'/'.join(precisions)}" if differ and precisions else row.backbone,
            )
            for place, (row, precisions) in enumerate(zip(self.rows, stated, strict=True), start=1)
        ]

    def scores(self, protocol: str = HEADLINE, targets: Sequence[str] = ()) -> Table:
        """F1 of all domains, or of some, and on average over all; under the headline or another protocol."""
        note = (
            "Mean ± sample SD over seeds, in percent; the average is taken per seed, over seeds that every domain has."
        )
        if self.left_out:
            note += (
                f" Left out: {len(self.left_out)} results of another revision or of other data than the newest here."
            )
        if targets:
            note += f" The average is over all {len(self.targets)} domains."
        if protocol != HEADLINE:
            note += f" The place is that under {HEADLINE}."
        note += " Train s: all training phases, on that device, as under Cost."
        columns = [
            Column[Ranked]("#", "right", lambda ranked: ranked.place if ranked.row.average() else Hole(), 4, "place"),
            METHOD,
            *MODEL,
            *(self._f1(target, protocol) for target in targets or self.targets),
            Column(
                "Avg.",
                "right",
                lambda ranked: self._mark(_show_average(ranked, protocol), ranked, *self.targets),
                8,
            ),
            TRAINED,
            Column("Seeds", "right", self._seeds, 2),
            DEVICE,
        ]
        legend = "; ".join(f"({mark}) {why}" for why, mark in self._marks.items())
        kind = "Strict span micro-F1" if protocol == HEADLINE else "Micro-F1"
        return Table(f"{kind} ({protocol})", columns, self.ranked, note, legend=_to_sentence(legend))

    def _f1(self, target: str, protocol: str) -> Column[Ranked]:
        title = self.benchmark.domain(target).title
        return Column(
            title, "right", lambda ranked: self._mark(ranked.row.cell(target, protocol), ranked, target), 5, target
        )

    @property
    def targets(self) -> Sequence[str]:
        """The target domains, in the order of their columns."""
        return self.benchmark.setting(self.setting).targets

    @cached_property
    def _marks(self) -> dict[str, str]:
        """A letter for each remark on a score of this board: the reasons to doubt it in their order, then others."""
        found = {why for row in self.rows for why in row.remarks(self.targets)}
        doubts = [str(why) for why in Doubt if why in found]
        return dict(zip([*doubts, *sorted(found - set(doubts))], ascii_lowercase, strict=False))

    def _mark(self, cell: Estimate | Hole, ranked: Ranked, *targets: str) -> Cell:
        """A score with the letters of what there is to know about it."""
        marks = [self._marks[why] for why in ranked.row.remarks(targets)]
        return Remarked(cell, ", ".join(marks)) if marks and isinstance(cell, Estimate) else cell

    def _seeds(self, ranked: Ranked) -> Several:
        """How many seeds a domain has, from the fewest to the most."""
        counts = sorted({len(ranked.row.seeds(t)) for t in self.targets})
        return Several(list(dict.fromkeys((counts[0], counts[-1]))), "–")

    def protocols(self) -> Table:
        """The averages under the protocols of other papers."""
        note = "The same predictions under other papers' scorers (docs/scoring.md). These columns never rank."
        columns = [METHOD, *MODEL, *(_average(protocol, protocol) for protocol in SHOWN)]
        return Table("Average under other protocols", columns, self.ranked, note)

    def cost(self) -> Table:
        """Parameters, time and memory of the rows that have run."""
        note = (
            "Means over runs. Learnt from: sentences, or in pre-training masked copies and rows, that each stage went "
            "through, all epochs together. s/epoch: the last training phase. Train s: all training phases, shared ones "
            "included. Dev s: answering dev to choose the epoch. Seconds of different devices do not compare, and are "
            "not averaged; (busy): other processes kept more than a quarter of a core busy meanwhile."
        )
        return Table("Cost", [METHOD, *MODEL, *COST], [ranked for ranked in self.ranked if ranked.row.finished], note)

    def answers(self) -> Table | None:
        """What was odd about the texts that the methods generated, if they did."""
        note = (
            "Sums over runs: answers, and among them those cut off at the length limit; then what they say that is no "
            "span of its sentence, by the reason. All of it counts as wrong, except what is only said again."
        )
        texts = [ranked for ranked in self.ranked if any(r.answers.get("read") for r in ranked.row.finished)]
        return Table("Generated answers", [METHOD, *MODEL, *ANSWERS], texts, note) if texts else None

    def unseen(self) -> Table | None:
        """What of the test sentences the methods could not see, if they could not."""
        note = (
            "Sums over runs: sentences whose ends are beyond a model's length, their tokens beyond it, and the gold "
            "entities that reach there. Gold keeps them all: what is not seen is missed."
        )
        short = [
            ranked for ranked in self.ranked if any(r.answers.get("unseen sentences") for r in ranked.row.finished)
        ]
        return Table("Beyond the models' lengths", [METHOD, *MODEL, *UNSEEN], short, note) if short else None

    def models(self) -> Table | None:
        """What was asked of language models, if anything."""
        note = (
            "Sums over runs; latency and waiting in seconds. Refused and filtered answers name no entities, truncated "
            "and malformed ones are scored by what they say. Cost at list prices, in US dollars; a model on this "
            "machine costs none. (mixed): the answers came from several models, or from one that says it was in "
            "several states."
        )
        asked = [ranked for ranked in self.ranked if ranked.row.usages]
        return Table("Language models", [METHOD, *ASKED], asked, note) if asked else None

    def columns(self, scores: Table) -> list[Column[Ranked]]:
        """Every column that there is of a row: of its scores, then of the other tables."""
        others = [_average(protocol, protocol) for protocol in PROTOCOLS]
        return [*scores.columns, *others, *COST, *ANSWERS, *UNSEEN, *ASKED]

    def tables(self) -> list[Table]:
        """Everything that is shown, in order; what supplements add comes last."""
        always = [self.scores(), self.protocols(), self.cost()]
        made = [*always, *(table for table in (self.answers(), self.unseen(), self.models()) if table)]
        return made + [table for supplement in self.supplements for table in supplement.board_tables(self)]

    def records(self) -> list[dict[str, Any]]:
        """One record a row, target and protocol: the unrounded numbers."""
        return [
            {
                "benchmark": self.benchmark.name,
                "version": self.benchmark.version,
                "setting": self.setting,
                "method": row.method,
                "options": dict(row.results[0].method.options),
                "backbone": row.backbone,
                "preset": row.preset,
                "target": target,
                "protocol": protocol,
                "mean": estimate.mean,
                "sd": estimate.sd,
                "n": estimate.n,
                "train_s": list_values("s", show_seconds_of_training(runs))["s"],
                "device": "; ".join(sorted({r.device or HOLE for r in runs})),
                "precision": ", ".join(row.precisions(over)),
                "doubts": "; ".join(row.remarks(over)),
                **row.count_lost(over),
            }
            for row in self.rows
            for target in (*row.targets, "average")
            for over in [row.targets if target == "average" else [target]]
            for runs in [[r for r in row.finished if r.scenario.target in over]]
            for protocol in PROTOCOLS
            if (estimate := row.average(protocol) if target == "average" else row.f1(target, protocol))
        ]


def _average(title: str, protocol: str) -> Column[Ranked]:
    return Column(title, "right", lambda ranked: _show_average(ranked, protocol))


def _show_average(ranked: Ranked, protocol: str) -> Estimate | Hole:
    return ranked.row.average(protocol) or Hole()


def _to_sentence(text: str) -> str:
    return f"{text}." if text else ""


def make_boards(results: Iterable[Result], benchmark: Benchmark, supplements: Sequence[Supplement] = ()) -> list[Board]:
    """One board a setting that has results of this version of the benchmark."""
    known = [r for r in results if (r.benchmark.name, r.benchmark.version) == (benchmark.name, benchmark.version)]
    made = []
    for name, setting in benchmark.settings.items():
        here = sorted((r for r in known if r.scenario.setting == name), key=lambda r: r.order)
        rows: dict[tuple[str, str], list[Result]] = {}
        for result in select_comparable(here):
            rows.setdefault((result.method.name, result.method.row), []).append(result)
        same = [select_alike(row) for row in rows.values()]
        ranked = sorted((Row(row, setting.targets) for row in same), key=lambda r: r.rank_key)
        shown = {id(result) for row in same for result in row}
        if ranked:
            made.append(Board(benchmark, name, ranked, [r for r in here if id(r) not in shown], supplements))
    return made


def select_comparable(results: Sequence[Result]) -> list[Result]:
    """The results of one setting that may be ranked together: those that share, with the newest of their target, the
    data, the label set and the sizes of the splits.
    """
    shared = {t: find_newest([r for r in results if r.scenario.target == t]).comparable for t in _targets(results)}
    return [r for r in results if r.comparable == shared[r.scenario.target]]


def select_alike(row: Sequence[Result]) -> list[Result]:
    """The results of a row that may be averaged: of the newest run's revision and, per target, one state of the files
    that the method reads.
    """
    revision = find_newest(row).method.revision
    same = [r for r in row if r.method.revision == revision]
    data = {t: find_newest([r for r in same if r.scenario.target == t]).benchmark.data for t in _targets(same)}
    return [r for r in same if r.benchmark.data == data[r.scenario.target]]


def find_newest(results: Sequence[Result]) -> Result:
    """The result that was made last."""
    return max(results, key=lambda r: (str(r.provenance.get("created", "")), r.order))


def _targets(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(r.scenario.target for r in results))


def name_row(row: Row) -> str:
    """The method's name, and the options that are not the preset's, the first of them if they are many; but for the
    backbone, which has a column.
    """
    first = row.results[0]
    values = {name: first.method.options[name] for name in first.departures if name in first.method.options}
    own = [f"{name}={value}" for name, value in values.items() if value != first.method.backbone]
    if len(own) > MOST_NAMED:
        own[MOST_NAMED:] = [f"and {len(own) - MOST_NAMED} more"]
    return f"{row.method} ({', '.join(own)})" if own else row.method
