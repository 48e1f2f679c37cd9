"""Hypothesis 3.2 on the page of analyses: tested on what was measured and, apart, on what the paper prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..records import Measured
from ..reporting import (
    Board,
    Bracketed,
    Cell,
    Column,
    Fixed,
    Group,
    Hole,
    Measure,
    Remarked,
    Section,
    Table,
    show_number,
)
from ..scoring import Spearman
from .hypothesis import UID, VARIANCE, Pair, Series, correlate, read
from .pairs import pair_measured, pair_printed
from .printed import Paper

_SIZES = {"variance": "the whole corpus", "sample_variance": "equal samples"}
_TESTED = (
    "Spearman's rho between the UID variance of a corpus and the F1 of what learnt from it; the hypothesis is that it "
    "is negative. In brackets its 95 % interval (Fisher's z, standard error of Bonett and Wright); p by permutation, "
    "two-sided. Over all pairs rho is confounded, because domains differ in difficulty and in vocabulary; within "
    "domains, corpora are ranked inside each domain only. Corpora differ in more than this variance, too."
)


@dataclass(frozen=True)
class Line:
    """A line about a series, or about none where there is no pair at all. `source`: where its variances come from."""

    series: Series | None
    source: str


@dataclass(frozen=True)
class Paired(Line):
    """A pair of a series."""

    pair: Pair


@dataclass(frozen=True)
class Tested(Line):
    """A test of a series, and which of its pairs it is over."""

    over: str
    test: Spearman


@dataclass(frozen=True)
class Hypothesis:
    """The supplement of a paper whose hypothesis 3.2 is tested wherever the UID of corpora was measured."""

    paper: Paper

    def board_tables(self, board: Board) -> list[Table]:
        """A leaderboard says nothing of the hypothesis."""
        return []

    def analysis_tables(self, section: Section) -> list[Table]:
        """What the paper prints beside what was measured, and the test of each."""
        groups = [group for group in section.groups if group.analysis == UID]
        if not groups:
            return []
        benchmark, labels = section.benchmark, {group.shown[0].analysis.row: group.label for group in groups}
        measured, printed = self._pair_measured(section), pair_printed(self.paper, section.benchmark)
        made = [self._tabulate_beside(benchmark, printed, groups)] if printed else []
        made.append(_tabulate_tests(f"{benchmark}: hypothesis 3.2, measured", measured, labels, _TESTED))
        if measured:
            made.append(_tabulate_pairs(benchmark, measured, labels))
        if printed:
            title = f"{benchmark}: hypothesis 3.2, as {self.paper.called} reports"
            note = f"The same test of numbers copied from {self.paper.called}, not measured here."
            made.append(_tabulate_tests(title, printed, labels, note))
        return made

    def analysis_records(self, section: Section) -> list[Mapping[str, Any]]:
        """One record for each number of a test."""
        if not any(group.analysis == UID for group in section.groups):
            return []
        series = [*self._pair_measured(section), *pair_printed(self.paper, section.benchmark)]
        return [record for one in series for record in _list_records(section.benchmark, one)]

    def _pair_measured(self, section: Section) -> list[Series]:
        return pair_measured(section.results, section.measured)

    def _tabulate_beside(self, benchmark: str, printed: Sequence[Series], groups: Sequence[Group]) -> Table:
        """The paper's UID variances, and F1 of what learnt from those corpora, beside the variances measured here."""
        columns: list[Column[Paired]] = [
            _SOURCE,
            _DOMAIN,
            _CORPUS,
            Column("F1 (printed)", "right", lambda line: Fixed(line.pair.f1, 2)),
            Column("UID variance (printed)", "right", lambda line: Fixed(line.pair.variance, 2)),
            *(Column(f"{group.label} (measured)", "right", _show_variance(group)) for group in groups),
        ]
        note = (
            f"Printed: copied from {self.paper.called}, which does not say which explanations it mixed in "
            "(`cdner-bench paper` compares more draws). Measured: with the lowest seed there is."
        )
        title = f"{benchmark}: UID variance, printed and measured"
        return Table(title, columns, [Paired(s, s.source, pair) for s in printed for pair in s.pairs], note)


