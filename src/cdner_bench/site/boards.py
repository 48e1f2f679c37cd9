"""What the pages of a board show beside its own tables: costs, domains, types, runs and courses of learning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..errors import CdnerError
from ..records import Result, Run, read_curve
from ..reporting import (
    DEVICE,
    METHOD,
    MODEL,
    PRICE,
    TRAINED,
    Board,
    Cell,
    Column,
    Estimate,
    Hole,
    Ranked,
    Several,
    Table,
    write_cell,
)
from ..scoring import HEADLINE, Counts, name_type, total
from .answers import MONEY, Answer, count_parameters, read_number
from .plots import Picture, Point, draw_costs, draw_courses
from .views import Link, View

RUNS = "Runs"


def draw_all_costs(board: Board) -> list[Picture]:
    """F1 against the seconds of training, for each device apart, against parameters, and against money."""
    scored = [ranked for ranked in board.ranked if ranked.place and ranked.row.average()]
    seconds = {id(r): read_number(TRAINED, r) for r in scored}
    devices = list(dict.fromkeys(write_cell(DEVICE.cell(r)) for r in scored if seconds[id(r)] is not None))
    made = []
    for n, device in enumerate(devices):
        here = {key: s for r in scored for key, s in [(id(r), seconds[id(r)])] if write_cell(DEVICE.cell(r)) == device}
        made.append(
            _draw(board, f"seconds-{n}", f"F1 against seconds of training on {device}", "seconds of training", here)
        )
    parameters = {id(r): count_parameters(r) for r in scored}
    made.append(_draw(board, "parameters", "F1 against parameters", "parameters", parameters))
    money = {id(r): 0 if write_cell(MONEY.cell(r)) == "none" else read_number(PRICE, r) for r in scored}
    made.append(_draw(board, "money", "F1 against money", "US dollars for all runs of a row", money))
    return made


def _draw(board: Board, name: str, title: str, label: str, costs: Mapping[int, float | None]) -> Picture:
    known = [r for r in board.ranked if costs.get(id(r)) is not None]
    averages = [r.row.average() for r in known]
    points = [
        Point(r.place or 0, r.label, float(costs[id(r)] or 0), average.mean)
        for r, average in zip(known, averages, strict=True)
        if average
    ]
    others = len(board.ranked) - len(points)
    left_out = f"Rows without an average or without such a cost here are not drawn: {others}." if others else ""
    return draw_costs(name, title, label, points, left_out)


# --- runs, domains and types -----------------------------------------------------------------------------------------


def name_page(result: Result) -> str:
    """Where the page of a run lies in the site."""
    return f"runs/{result.run}.html"


def list_links(ranked: Ranked, target: str) -> list[Link]:
    """The runs of a row on a target, by their seeds."""
    runs = sorted((r for r in ranked.row.results if r.scenario.target == target), key=lambda r: r.seed)
    return [(f"seed {r.seed}", name_page(r)) for r in runs]


def view_runs(board: Board) -> View:
    """The runs of every row and target."""
    columns = [METHOD, *MODEL[:1], *(_runs(target, board.benchmark.domain(target).title) for target in board.targets)]
    table = Table(RUNS, columns, board.every_ranked, "Each leads to the page of the run.")
    return View("runs", table, lambda ranked, column: list_links(ranked, column.key) if column.key else ())


def _runs(target: str, title: str) -> Column[Ranked]:
    def list_seeds(ranked: Ranked) -> Cell:
        seeds = sorted(r.seed for r in ranked.row.results if r.scenario.target == target)
        return Several(list(map(str, seeds)), ", ") if seeds else Hole()

    return Column(title, "left", list_seeds, key=target)


@dataclass(frozen=True)
class Domain:
    """A target: how the rows did on it, under each of its types too."""

    gold: str
    view: View


def list_domains(board: Board) -> Iterator[Domain]:
    """The targets of a board, each with its rows, the best on it first."""
    for n, target in enumerate(board.targets):
        kinds: dict[str, int] = {}
        for result in (r for row in board.every_row for r in row.seeds(target).values()):
            for kind, c in result.scores.get(HEADLINE, {}).items():
                kinds[kind] = max(kinds.get(kind, 0), c.tp + c.fn)
        common = [kind for kind in sorted(kinds, key=lambda kind: (-kinds[kind], kind)) if kinds[kind]]
        rows = [ranked for ranked in board.every_ranked if ranked.row.f1(target)]
        rows.sort(key=lambda ranked: -_mean(ranked.row.f1(target)))
        columns: list[Column[Ranked]] = [
            METHOD,
            *MODEL[:1],
            Column("F1", "right", lambda ranked, target=target: ranked.row.cell(target)),  # type: ignore[misc]
            _measure("Precision", target, lambda per_type: total(per_type.values()).precision),
            _measure("Recall", target, lambda per_type: total(per_type.values()).recall),
            Column(RUNS, "left", _runs(target, "").cell, key="runs"),
            *(_measure(name_type(kind), target, partial(_take_f1, kind)) for kind in common),
        ]
        note = (
            f"{HEADLINE}, mean ± sample SD over seeds, in percent, the best first; then F1 of each type, the types "
            "with the most gold entities first."
        )
        title = board.benchmark.domain(target).title
        gold = ", ".join(f"{name_type(kind)} {kinds[kind]:,}" for kind in common)
        table = Table(title, columns, rows, note)
        yield Domain(gold, View(f"domain-{n}", table, _link_runs(target)))


def _link_runs(target: str) -> Any:
    return lambda ranked, column: list_links(ranked, target) if column.key == "runs" else ()


def _mean(estimate: Estimate | None) -> float:
    return estimate.mean if estimate else 0.0


def _measure(title: str, target: str, read: Callable[[Mapping[str, Counts]], float]) -> Column[Ranked]:
    """What is read of the counts of each type that the headline has for a target, over seeds."""

    def ratio(result: Result) -> float | None:
        return read(result.scores[HEADLINE]) if HEADLINE in result.scores else None

    return Column(title, "right", lambda ranked: ranked.row.measure(target, ratio) or Hole())


def _take_f1(kind: str, per_type: Mapping[str, Counts]) -> float:
    return per_type.get(kind, Counts()).f1


# --- courses of learning ---------------------------------------------------------------------------------------------


def draw_curves(board: Board, runs: Mapping[str, Run]) -> tuple[list[Picture], list[str]]:
    """F1 on dev by epoch, a picture a target and phase, with a line for the first seed of each row; and which of the
    trained rows have no course, or none that can be read, on which targets.
    """
    titles = {target: board.benchmark.domain(target).title for target in board.targets}
    courses: dict[tuple[str, str, str], list[tuple[str, list[tuple[int, float]]]]] = {}
    lack: dict[str, list[str]] = {}
    for ranked in board.every_ranked:
        for target in board.targets:
            first = next(iter(ranked.row.seeds(target).values()), None)
            if first is None or not any(phase.epochs for phase in first.phases):
                continue
            name = Answer.name(ranked)
            place = runs[first.run].curve if first.run in runs else None
            try:
                epochs = read_curve(place) if place else []
            except CdnerError:
                epochs = []
            if not epochs:
                lack.setdefault(name, []).append(titles[target])
            for phase in dict.fromkeys(epoch.phase for epoch in epochs):
                of_phase = [epoch for epoch in epochs if epoch.phase == phase]
                for f1 in dict.fromkeys(key for epoch in of_phase for key in epoch.numbers if key.endswith("f1")):
                    points = [(epoch.epoch, epoch.numbers[f1]) for epoch in of_phase if f1 in epoch.numbers]
                    courses.setdefault((target, phase, f1), []).append((f"{name}, seed {first.seed}", points))
    made = [
        draw_courses(f"curve-{n}", f"{titles[target]}: {phase}", name.replace("_", " "), courses[target, phase, name])
        for n, (target, phase, name) in enumerate(sorted(courses, key=lambda key: board.targets.index(key[0])))
    ]
    return made, [f"{name} ({', '.join(where)})" for name, where in lack.items()]
