"""Measurement files in, a page of tables out. A pure function of the files; result files are for the hypothesis only.

A table is of one benchmark, analysis and row of options: measurements of different options do not stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..plugins import Number
from ..records import NO_BENCHMARK, Measured, Result
from . import hypothesis
from .figures import Picture, natural, pictures, reading_order
from .hypothesis import UID, VARIANCE, Series, Spearman
from .leaderboard import Table
from .row import HOLE

FIGURES = "figures"
"""The folder of the pictures, beside the page."""

_SIZES = {"variance": "the whole corpus", "sample_variance": "equal samples"}
_NAMED = ("Source", "Setting", "Method", "Backbone", "Preset", "Variance of")
_TESTED = (
    "Spearman's rho between the UID variance of a corpus and the F1 of what learnt from it; the hypothesis is that it "
    "is negative. In brackets its 95 % interval (Fisher's z, standard error of Bonett and Wright); p by permutation, "
    "two-sided. Over all pairs rho is confounded, because domains differ in difficulty and in vocabulary; within "
    "domains, corpora are ranked inside each domain only. Corpora differ in more than this variance, too."
)


@dataclass(frozen=True)
class Group:
    """Measurements of one benchmark, analysis and row of options; `label` is the analysis, with the options that tell
    it from its other rows.
    """

    benchmark: str
    label: str
    shown: Sequence[Measured]
    pictures: Sequence[Picture]

    @property
    def analysis(self) -> str:
        """Its name."""
        return self.shown[0].analysis.name

    def tables(self) -> list[Table]:
        """The numbers of the corpora, and of their parts."""
        seeds = len({m.seed for m in self.shown}) > 1
        where = ["Domain", "Corpus", *(["Seed"] if seeds else [])]
        columns = _columns(m.measurement.numbers for m in self.shown)
        rows = [[*_where(m, seeds), *_cells(m.measurement.numbers, columns)] for m in self.shown]
        links = {f"{FIGURES}/{picture.name}": picture.title for picture in self.pictures}
        title = f"{self.benchmark}: {self.label}"
        made = [Table(title, [*where, *columns], rows, self._note(seeds), links)]
        for corpus in sorted({m.corpus.name for m in self.shown if m.measurement.parts}, key=natural):
            found = [m for m in self.shown if m.corpus.name == corpus]
            columns = _columns(numbers for m in found for numbers in m.measurement.parts.values())
            rows = [
                [*_where(m, seeds), name, *_cells(numbers, columns)]
                for m in found
                for name, numbers in m.measurement.parts.items()
            ]
            made.append(Table(f"{title}, parts of {corpus}", [*where, "Part", *columns], rows, folded=True))
        return made

    def _note(self, seeds: bool) -> str:
        """The options, what the analysis says, and what keeps rows from being comparable."""
        options = ", ".join(f"{name}={value}" for name, value in self.shown[0].analysis.options.items())
        said = notes(self.shown)
        if len({m.analysis.version for m in self.shown}) > 1:
            said.append("Rows come from different versions of the analysis; measure again to compare them.")
        if seeds and self.pictures:
            said.append("Pictures show the lowest seed.")
        return " ".join([f"Options: {options or 'none'}.", *said])

    def records(self) -> list[dict[str, Any]]:
        """One record a number."""
        return [
            {
                "benchmark": self.benchmark,
                "version": m.corpus.version,
                "analysis": self.analysis,
                "options": dict(m.analysis.options),
                "domain": m.corpus.domain,
                "corpus": m.corpus.name,
                "seed": m.seed,
                "part": part,
                "number": name,
                "value": value,
            }
            for m in self.shown
            for part, numbers in [("", m.measurement.numbers), *m.measurement.parts.items()]
            for name, value in numbers.items()
        ]


@dataclass(frozen=True)
class AnalysisPage:
    """What was measured of corpora, and what that says about the F1 of what learnt from them."""

    measured: Sequence[Measured]
    results: Sequence[Result] = ()

    @property
    def title(self) -> str:
        """Of the page."""
        return "Analyses of corpora"

    @property
    def lead(self) -> str:
        """Where the page comes from."""
        return "Written by `cdner-bench leaderboard` from the files of `cdner-bench analyze`; do not edit."

    @cached_property
    def groups(self) -> list[Group]:
        """By benchmark, analysis and options."""
        found: dict[tuple[str, str], dict[str, list[Measured]]] = {}
        for m in sorted(self.measured, key=reading_order):
            key = (m.corpus.benchmark or NO_BENCHMARK, m.analysis.name)
            found.setdefault(key, {}).setdefault(m.analysis.row, []).append(m)
        drawn: dict[tuple[str, str], list[Picture]] = {}
        for picture in pictures(self.measured):
            first = picture.shown[0]
            drawn.setdefault((first.corpus.benchmark or NO_BENCHMARK, first.analysis.row), []).append(picture)
        return [
            Group(benchmark, _label(shown[0], rows.values()), shown, drawn.get((benchmark, row), ()))
            for (benchmark, _), rows in sorted(found.items())
            for row, shown in sorted(rows.items())
        ]

    @cached_property
    def series(self) -> dict[str, list[Series]]:
        """What tests the hypothesis, measured and reported, by benchmark."""
        made = {}
        for benchmark in dict.fromkeys(g.benchmark for g in self.groups if g.analysis == UID):
            results = [r for r in self.results if r.benchmark.name == benchmark]
            measured = [m for m in self.measured if m.corpus.benchmark == benchmark]
            made[benchmark] = [*hypothesis.measured(results, measured), *hypothesis.reported(benchmark)]
        return made

    def tables(self) -> list[Table]:
        """A benchmark after the other."""
        made = []
        for benchmark in dict.fromkeys(group.benchmark for group in self.groups):
            groups = [group for group in self.groups if group.benchmark == benchmark]
            made += [table for group in groups for table in group.tables()]
            if benchmark in self.series:
                made += _hypothesis(benchmark, self.series[benchmark], [g for g in groups if g.analysis == UID])
        return made

    def records(self) -> list[dict[str, Any]]:
        """One record a number: of a corpus, of a part of one, or of a test of the hypothesis."""
        tests = [_records(benchmark, one) for benchmark, series in self.series.items() for one in series]
        return [record for records in [*(g.records() for g in self.groups), *tests] for record in records]


def number(value: Number) -> str:
    """For reading: all digits of an integer, four significant ones of any other number, or those before its point."""
    if value is None:
        return HOLE
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:#.4g}".rstrip(".")


def _hypothesis(benchmark: str, series: Sequence[Series], groups: Sequence[Group]) -> list[Table]:
    """What the paper prints beside what was measured; the hypothesis from the one and, apart, from the other."""
    measured, printed = ([s for s in series if bool(s.row) is ours] for ours in (True, False))
    labels = {group.shown[0].analysis.row: group.label for group in groups}
    made = [_beside(benchmark, printed, groups)] if printed else []
    made.append(_tested(f"{benchmark}: hypothesis 3.2, measured", measured, labels, _TESTED))
    if measured:
        made.append(_pairs(benchmark, measured, labels))
    if printed:
        note = "The same test of numbers copied from the TOPT paper, not measured here."
        made.append(_tested(f"{benchmark}: hypothesis 3.2, as the TOPT paper reports", printed, labels, note))
    return made


def _beside(benchmark: str, printed: Sequence[Series], groups: Sequence[Group]) -> Table:
    """The paper's UID variances, and F1 of what learnt from those corpora, beside the variances measured here."""
    found = []
    for group in groups:
        lowest = {(m.corpus.domain, m.corpus.name): m for m in reversed(group.shown)}
        found.append({where: _cell(m.measurement.numbers, VARIANCE) for where, m in lowest.items()})
    rows = [
        [
            series.source,
            pair.domain,
            pair.corpus,
            f"{pair.f1:.2f}",
            f"{pair.variance:.2f}",
            *(cells.get((pair.domain, pair.corpus), HOLE) for cells in found),
        ]
        for series in printed
        for pair in series.pairs
    ]
    headers = ["Source", "Domain", "Corpus", "F1 (printed)", "UID variance (printed)"]
    note = (
        "Printed: copied from the TOPT paper, which does not say which explanations it mixed in (`cdner-bench paper` "
        "compares more draws). Measured: with the lowest seed there is."
    )
    title = f"{benchmark}: UID variance, printed and measured"
    return Table(title, [*headers, *(f"{group.label} (measured)" for group in groups)], rows, note)


