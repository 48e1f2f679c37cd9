"""Result files in, ranked tables out. A pure function of the files; `formats.py` puts the tables on a page.

A row is a method with its options, a column a target domain, a cell mean ± sample SD over seeds. Only `span-f1` ranks,
and only rows that have every target: a mean over what happens to be there is never printed.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev
from typing import Any

from .benchmark import Benchmark
from .files import benchmarks_dir
from .llm.question import ANSWERED
from .llm.usage import Usage
from .results import INCOMPLETE, NOT_RUN, Result
from .scoring import HEADLINE, PROTOCOLS

HOLE = "–"
SHOWN = (HEADLINE, "topt-released", "bio-projected", "string-multiset")
"""Protocols whose averages stand side by side; all six are in the CSV and JSON."""


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, its sample standard deviation (None for one seed) and the number of seeds."""

    mean: float
    sd: float | None
    n: int

    @classmethod
    def over(cls, values: Sequence[float]) -> Estimate | None:
        """None where there is nothing to estimate from."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, len(values)) if values else None

    def __str__(self) -> str:
        return f"{self.mean:.2f}" if self.sd is None else f"{self.mean:.2f} ± {self.sd:.2f}"


@dataclass(frozen=True)
class Row:
    """All results of one method with one set of options in one setting."""

    results: Sequence[Result]
    targets: Sequence[str]

    @property
    def method(self) -> str:
        """The method's name."""
        return self.results[0].method.name

    @cached_property
    def finished(self) -> Sequence[Result]:
        """Those that have scores."""
        return [r for r in self.results if r.finished]

    def seeds(self, target: str) -> dict[int, Result]:
        """The finished runs of one target by seed."""
        return {r.seed: r for r in self.finished if r.scenario.target == target}

    def f1(self, target: str, protocol: str = HEADLINE) -> Estimate | None:
        """Micro-F1 of one target."""
        values = [r.f1(protocol) for r in self.seeds(target).values()]
        return Estimate.over([value for value in values if value is not None])

    def average(self, protocol: str = HEADLINE) -> Estimate | None:
        """The mean over all targets, by seed; only seeds that every target has. None if there is no such seed."""
        runs = [
            {seed: value for seed, r in self.seeds(target).items() if (value := r.f1(protocol)) is not None}
            for target in self.targets
        ]
        common = sorted(set.intersection(*map(set, runs)))
        return Estimate.over([fmean(by_seed[seed] for by_seed in runs) for seed in common])

    @property
    def rank_key(self) -> tuple[Any, ...]:
        """Best average first; incomplete rows last; then by name."""
        average = self.average()
        return (average is None, -(average.mean if average else 0.0), self.method, self.results[0].method.row)


@dataclass(frozen=True)
class Table:
    """Headers and rows of text."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


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

    @cached_property
    def labels(self) -> list[str]:
        """The rows' names; options are added where rows of one method differ in nothing else that is shown."""
        return [_label(row, [other for other in self.rows if other.method == row.method]) for row in self.rows]

    def scores(self) -> Table:
        """F1 per domain and on average, under the headline."""
        targets = self.benchmark.setting(self.setting).targets
        titles = [self.benchmark.domain(t).title for t in targets]
        rows = []
        for rank, (label, row) in enumerate(zip(self.labels, self.rows, strict=True), start=1):
            average = row.average()
            cells = [_cell(row, target) for target in targets]
            seeds = sorted({len(row.seeds(t)) for t in targets})
            n = "–".join(str(s) for s in ([seeds[0], seeds[-1]] if len(seeds) > 1 else seeds))
            place = str(rank) if average else HOLE
            rows.append([place, label, *_model(row), *cells, str(average or HOLE), n])
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
            [label, *_model(r), *(str(r.average(p) or HOLE) for p in SHOWN)]
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
        rows = [[label, *_model(r), *_cost(r)] for label, r in zip(self.labels, self.rows, strict=True) if r.finished]
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
        asked = [(label, row) for label, row in zip(self.labels, self.rows, strict=True) if _usages(row)]
        rows = [[label, *_asked(row)] for label, row in asked]
        note = (
            "Sums over runs; latency and waiting in seconds. Refused, truncated, filtered and malformed answers are "
            "scored by what they say. Cost at list prices, in US dollars; a model on this machine costs none."
        )
        return Table("Language models", headers, rows, note) if rows else None

    def reported(self) -> Table | None:
        """What the paper prints for this setting, if anything."""
        targets = self.benchmark.setting(self.setting).targets
        rows = []
        for table, row in _paper(self.benchmark.name, self.setting):
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
                "backbone": _model(row)[0],
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
            alike = [_alike(row) for row in grouped[name].values()]
            ranked = sorted((Row(row, setting.targets) for row in alike), key=lambda r: r.rank_key)
            outdated = sum(map(len, grouped[name].values())) - sum(map(len, alike))
            made.append(Board(benchmark, name, ranked, outdated))
    return made


