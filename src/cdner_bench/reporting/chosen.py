"""A part of the boards that somebody chose: some rows and columns, in the order in which they were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import OptionError, did_you_mean
from ..scoring import HEADLINE, PROTOCOLS
from .leaderboard import Board
from .table import Column, Table


@dataclass(frozen=True)
class Choice:
    """What to show of the boards; all of what nothing is named of. What was tried beside a board is shown of methods
    that have nothing on it.
    """

    methods: Sequence[str] = ()
    settings: Sequence[str] = ()
    targets: Sequence[str] = ()
    columns: Sequence[str] = ()
    protocol: str = HEADLINE


@dataclass(frozen=True)
class Chosen:
    """The page of what was chosen: a table a board that has something of it. No place is counted anew."""

    boards: Sequence[Board]
    choice: Choice

    @property
    def title(self) -> str:
        """What the page is about."""
        return "; ".join(board.title for board in self.boards)

    @property
    def lead(self) -> str:
        """Where the page comes from."""
        return "Chosen by `cdner-bench leaderboard` from the result files."

    def tables(self) -> list[Table]:
        """One table a board."""
        return [self._tabulate(board) for board in self.boards]

    def records(self) -> list[dict[str, Any]]:
        """One record a row of those tables, its numbers unrounded; every record has the same keys."""
        made: list[dict[str, Any]] = []
        for board, table in zip(self.boards, self.tables(), strict=True):
            for row, values in zip(table.rows, table.records(), strict=True):
                named = {"benchmark": board.benchmark.name, "setting": board.setting}
                made.append({**named, **values, "doubts": "; ".join(row.row.remarks(board.targets))})
        keys = dict.fromkeys(key for record in made for key in record)
        return [{key: record.get(key) for key in keys} for record in made]

    def _tabulate(self, board: Board) -> Table:
        targets = [t for t in self.choice.targets if t in board.targets]
        table = board.scores(self.choice.protocol, targets)
        rows = [r for r in board.ranked if not self.choice.methods or r.row.method in self.choice.methods]
        ranked = {r.row.method for r in rows}
        rows += [r for r in board.unranked if r.row.method in set(self.choice.methods) - ranked]
        columns = table.columns
        if self.choice.columns:
            known = _name_columns(board.columns(table))
            columns = [known[n] for name in self.choice.columns if (n := name.casefold()) in known]
        made = replace(table, title=f"{board.title}\n{table.title}", columns=columns, rows=rows)
        return board.put_legend(made, self.choice.protocol)


def choose(boards: Sequence[Board], choice: Choice) -> Chosen:
    """What was chosen of these boards. Raises `OptionError` for a name that none of them has."""
    _check("--setting", choice.settings, (board.setting for board in boards))
    boards = [board for board in boards if not choice.settings or board.setting in choice.settings]
    _check("--method", choice.methods, (row.method for board in boards for row in board.every_row))
    _check("--target", choice.targets, (target for board in boards for target in board.targets))
    _check("--protocol", [choice.protocol], PROTOCOLS)
    named = [_name_columns(board.columns(board.scores(choice.protocol))) for board in boards]
    known = {column.name: name for names in named for name, column in names.items()}
    if unknown := [name for name in choice.columns if not any(name.casefold() in names for names in named)]:
        raise OptionError(f"--columns {unknown[0]}: no such column", hint=did_you_mean(unknown[0].casefold(), known))
    asked = {name.casefold() for name in choice.columns}
    kept = [
        board
        for board, names in zip(boards, named, strict=True)
        if (not choice.methods or {row.method for row in board.every_row} & set(choice.methods))
        and (not choice.targets or set(board.targets) & set(choice.targets))
        and (not asked or asked & names.keys())
    ]
    if not kept:
        raise OptionError("no board has all that is asked for together", hint="leave some of it out")
    return Chosen(kept, choice)


def _name_columns(columns: Iterable[Column[Any]]) -> dict[str, Column[Any]]:
    """Columns by what they may be called: their names, and their titles in small letters. Of equals, the first."""
    named: dict[str, Column[Any]] = {}
    for column in columns:
        for name in (column.name, column.title.casefold()):
            named.setdefault(name, column)
    return named


def _check(option: str, names: Iterable[str], known: Iterable[str]) -> None:
    there = list(dict.fromkeys(known))
    for name in names:
        if name not in there:
            raise OptionError(f"{option} {name}: there are no results of it", hint=did_you_mean(name, there))