def _tested(title: str, series: Sequence[Series], labels: Mapping[str, str], note: str) -> Table:
    headers = [*_NAMED, "Over", "Pairs", "rho [95 %]", "p", "Hypothesis 3.2"]
    rows = [[*_named(s, labels), over, *_outcome(test)] for s in series for over, test in s.tests().items()]
    if any(s.versions > 1 for s in series):
        note += " Some scores that are compared come from different versions of a method's code."
    return Table(title, headers, rows or [[HOLE] * 7 + _outcome(hypothesis.spearman([]))], note)


def _pairs(benchmark: str, series: Sequence[Series], labels: Mapping[str, str]) -> Table:
    rows = [
        [*_named(s, labels), pair.domain, pair.corpus, f"{pair.f1:.2f}", number(pair.variance)]
        for s in series
        for pair in s.pairs
    ]
    headers = [*_NAMED, "Domain", "Corpus", "F1", "UID variance"]
    note = "F1: strict span micro-F1 in percent, mean over seeds; the variance is averaged over the same seeds."
    return Table(f"{benchmark}: pairs behind the test", headers, rows, note, folded=True)


def _named(series: Series, labels: Mapping[str, str]) -> list[str]:
    """Where the pairs of a series come from."""
    source = labels[series.row] if series.row else series.source
    return [source, series.setting, series.method, series.backbone, series.preset, _SIZES[series.number]]


