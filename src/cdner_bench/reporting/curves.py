"""How scores grow with the number of labelled sentences: the boards of a setting with fewer labels, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import compress
from typing import Any

from ..data import shots
from .cells import Bracketed, Cell, Fixed, Hole
from .costs import METHOD, MODEL, Ranked, show_seconds_of_training
from .leaderboard import Board
from .table import Column, Table

ALL = "all"
Show = Callable[[Ranked], Cell]


@dataclass(frozen=True)
class Curves:
    """The page of one setting: its boards by the number of labelled sentences, the fewest first, and last `ALL` if
    there is a board of that. Rows are those of any board.
    """

    setting: str
    full_dev: bool
    boards: Mapping[str, Board]

    @property
    def first(self) -> Board:
        """The board with the fewest labels."""
        return next(iter(self.boards.values()))

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"{self.setting}-shots{'-full-dev' if self.full_dev else ''}"

    @property
    def title(self) -> str:
        """The titles of the benchmark and of the setting."""
        benchmark = self.first.benchmark
        return f"{benchmark.title}: {benchmark.setting(self.setting).title}, by the number of labelled sentences"

    @property
    def lead(self) -> str:
        """Which data, and where the page comes from."""
        return self.first.lead

    def tables(self) -> list[Table]:
        """The averages, then each domain, then seconds."""
        note = (
            "Columns: labelled sentences of the target. Each seed draws its own from the train split, the fewer among "
            f"the more; dev {'is whole' if self.full_dev else 'has as many, drawn alike'}; {ALL}: the whole splits. "
            "Mean of the domains, over seeds, with its 95 % interval (bootstrap over test sentences and seeds)."
        )
        of_domains = [
            self._table(self.first.benchmark.domain(t).title, partial(_show_target, t), "Mean ± sample SD over seeds.")
            for t in self.first.targets
        ]
        return [
            self._table("Strict span micro-F1 (span-f1), average", show_average, note),
            *of_domains,
            self._table("Train s", lambda r: show_seconds_of_training(r.row.finished), "All training phases."),
        ]

    def scores(self) -> list[Table]:
        """What a terminal shows: the averages, or the domains that were run, where no row has an average with fewer
        labels.
        """
        averages, *others = self.tables()
        few = [ranked.row for label, board in self.boards.items() if label != ALL for ranked in board.every_ranked]
        run = [any(row.f1(target) for row in few) for target in self.first.targets]
        if any(row.average() for row in few) or not any(run):
            return [averages]
        return [replace(t, title=f"Strict span micro-F1 (span-f1), {t.title}") for t in compress(others, run)]

    def records(self) -> list[dict[str, Any]]:
        """Those of every board, each with the number of labelled sentences, or `ALL`."""
        return [{"shots": label, **record} for label, board in self.boards.items() for record in board.records()]

    @cached_property
    def rows(self) -> list[Ranked]:
        """A row for each that any board has, in the order of the board with the most labels that has it."""
        found: dict[tuple[str, str], Ranked] = {}
        for board in reversed(list(self.boards.values())):
            for ranked in board.every_ranked:
                found.setdefault(name_ranked(ranked), ranked)
        return list(found.values())

    def _table(self, title: str, show: Show, note: str) -> Table:
        columns = [_make_column(label, board, show) for label, board in self.boards.items()]
        return Table(title, [METHOD, *MODEL, *columns], self.rows, note)


def gather_curves(boards: Iterable[Board]) -> list[Curves]:
    """One page for each setting, and choice of dev, that has boards with fewer labels."""
    groups: dict[tuple[str, str, bool], dict[int, Board]] = {}
    whole: dict[tuple[str, str], Board] = {}
    for board in boards:
        name = board.benchmark.name
        named = shots.read_shots(board.setting)
        if named is None or board.setting in board.benchmark.settings:
            whole[name, board.setting] = board
        else:
            setting, few = named
            groups.setdefault((name, setting, few.full_dev), {})[few.number] = board
    made = []
    for (name, setting, full_dev), group in groups.items():
        labelled = {str(number): group[number] for number in sorted(group)}
        all_labels = {ALL: whole[name, setting]} if (name, setting) in whole else {}
        made.append(Curves(setting, full_dev, labelled | all_labels))
    return made


def is_curve(board: Board) -> bool:
    """Whether a board is of fewer labels, and so a column of a page of curves."""
    return board.benchmark.setting(board.setting).shots is not None


def _make_column(title: str, board: Board, show: Show) -> Column[Ranked]:
    there = {name_ranked(ranked): ranked for ranked in board.every_ranked}

    def cell(ranked: Ranked) -> Cell:
        return show(there[name_ranked(ranked)]) if name_ranked(ranked) in there else Hole()

    return Column(title, "right", cell, 5)


def name_ranked(ranked: Ranked) -> tuple[str, str]:
    """What tells a row from others, on whatever board."""
    method = ranked.row.results[0].method
    return method.name, method.row


def _show_target(target: str, ranked: Ranked) -> Cell:
    return ranked.row.cell(target)


def show_average(ranked: Ranked) -> Cell:
    """The average with its interval."""
    average, interval = ranked.row.average(), ranked.interval
    if average is None or interval is None:
        return average or Hole()
    return Bracketed(Fixed(average.mean), Fixed(interval.low, 1), Fixed(interval.high, 1))
