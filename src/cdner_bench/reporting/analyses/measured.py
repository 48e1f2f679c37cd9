"""Measurements as columns and rows, and the notes that a reader of them needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...plugins import Number
from ...records import Measured
from ...types import Interval
from ..cells import Bracketed, Cell, Hole, Measure
from ..table import Column, Table


@dataclass(frozen=True)
class Line:
    """Numbers of a corpus, with their intervals, or of a `part` of it."""

    measured: Measured
    numbers: Mapping[str, Number]
    part: str = ""
    intervals: Mapping[str, Interval] = field(default_factory=dict)


DOMAIN: Column[Line] = Column("Domain", "left", lambda line: line.measured.corpus.domain or Hole())
CORPUS: Column[Line] = Column("Corpus", "left", lambda line: line.measured.corpus.name)
SEED: Column[Line] = Column("Seed", "right", lambda line: str(line.measured.seed))
PART: Column[Line] = Column("Part", "left", lambda line: line.part)


def show_corpus(m: Measured) -> Line:
    """The numbers of a whole corpus."""
    return Line(m, m.measurement.numbers, intervals=m.measurement.intervals)


def list_parts(m: Measured) -> list[Line]:
    """The numbers of every part of a corpus."""
    return [Line(m, numbers, part) for part, numbers in m.measurement.parts.items()]


def show_number(numbers: Mapping[str, Number], intervals: Mapping[str, Interval], name: str) -> Cell:
    """A number, and its interval if it has one."""
    value, interval = Measure(numbers.get(name)), intervals.get(name)
    return value if interval is None else Bracketed(value, Measure(interval.low), Measure(interval.high))


def show_numbers(numbers: Iterable[Mapping[str, Number]]) -> list[Column[Line]]:
    """A column for every number that there is."""
    return [_show_named(name) for name in dict.fromkeys(name for each in numbers for name in each)]


def _show_named(name: str) -> Column[Line]:
    return Column(name, "right", lambda line: show_number(line.numbers, line.intervals, name))


def tabulate_corpora(shown: Sequence[Measured]) -> Table:
    """Measurements of one analysis: a row a number, and a column a corpus."""

    def show_beside(m: Measured) -> Column[str]:
        title = f"{m.corpus.name}\n{m.corpus.domain or ''}"
        numbers, intervals = m.measurement.numbers, m.measurement.intervals
        return Column(title, "right", lambda name: show_number(numbers, intervals, name))

    names = list(dict.fromkeys(name for m in shown for name in m.measurement.numbers))
    columns = [Column[str]("", "left", lambda name: name), *map(show_beside, shown)]
    return Table(shown[0].analysis.name, columns, names)


def tabulate_parts(shown: Sequence[Measured]) -> Table:
    """The parts of all corpora of one analysis: a row a part."""
    rows = [line for m in shown for line in list_parts(m)]
    domain = Column[Line]("domain", "left", lambda line: line.measured.corpus.domain or "")
    columns = [replace(CORPUS, title="corpus"), domain, replace(PART, title="part")]
    return Table("", [*columns, *show_numbers(line.numbers for line in rows)], rows)


def collect_notes(shown: Sequence[Measured]) -> list[str]:
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
