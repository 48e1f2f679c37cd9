"""The page of a run: what it was, what it cost, how it learnt, and what it got wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..data import Benchmark
from ..io import Phase
from ..marking import Piece
from ..plugins import Epoch
from ..records import Result, Run
from ..reporting import Column, Fixed, Hole, Table
from ..scoring import HEADLINE, OUTSIDE, PROTOCOLS, Counts, name_type, total
from ..storing import Portrait, State, Stored, Wrong, list_facts, portray, tell_phase
from .plots import Picture, draw_courses
from .views import View

ABSENT = "what it is made from is not here, or cannot be read"
SENTENCES = 10
"""Sentences with errors on the page of a run, so that the site stays small."""


@dataclass(frozen=True)
class Marked:
    """A sentence with errors: what they are, and gold and answer with their spans marked."""

    id: str
    errors: str
    gold: Sequence[Piece]
    said: Sequence[Piece]


@dataclass(frozen=True)
class RunPage:
    """A run as its page shows it."""

    title: str
    facts: Sequence[tuple[str, str]]
    views: Sequence[View]
    curves: Sequence[Picture]
    errors: str
    sentences: Sequence[Marked]
    more: int
    notes: Sequence[str]


def show_run(run: Run, benchmark: Benchmark) -> RunPage:
    """What can be said of a run with a result; its sentences only where its predictions and the data are here."""
    result = run.result
    folder = run.folder if run.folder.is_dir() else None
    portrait = portray(
        Stored(result.run, run, run.file, folder, State(result.status), result.reason), benchmark, SENTENCES
    )
    affected = sum(c.fp + c.fn > 0 for c in result.sentences)
    errors = ""
    if portrait.wrong is not None:
        counted = total(result.sentences)
        errors = (
            f"{counted.fp:,} wrong and {counted.fn:,} missed, in {affected:,} of {len(result.sentences):,} sentences."
        )
    return RunPage(
        f"Run {portrait.stored.name}",
        list_facts(portrait.stored),
        list(_tabulate(result)),
        list(_draw(portrait.curve)),
        errors,
        [_mark(each) for each in portrait.wrong or ()],
        max(0, affected - SENTENCES),
        _tell_notes(portrait),
    )


def _tell_notes(portrait: Portrait) -> list[str]:
    """What the page lacks, and why. Where files lie on this machine is nothing to send to anybody."""
    return [f"{note.partition(': ')[0]}: {ABSENT}" if "/" in note else note for note in portrait.notes]


def _tabulate(result: Result) -> list[View]:
    tables = []
    if result.finished:
        per_type = result.scores[HEADLINE]
        shown = {name_type(kind): c for kind, c in per_type.items() if kind != OUTSIDE or c.fp}
        tables.append(("types", "Type", _tabulate_types(shown | {"all": total(per_type.values())})))
        scores = [(name, f1) for name in PROTOCOLS if (f1 := result.f1(name)) is not None]
        columns: list[Column[tuple[str, float]]] = [
            Column("Protocol", "left", lambda row: row[0]),
            Column("F1", "right", lambda row: Fixed(row[1], 2)),
        ]
        tables.append(("protocols", "Protocol", Table("F1 under every protocol", columns, scores)))
    if result.phases:
        tables.append(("phases", "Phase", _tabulate_phases(result.phases)))
    return [View(name, table, head=head, saved=False) for name, head, table in tables]


def _tabulate_types(per_type: dict[str, Counts]) -> Table:
    columns: list[Column[tuple[str, Counts]]] = [
        Column("Type", "left", lambda row: row[0]),
        Column("F1", "right", lambda row: Fixed(row[1].f1, 2)),
        Column("Precision", "right", lambda row: Fixed(row[1].precision, 2)),
        Column("Recall", "right", lambda row: Fixed(row[1].recall, 2)),
        Column("Right", "right", lambda row: row[1].tp),
        Column("Wrong", "right", lambda row: row[1].fp),
        Column("Missed", "right", lambda row: row[1].fn),
    ]
    return Table(f"F1 by type ({HEADLINE})", columns, list(per_type.items()))


def _tabulate_phases(phases: Sequence[Phase]) -> Table:
    columns: list[Column[Phase]] = [
        Column("Phase", "left", lambda phase: phase.name),
        Column("Seconds", "right", lambda phase: Fixed(phase.seconds, 1)),
        Column("Epochs", "right", lambda phase: phase.epochs or Hole()),
        Column("Sentences", "right", lambda phase: phase.sentences or Hole()),
        Column("Remarks", "left", tell_phase),
    ]
    spent = sum(phase.seconds for phase in phases if not phase.reused)
    return Table("Phases", columns, phases, f"All but what was reused: {spent:,.1f} s.")


def _draw(curve: Sequence[Epoch]) -> list[Picture]:
    """A picture for each number of each phase."""
    courses: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for epoch in curve:
        for name, value in epoch.numbers.items():
            courses.setdefault((epoch.phase, name), []).append((epoch.epoch, value))
    return [
        draw_courses(f"curve-{n}", f"{phase}: {said}", said, [(said, points)])
        for n, ((phase, name), points) in enumerate(courses.items())
        for said in [name.replace("_", " ")]
    ]


def _mark(wrong: Wrong) -> Marked:
    return Marked(wrong.sentence.id, wrong.errors, **wrong.lines)
