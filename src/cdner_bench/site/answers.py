"""What a reader asks first of a board: which method, at what cost, and whether its lead is real."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from statistics import fmean

from ..reporting import (
    DEVICE,
    INTERVAL,
    PARAMETERS,
    PRICE,
    TRAINED,
    Board,
    Cell,
    Column,
    Hole,
    Ranked,
    Table,
    write_cell,
)
from .views import number

ASKED_FOR = 100
"""How many labelled sentences the new domain has that the first page is about."""


def show_money(ranked: Ranked) -> Cell:
    """What was paid for a row's runs; a row that asked no model costs none, and of brought predictions nobody knows."""
    if ranked.row.usages:
        return PRICE.cell(ranked)
    return "none" if ranked.row.made else Hole()


MONEY: Column[Ranked] = Column("Money", "right", show_money)


@dataclass(frozen=True)
class Answer:
    """What one board says, in sentences, as far as it has a row with every domain."""

    board: Board

    @property
    def best(self) -> Ranked | None:
        """The row with the best average."""
        first = next(iter(self.board.ranked), None)
        return first if first and first.place else None

    @cached_property
    def rivals(self) -> list[Ranked]:
        """The rows that cannot be told from the best."""
        return [ranked for ranked in self.board.ranked if ranked.tied and ranked is not self.best]

    @cached_property
    def sizes(self) -> list[tuple[int, int, int]]:
        """How many sentences the splits of each target have (train, dev, test), where results say so."""
        known = {
            r.scenario.target: r.comparable.sentences for row in self.board.rows for r in row.results if r.comparable
        }
        return [known[target] for target in self.board.targets if target in known]

    @property
    def train(self) -> str:
        """How many labelled sentences the targets have to learn from."""
        counts = sorted({size[0] for size in self.sizes})
        return "–".join(f"{n:,}" for n in dict.fromkeys((counts[0], counts[-1]))) if counts else "an unknown number of"

    @property
    def tested(self) -> int:
        """How many test sentences stand behind it."""
        return sum(size[2] for size in self.sizes)

    @property
    def which(self) -> str:
        """How good the best method is."""
        if self.best is None:
            return "No row has every domain yet, so none is named."
        domains = f"the mean of {n} domains" if (n := len(self.board.targets)) > 1 else self.board.targets[0]
        ends = f" (95 %: {self._write(INTERVAL, self.best)})" if self.best.interval else ""
        average = self.best.row.average()
        assert average is not None
        return (
            f"F1 {average.mean:.2f}{ends}, {domains}, after learning from {self.train} "
            "labelled sentences of the domain."
        )

    @property
    def cost(self) -> str:
        """What the best row takes, and which row of its group takes less."""
        if self.best is None:
            return "Nothing can be said of it."
        said = self._tell_cost(self.best)
        seconds = {id(r): s for r in (self.best, *self.rivals) if (s := read_number(TRAINED, r)) is not None}
        same = [r for r in self.rivals if self._write(DEVICE, r) == self._write(DEVICE, self.best)]
        quicker = [r for r in same if seconds.get(id(r), 1e99) < seconds.get(id(self.best), 0)]
        if quicker:
            first = min(quicker, key=lambda r: seconds[id(r)])
            said += (
                f" Of those that cannot be told from it, {self.name(first)} trains fastest: {self._tell_cost(first)}"
            )
        return said

    @property
    def real(self) -> str:
        """Whether its lead is more than chance."""
        if self.best is None:
            return "There is no lead."
        compared = sum(ranked.place is not None for ranked in self.board.ranked) - 1
        if not compared:
            said = "It stands alone: no other row has every domain."
        elif self.rivals:
            said = f"No: it cannot be told from {', '.join(map(self.name, self.rivals))}"
            others = compared - len(self.rivals)
            said += f"; from the other {others} it can." if others else "."
        else:
            said = f"Yes: it can be told from each of the {compared} others (p < 0.05, corrected for their number)."
        if self.seeds == 1:
            return f"{said} One seed: how much the chance of training moves it was not measured."
        return f"{said} {self.seeds} seeds."

    @property
    def seeds(self) -> int:
        """How many seeds the average of the best row is over."""
        average = self.best and self.best.row.average()
        return average.n if average else 0

    @staticmethod
    def name(ranked: Ranked) -> str:
        """A row with its backbone."""
        return f"{ranked.label} on {ranked.backbone}" if ranked.backbone != "none" else ranked.label

    def _tell_cost(self, ranked: Ranked) -> str:
        seconds, device = read_number(TRAINED, ranked), self._write(DEVICE, ranked)
        trained = "" if seconds is None else f"{seconds:,.1f} s of training a domain on {device}"
        if seconds is not None and "(" in self._write(TRAINED, ranked):
            trained += ", which others kept busy"
        total = count_parameters(ranked)
        known = f"{total / 1e6:,.1f}M parameters" if total else "no parameters"
        weights = "parameters unknown" if total is None else known
        money = write_cell(show_money(ranked))
        paid = {"none": "no money", "–": "money unknown"}.get(money, f"{money} for all its runs")
        return f"{', '.join(filter(None, (trained, weights, paid)))}."

    @staticmethod
    def _write(column: Column[Ranked], ranked: Ranked) -> str:
        return write_cell(column.cell(ranked))


def read_number(column: Column[Ranked], ranked: Ranked) -> float | None:
    """What a column says of a row, as a number; None where it says none."""
    return number(column.cell(ranked))


def count_parameters(ranked: Ranked) -> int | None:
    """How many parameters a row has; None where nothing ran here, and of a model that does not say."""
    return ranked.row.made[0].parameters if ranked.row.made else None


def rank_boards(boards: Sequence[Board]) -> list[Answer]:
    """An answer a board: first those whose domains have about `ASKED_FOR` labelled sentences, half as many to twice as
    many, then those with the most test sentences, then those that are nearest to that number, then those that learn
    from the most sources.
    """

    def order(answer: Answer) -> tuple[bool, bool, int, float, int]:
        known = [size[0] for size in answer.sizes if size[0]]
        distance = abs(math.log2(fmean(known) / ASKED_FOR)) if known else math.inf
        sources = len(answer.board.benchmark.setting(answer.board.setting).sources)
        return (answer.best is None, distance > 1, -answer.tested, distance, -sources)

    return sorted(map(Answer, boards), key=order)


def tabulate(answers: Sequence[Answer]) -> Table:
    """All answers as a table."""
    columns: list[Column[Answer]] = [
        Column("Benchmark", "left", lambda answer: answer.board.benchmark.name),
        Column("Setting", "left", lambda answer: answer.board.setting),
        Column("Train sentences", "right", lambda answer: answer.train),
        Column("Best method", "left", lambda answer: answer.best.label if answer.best else Hole()),
        Column("Backbone", "left", lambda answer: answer.best.backbone if answer.best else Hole()),
        Column("F1", "right", lambda answer: (answer.best and answer.best.row.average()) or Hole()),
        INTERVAL.of(attrgetter("best")),
        Column("Cannot be told from it", "right", lambda answer: len(answer.rivals)),
        Column("Seeds", "right", lambda answer: answer.seeds),
        *(column.of(attrgetter("best")) for column in (TRAINED, PARAMETERS, MONEY, DEVICE)),
    ]
    return Table("The best of every board", columns, answers)