def _show_variance(group: Group) -> Callable[[Paired], Cell]:
    """The variance that a group has of the corpus of a pair, of the lowest seed."""
    lowest: dict[tuple[str | None, str], Measured] = {}
    for m in group.shown:
        lowest.setdefault((m.corpus.domain, m.corpus.name), m)

    def show(line: Paired) -> Cell:
        m = lowest.get((line.pair.domain, line.pair.corpus))
        return show_number(m.measurement.numbers, m.measurement.intervals, VARIANCE) if m else Hole()

    return show


def _tabulate_tests(title: str, series: Sequence[Series], labels: Mapping[str, str], note: str) -> Table:
    rows = [Tested(s, _name(s, labels), over, test) for s in series for over, test in s.run_tests().items()]
    if any(s.versions > 1 for s in series):
        note += " Some scores that are compared come from different revisions of a method."
    return Table(title, [*_NAMED, *_TEST], rows or [Tested(None, "", "", correlate([]))], note)


def _tabulate_pairs(benchmark: str, series: Sequence[Series], labels: Mapping[str, str]) -> Table:
    rows = [Paired(s, _name(s, labels), pair) for s in series for pair in s.pairs]
    note = "F1: strict span micro-F1 in percent, mean over seeds; the variance is averaged over the same seeds."
    return Table(f"{benchmark}: pairs behind the test", [*_NAMED, *_PAIR], rows, note, folded=True)


def _name(series: Series, labels: Mapping[str, str]) -> str:
    """Where the variances of a series come from."""
    return labels[series.row] if series.row else series.source


def _show_rho(line: Tested) -> Cell:
    test = line.test
    if test.rho is None:
        return Hole()
    rho = Fixed(test.rho, 2)
    if test.interval is None:
        return rho
    low, high = (Fixed(end, 2) for end in (test.interval.low, test.interval.high))
    return Bracketed(rho, low, high)


def _show_p(line: Tested) -> Cell:
    if line.test.p is None:
        return Hole()
    p = Fixed(line.test.p, 4)
    return p if line.test.exact else Remarked(p, "sampled")


def _show(title: str, text: Callable[[Series], str | None]) -> Column[Line]:
    """A column of words about the series of a line."""
    return Column(title, "left", lambda line: (text(line.series) if line.series else None) or Hole())


def _list_records(benchmark: str, series: Series) -> list[dict[str, Any]]:
    """The tests of a series, in the keys of a measurement: what was compared stands under `options`."""
    names = ("source", "setting", "method", "backbone", "preset", "row", "number", "chosen_by")
    record: dict[str, Any] = {"benchmark": benchmark, "version": None, "analysis": "hypothesis-3.2"}
    record |= {"options": {name: getattr(series, name) for name in names}}
    made = []
    for over, test in series.run_tests().items():
        low, high = (test.interval.low, test.interval.high) if test.interval else (None, None)
        values = {"pairs": test.n, "rho": test.rho, "rho_low": low, "rho_high": high, "p": test.p}
        where = {**record, "domain": None, "corpus": None, "seed": None, "part": over}
        made += [{**where, "number": name, "value": value} for name, value in values.items()]
    return made


_SOURCE: Column[Line] = Column("Source", "left", lambda line: line.source or Hole())
_DOMAIN: Column[Paired] = Column("Domain", "left", lambda line: line.pair.domain)
_CORPUS: Column[Paired] = Column("Corpus", "left", lambda line: line.pair.corpus)

_NAMED: Sequence[Column[Line]] = (
    _SOURCE,
    _show("Setting", lambda series: series.setting),
    _show("Method", lambda series: series.method),
    _show("Backbone", lambda series: series.backbone),
    _show("Preset", lambda series: series.preset),
    _show("Variance of", lambda series: _SIZES[series.number]),
)

_TEST: Sequence[Column[Tested]] = (
    Column("Over", "left", lambda line: line.over or Hole()),
    Column("Pairs", "right", lambda line: line.test.n),
    Column("rho [95 %]", "right", _show_rho),
    Column("p", "right", _show_p),
    Column("Hypothesis 3.2", "left", lambda line: read(line.test)),
)

_PAIR: Sequence[Column[Paired]] = (
    _DOMAIN,
    _CORPUS,
    Column("F1", "right", lambda line: Fixed(line.pair.f1, 2)),
    Column("UID variance", "right", lambda line: Measure(line.pair.variance)),
)
