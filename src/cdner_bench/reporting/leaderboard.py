"""Result files in, ranked tables out. A pure function of the files; `formats.py` puts the tables on a page.

A row is a method with its options, a column a target domain, a cell mean ± sample SD over seeds. Only `span-f1` ranks,
and only rows that have every target: a mean over what happens to be there is never printed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import Any

from ..data import Benchmark
from ..io import benchmarks_dir
from ..records import Result
from ..scoring import HEADLINE, PROTOCOLS
from .row import HOLE, Row

SHOWN = (HEADLINE, "topt-released", "bio-projected", "string-multiset")
"""Protocols whose averages stand side by side; all six are in the CSV and JSON."""


@dataclass(frozen=True)
class Table:
    """Headers and rows of text.

    `pictures` go with it: paths relative to the page and without suffix (each is an SVG, a PNG and a CSV), and what
    they show. A `folded` table is long and opens on a click, where the format can do that.
    """

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)
    folded: bool = False


@dataclass(frozen=True)
class Board:
    """The leaderboard of one setting of a benchmark."""

    benchmark: Benchmark
    setting: str
    rows: Sequence[Row]
    outdated: int = 0

    @property
    def title(self) -> str:
        """Benchmark and setting."""
        return f"{self.benchmark.title}: {self.benchmark.setting(self.setting).title}"

    @property
    def lead(self) -> str:
        """Which data, and where the page comes from."""
        return (
            f"Benchmark `{self.benchmark.name}`, version {self.benchmark.version}. "
            "Written by `cdner-bench leaderboard` from the result files; do not edit."
        )

    @cached_property
    def labels(self) -> list[str]:
        """The rows' names; options are added where rows of one method differ in nothing else that is shown."""
        return [row_label(row, [other for other in self.rows if other.method == row.method]) for row in self.rows]

    def scores(self) -> Table:
        """F1 per domain and on average, under the headline."""
        targets = self.benchmark.setting(self.setting).targets
        titles = [self.benchmark.domain(t).title for t in targets]
        rows = []
        for rank, (label, row) in enumerate(zip(self.labels, self.rows, strict=True), start=1):
            average = row.average()
            cells = [row.cell(target) for target in targets]
            seeds = sorted({len(row.seeds(t)) for t in targets})
            n = "–".join(str(s) for s in ([seeds[0], seeds[-1]] if len(seeds) > 1 else seeds))
            place = str(rank) if average else HOLE
            rows.append([place, label, *row.model, *cells, str(average or HOLE), n])
        note = (
            "Mean ± sample SD over seeds, in percent; the average is taken per seed, over seeds that every domain has."
        )
        if self.outdated:
            note += f" Left out: {self.outdated} results of older code or data than the newest of their row."
        headers = ["#", "Method", "Backbone", "Preset", *titles, "Avg.", "Seeds"]
        return Table(f"Strict span micro-F1 ({HEADLINE})", headers, rows, note)

    def protocols(self) -> Table:
        """The averages under the protocols of other papers."""
        rows = [
            [label, *r.model, *(str(r.average(p) or HOLE) for p in SHOWN)]
            for label, r in zip(self.labels, self.rows, strict=True)
        ]
        note = "The same predictions under other papers' scorers (docs/scoring.md). These columns never rank."
        return Table("Average under other protocols", ["Method", "Backbone", "Preset", *SHOWN], rows, note)

    def cost(self) -> Table:
        """Parameters, time and memory."""
        headers = [
            "Method",
            "Backbone",
            "Preset",
            "Trained / total",
            "Train s/epoch",
            "Train s",
            "s/sentence",
            "Peak memory",
            "Precision",
            "Device",
        ]
        rows = [[label, *r.model, *r.cost()] for label, r in zip(self.labels, self.rows, strict=True) if r.finished]
        note = (
            "Means over runs. s/epoch: the last training phase. Train s: all training phases, shared ones included. "
            "Seconds of different devices do not compare, and are not averaged."
        )
        return Table("Cost", headers, rows, note)

    def models(self) -> Table | None:
        """What was asked of language models, if anything."""
        headers = [
            "Method",
            "Model",
            "Asked (UTC)",
            "Prompt",
            "Requests",
            "Not plain answers",
            "Tokens in",
            "Tokens out",
            "Cost",
            "Latency p50 / p90 / p99",
            "Waiting",
        ]
        asked = [(label, row) for label, row in zip(self.labels, self.rows, strict=True) if row.usages]
        rows = [[label, *row.asked()] for label, row in asked]
        note = (
            "Sums over runs; latency and waiting in seconds. Refused, truncated, filtered and malformed answers are "
            "scored by what they say. Cost at list prices, in US dollars; a model on this machine costs none."
        )
        return Table("Language models", headers, rows, note) if rows else None

    def reported(self) -> Table | None:
        """What the paper prints for this setting, if anything."""
        targets = self.benchmark.setting(self.setting).targets
        rows = []
        for table, row in paper_rows(self.benchmark.name, self.setting):
            values = [row["f1"].get(t) for t in targets]
            mean = f"{fmean(values):.2f}" if None not in values else HOLE
            printed = f"{row['average']:.2f}" if "average" in row else HOLE
            rows.append(
                [
                    row["method"],
                    *(HOLE if v is None else f"{v:.2f}" for v in values),
                    printed,
                    mean,
                    f"Table {table}",
                ]
            )
        if not rows:
            return None
        titles = [self.benchmark.domain(t).title for t in targets]
        note = (
            "Copied from the paper, not measured here; scorers, splits and prompts differ between its rows. "
            "The mean is recomputed from the five columns."
        )
        return Table("Reported in the TOPT paper", ["Method", *titles, "Avg. (printed)", "Mean", "Source"], rows, note)

    def tables(self) -> list[Table]:
        """Everything that is shown, in order."""
        return [
            table for table in (self.scores(), self.protocols(), self.cost(), self.models(), self.reported()) if table
        ]

    def records(self) -> list[dict[str, Any]]:
        """One record a row, target and protocol: the unrounded numbers."""
        return [
            {
                "benchmark": self.benchmark.name,
                "version": self.benchmark.version,
                "setting": self.setting,
                "method": row.method,
                "options": dict(row.results[0].method.options),
                "backbone": row.model[0],
                "preset": row.results[0].method.preset,
                "target": target,
                "protocol": protocol,
                "mean": estimate.mean,
                "sd": estimate.sd,
                "n": estimate.n,
            }
            for row in self.rows
            for target in (*row.targets, "average")
            for protocol in PROTOCOLS
            if (estimate := row.average(protocol) if target == "average" else row.f1(target, protocol))
        ]


