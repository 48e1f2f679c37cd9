"""Measurement files in, a page of tables out. A pure function of the files; result files are for supplements only.

A table is of one benchmark, analysis and row of options: measurements of different options do not stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...plugins import Number
from ...records import NO_BENCHMARK, Measured, Result
from ..table import Supplement, Table
from .figures import Picture, make_pictures, natural, reading_order
from .measured import CORPUS, DOMAIN, PART, SEED, collect_notes, list_parts, show_corpus, show_numbers

FIGURES = "figures"
"""The folder of the pictures, beside the page."""


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
        """The name of the analysis."""
        return self.shown[0].analysis.name

    def tables(self) -> list[Table]:
        """The numbers of the corpora, and of their parts."""
        seeds = len({m.seed for m in self.shown}) > 1
        where = [DOMAIN, CORPUS, *([SEED] if seeds else [])]
        columns = [*where, *show_numbers(m.measurement.numbers for m in self.shown)]
        links = {f"{FIGURES}/{picture.name}": picture.title for picture in self.pictures}
        title = f"{self.benchmark}: {self.label}"
        rows = [show_corpus(m) for m in self.shown]
        made = [Table(title, columns, rows, self._note(seeds), links)]
        for corpus in sorted({m.corpus.name for m in self.shown if m.measurement.parts}, key=natural):
            rows = [line for m in self.shown if m.corpus.name == corpus for line in list_parts(m)]
            columns = [*where, PART, *show_numbers(line.numbers for line in rows)]
            made.append(Table(f"{title}, parts of {corpus}", columns, rows, folded=True))
        return made

    def _note(self, seeds: bool) -> str:
        """The options, what the analysis says, and what keeps rows from being comparable."""
        options = ", ".join(f"{name}={value}" for name, value in self.shown[0].analysis.options.items())
        said = collect_notes(self.shown)
        if len({m.analysis.revision for m in self.shown}) > 1:
            said.append("Rows come from different revisions of the analysis; measure again to compare them.")
        if seeds and self.pictures:
            said.append("Pictures show the lowest seed.")
        return " ".join([f"Options: {options or 'none'}.", *said])

    def records(self) -> list[dict[str, Any]]:
        """One record for each number of a corpus or of a part of one, and for each end of an interval."""
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
            for part, numbers in [("", dict(_with_ends(m))), *m.measurement.parts.items()]
            for name, value in numbers.items()
        ]


@dataclass(frozen=True)
class Section:
    """All analyses of one benchmark, and the results of it that may meet them."""

    benchmark: str
    groups: Sequence[Group]
    results: Sequence[Result]

    @property
    def measured(self) -> list[Measured]:
        """What the groups show, in their order."""
        return [m for group in self.groups for m in group.shown]


@dataclass(frozen=True)
class AnalysisPage:
    """What was measured of corpora; supplements say what that means for what learnt from them."""

    measured: Sequence[Measured]
    results: Sequence[Result] = ()
    supplements: Sequence[Supplement] = ()

    @property
    def title(self) -> str:
        """The heading of the page."""
        return "Analyses of corpora"

    @property
    def lead(self) -> str:
        """Where the page comes from."""
        return "Written by `cdner-bench leaderboard` from the files of `cdner-bench analyze`; do not edit."

    @cached_property
    def groups(self) -> list[Group]:
        """The measurements by benchmark, analysis and options."""
        analyses: dict[tuple[str, str], dict[str, list[Measured]]] = {}
        for m in sorted(self.measured, key=reading_order):
            key = (m.corpus.benchmark or NO_BENCHMARK, m.analysis.name)
            analyses.setdefault(key, {}).setdefault(m.analysis.row, []).append(m)
        drawn: dict[tuple[str, str], list[Picture]] = {}
        for picture in make_pictures(self.measured):
            first = picture.shown[0]
            drawn.setdefault((first.corpus.benchmark or NO_BENCHMARK, first.analysis.row), []).append(picture)
        return [
            Group(benchmark, _label(shown[0], rows.values()), shown, drawn.get((benchmark, row), ()))
            for (benchmark, _), rows in sorted(analyses.items())
            for row, shown in sorted(rows.items())
        ]

    @cached_property
    def sections(self) -> list[Section]:
        """The groups of each benchmark, with its results."""
        return [
            Section(
                benchmark,
                [group for group in self.groups if group.benchmark == benchmark],
                [r for r in self.results if r.benchmark.name == benchmark],
            )
            for benchmark in dict.fromkeys(group.benchmark for group in self.groups)
        ]

    def tables(self) -> list[Table]:
        """A benchmark after the other, each with what supplements add."""
        made = []
        for section in self.sections:
            made += [table for group in section.groups for table in group.tables()]
            made += [table for supplement in self.supplements for table in supplement.analysis_tables(section)]
        return made

    def records(self) -> list[Mapping[str, Any]]:
        """One record a number: of a corpus, of a part of one, and then what supplements add."""
        made: list[Mapping[str, Any]] = [record for group in self.groups for record in group.records()]
        for section in self.sections:
            made += [record for supplement in self.supplements for record in supplement.analysis_records(section)]
        return made


def _with_ends(m: Measured) -> Iterator[tuple[str, Number]]:
    """The numbers of a measurement, each followed by the ends of its interval."""
    for name, value in m.measurement.numbers.items():
        yield name, value
        if name in m.measurement.intervals:
            yield f"{name}_low", m.measurement.intervals[name].low
            yield f"{name}_high", m.measurement.intervals[name].high


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