def _alike(row: Sequence[Result]) -> list[Result]:
    """The results of a row that may be averaged: of the newest run's code and, per target, one state of the data."""

    def newest(results: Sequence[Result]) -> Result:
        return max(results, key=lambda r: (str(r.provenance.get("created", "")), r.order))

    version = newest(row).method.version
    same_code = [r for r in row if r.method.version == version]
    data = {t: newest([r for r in same_code if r.scenario.target == t]).benchmark.data for t in _targets(same_code)}
    return [r for r in same_code if r.benchmark.data == data[r.scenario.target]]


def _targets(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(r.scenario.target for r in results))


def _label(row: Row, rivals: Sequence[Row]) -> str:
    shown = ("backbone", "model")
    options = row.results[0].method.options
    differing = [
        name
        for name, value in options.items()
        if name not in shown
        and any(_model(r) == _model(row) and r.results[0].method.options.get(name) != value for r in rivals)
    ]
    return f"{row.method} ({', '.join(f'{name}={options[name]}' for name in differing)})" if differing else row.method


def _cell(row: Row, target: str) -> str:
    estimate = row.f1(target)
    if estimate:
        return str(estimate)
    holes = {r.status for r in row.results if r.scenario.target == target}
    return "not run" if NOT_RUN in holes else "incomplete" if INCOMPLETE in holes else HOLE


def _model(row: Row) -> tuple[str, str]:
    first = (row.finished or row.results)[0]
    options = first.method.options
    named = first.model.backbone if row.finished else options.get("backbone") or options.get("model") or "none"
    return str(named), first.method.preset or HOLE


def _cost(row: Row) -> list[str]:
    runs = row.finished
    training = [[p for p in r.phases if p.epochs] for r in runs]
    per_epoch = [phases[-1].seconds / phases[-1].epochs for phases in training if phases]
    in_all = [sum(p.seconds for p in phases) for phases in training if phases]
    predict = [
        p.seconds / p.sentences
        for r in runs
        for p in r.phases
        if p.name == "predict" and p.sentences and not (r.usage and r.usage.replayed)
    ]
    if len({r.device for r in runs}) > 1:
        per_epoch, in_all, predict = [], [], []
    return [
        f"{_millions(runs[0].model.trained)} / {_millions(runs[0].model.total)}",
        f"{fmean(per_epoch):.2f}" if per_epoch else HOLE,
        f"{fmean(in_all):.1f}" if in_all else HOLE,
        f"{fmean(predict):.4f}" if predict else HOLE,
        f"{max(r.peak_memory for r in runs) / 2**30:.2f} GiB",
        ", ".join(sorted({r.model.precision or HOLE for r in runs})),
        "; ".join(sorted({r.device for r in runs})),
    ]


def _usages(row: Row) -> list[Usage]:
    return [r.usage for r in row.finished if r.usage and r.usage.requests]


def _asked(row: Row) -> list[str]:
    usages = _usages(row)
    days = sorted({day for u in usages for day in (u.first, u.last)})
    odd: Counter[str] = Counter()
    for u in usages:
        odd.update({state: n for state, n in u.states.items() if state != ANSWERED})
    costs = [u.cost for u in usages if u.cost is not None]
    waited = [p.waiting for r in row.finished for p in r.phases if p.name == "predict"]
    replayed = any(u.replayed for u in usages)
    return [
        ", ".join(dict.fromkeys(u.model for u in usages)),
        " to ".join(dict.fromkeys((days[0], days[-1]))),
        ", ".join(dict.fromkeys(u.prompt for u in usages)),
        f"{sum(u.requests for u in usages):,}",
        ", ".join(f"{n} {state}" for state, n in sorted(odd.items())) or "0",
        f"{sum(u.tokens_in for u in usages):,}",
        f"{sum(u.tokens_out for u in usages):,}",
        f"${sum(costs):.2f}" if len(costs) == len(usages) else HOLE,
        " / ".join(f"{fmean(u.latency[p] for u in usages):.2f}" for p in ("p50", "p90", "p99")),
        HOLE if replayed else f"{sum(waited):.0f}",
    ]


def _millions(number: int) -> str:
    return f"{number / 1e6:.1f}M" if number else "0"


def _paper(benchmark: str, setting: str) -> list[tuple[str, Mapping[str, Any]]]:
    rows = []
    for path in sorted((benchmarks_dir() / "paper").glob("table-*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        if table["benchmark"] == benchmark:
            rows += [(table["table"], row) for row in table["rows"] if row["setting"] == setting]
    return rows