def boards(results: Iterable[Result], benchmark: Benchmark) -> list[Board]:
    """One board a setting that has results of this version of the benchmark."""
    grouped: dict[str, dict[tuple[str, str], list[Result]]] = {}
    for result in sorted(results, key=lambda r: r.order):
        if (result.benchmark.name, result.benchmark.version) == (benchmark.name, benchmark.version):
            rows = grouped.setdefault(result.scenario.setting, {})
            rows.setdefault((result.method.name, result.method.row), []).append(result)
    made = []
    for name, setting in benchmark.settings.items():
        if name in grouped:
            same = [alike(row) for row in grouped[name].values()]
            ranked = sorted((Row(row, setting.targets) for row in same), key=lambda r: r.rank_key)
            outdated = sum(map(len, grouped[name].values())) - sum(map(len, same))
            made.append(Board(benchmark, name, ranked, outdated))
    return made


def alike(row: Sequence[Result]) -> list[Result]:
    """The results of a row that may be averaged: of the newest run's code and, per target, one state of the data."""

    def newest(results: Sequence[Result]) -> Result:
        return max(results, key=lambda r: (str(r.provenance.get("created", "")), r.order))

    version = newest(row).method.version
    same_code = [r for r in row if r.method.version == version]
    data = {t: newest([r for r in same_code if r.scenario.target == t]).benchmark.data for t in _targets(same_code)}
    return [r for r in same_code if r.benchmark.data == data[r.scenario.target]]


def _targets(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(r.scenario.target for r in results))


def row_label(row: Row, rivals: Sequence[Row]) -> str:
    """The method's name, and the options in which it differs from rivals that look the same otherwise."""
    shown = ("backbone", "model")
    options = row.results[0].method.options
    differing = [
        name
        for name, value in options.items()
        if name not in shown
        and any(r.model == row.model and r.results[0].method.options.get(name) != value for r in rivals)
    ]
    return f"{row.method} ({', '.join(f'{name}={options[name]}' for name in differing)})" if differing else row.method


def paper_tables(benchmark: str) -> list[dict[str, Any]]:
    """The tables of the TOPT paper that are about a benchmark, as `benchmarks/paper/topt/` has them."""
    paths = sorted((benchmarks_dir() / "paper").glob("*/table-*.toml"))
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]
    return [table for table in tables if table["benchmark"] == benchmark]


def paper_rows(benchmark: str, setting: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The F1 that the paper prints for a setting: (table, row)."""
    tables = paper_tables(benchmark)
    return [(t["table"], row) for t in tables for row in t.get("rows", ()) if row["setting"] == setting]