def _outcome(test: Spearman) -> list[str]:
    if test.rho is None or test.p is None:
        return [str(test.n), HOLE, HOLE, test.reading]
    interval = f" [{test.interval[0]:.2f}, {test.interval[1]:.2f}]" if test.interval else ""
    return [str(test.n), f"{test.rho:.2f}{interval}", f"{test.p:.4f}{'' if test.exact else ' (sampled)'}", test.reading]


def _records(benchmark: str, series: Series) -> list[dict[str, Any]]:
    """The tests of a series, in the keys of a measurement: what was compared stands under `options`."""
    names = ("source", "setting", "method", "backbone", "preset", "row", "number")
    record: dict[str, Any] = {"benchmark": benchmark, "version": None, "analysis": "hypothesis-3.2"}
    record |= {"options": {name: getattr(series, name) for name in names}}
    made = []
    for over, test in series.tests().items():
        low, high = test.interval or (None, None)
        values = {"pairs": test.n, "rho": test.rho, "rho_low": low, "rho_high": high, "p": test.p}
        where = {**record, "domain": None, "corpus": None, "seed": None, "part": over}
        made += [{**where, "number": name, "value": value} for name, value in values.items()]
    return made


def _label(measured: Measured, rows: Iterable[Sequence[Measured]]) -> str:
    """The analysis, and the options in which its rows differ."""
    others = [row[0].analysis.options for row in rows]
    differing = [
        f"{name}={value}"
        for name, value in measured.analysis.options.items()
        if any(options.get(name) != value for options in others)
    ]
    name = measured.analysis.name
    return f"{name} ({', '.join(differing)})" if differing else name


def notes(shown: Sequence[Measured]) -> list[str]:
    """Every note once, with the corpora that it is about if it is not about all."""
    said: dict[str, list[Measured]] = {}
    for m in shown:
        for note in dict.fromkeys(m.measurement.notes):
            said.setdefault(note, []).append(m)
    made = []
    for note, about in said.items():
        domains: dict[str, dict[str, None]] = {}
        for m in about:
            domains.setdefault(m.corpus.name, {}).update({m.corpus.domain: None} if m.corpus.domain else {})
        who = "; ".join(f"{name} of {', '.join(of)}" if of else name for name, of in domains.items())
        made.append(note if len(about) == len(shown) else f"{who}: {note[:1].lower()}{note[1:]}")
    return made


def _where(m: Measured, seed: bool) -> list[str]:
    return [m.corpus.domain or HOLE, m.corpus.name, *([str(m.seed)] if seed else [])]


def _columns(numbers: Iterable[Mapping[str, Number]]) -> list[str]:
    """The names of all numbers, less the ends of intervals: those stand with their number."""
    names = list(dict.fromkeys(name for each in numbers for name in each))
    ends = {f"{name}_{end}" for name in names for end in ("low", "high")}
    return [name for name in names if name not in ends]


def _cells(numbers: Mapping[str, Number], columns: Sequence[str]) -> list[str]:
    return [_cell(numbers, name) for name in columns]


def _cell(numbers: Mapping[str, Number], name: str) -> str:
    """A number, and its interval if it has one."""
    low, high = numbers.get(f"{name}_low"), numbers.get(f"{name}_high")
    interval = "" if low is None or high is None else f" [{number(low)}, {number(high)}]"
    return number(numbers.get(name)) + interval
