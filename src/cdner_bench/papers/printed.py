"""What a paper prints, as data: `benchmarks/paper/<name>/` with a `paper.toml` and one file a table.

`paper.toml` says the `title` of the paper, how headings call it (`called`), and a `remark` about its scores if there is
something to know; `released` are the methods whose scores most likely are those of `topt-released`. A `table-*.toml`
names its `table` and `benchmark`; its `rows` are F1 values in percent by method, setting and domain. `checks`,
`repeated` and `pairs` are for those who recompute (`checks.py`, `pairs.py`), `made` and `lines` for those who lay its
tables out (`tables.py`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from ..errors import DataError
from ..io import TomlTable, find_benchmarks_dir
from ..reporting import Board, Cell, Column, Fixed, Hole, Section, Table

_COUNTED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class PrintedRow:
    """A row of scores, and the number of the table that prints it. `f1` and `average` are in percent."""

    table: str
    method: str
    f1: Mapping[str, float]
    average: float | None = None

    def mean(self, targets: Sequence[str]) -> float | None:
        """The mean over all targets; None if the paper does not print every one."""
        values = [self.f1[target] for target in targets if target in self.f1]
        return fmean(values) if len(values) == len(targets) else None


@dataclass(frozen=True)
class Paper:
    """A paper and its tables, in the order of their files. It adds its scores to the boards of the same settings."""

    name: str
    title: str
    called: str
    remark: str
    tables: Sequence[Mapping[str, Any]]
    released: Sequence[str] = ()
    made: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def list_tables(self, benchmark: str) -> list[Mapping[str, Any]]:
        """The tables that are about a benchmark, as their files have them."""
        return [table for table in self.tables if table["benchmark"] == benchmark]

    def list_rows(self, benchmark: str, setting: str | None = None) -> list[tuple[str, Mapping[str, Any]]]:
        """The rows of F1 values printed for a setting, or for all, each after the number of its table."""
        rows = [(table["table"], row) for table in self.list_tables(benchmark) for row in table.get("rows", ())]
        return [(table, row) for table, row in rows if setting in (None, row["setting"])]

    def board_tables(self, board: Board) -> list[Table]:
        """What the paper prints for the setting of a board."""
        targets = board.benchmark.setting(board.setting).targets
        rows = [
            PrintedRow(table, row["method"], row["f1"], row.get("average"))
            for table, row in self.list_rows(board.benchmark.name, board.setting)
        ]
        if not rows:
            return []
        columns = [
            Column[PrintedRow]("Method", "left", lambda row: row.method),
            *(_show_f1(board.benchmark.domain(target).title, target) for target in targets),
            Column("Avg. (printed)", "right", lambda row: show_percent(row.average)),
            Column("Mean", "right", lambda row: show_percent(row.mean(targets))),
            Column("Source", "left", lambda row: f"Table {row.table}"),
        ]
        remark = f"; {self.remark}" if self.remark else ""
        counted = _COUNTED[len(targets)] if len(targets) < len(_COUNTED) else str(len(targets))
        note = (
            f"Copied from the paper, not measured here{remark}. The mean is recomputed from the {counted} "
            f"column{'' if len(targets) == 1 else 's'}."
        )
        return [Table(f"Reported in {self.called}", columns, rows, note)]

    def analysis_tables(self, section: Section) -> list[Table]:
        """Printed scores say nothing of analyses."""
        return []

    def analysis_records(self, section: Section) -> list[Mapping[str, Any]]:
        """Printed scores say nothing of analyses."""
        return []


def load(name: str, papers: Path | None = None) -> Paper:
    """The paper of that name in the folder `papers`, or among the shipped ones. Raises `DataError`."""
    folder = (papers or _find_shipped()) / name
    about = _read(folder / "paper.toml")
    title, called = about.take("title", str), about.take("called", str)
    remark, released = about.take("remark", str, ""), about.take_texts("released") if about.has("released") else ()
    made = dict(map(_read_made, about.take_tables("made")))
    about.finish()
    tables = [_read_table(path) for path in sorted(folder.glob("table-*.toml"))]
    return Paper(name, title, called, remark, tables, released, made)


def load_all(papers: Path | None = None) -> list[Paper]:
    """All papers in a folder, or all shipped ones, by name."""
    return [load(path.parent.name, papers) for path in sorted((papers or _find_shipped()).glob("*/paper.toml"))]


def show_percent(value: float | None) -> Cell:
    """A printed score with two digits; a hole where the paper prints none."""
    return Hole() if value is None else Fixed(value, 2)


def _show_f1(title: str, target: str) -> Column[PrintedRow]:
    return Column(title, "right", lambda row: show_percent(row.f1.get(target)))


def _find_shipped() -> Path:
    return find_benchmarks_dir() / "paper"


def _read(path: Path) -> TomlTable:
    if not os.path.lexists(path):
        raise DataError(f"{path} is missing", hint="give every paper a paper.toml with title and called")
    return TomlTable.read(path)


def _read_made(table: TomlTable) -> tuple[str, Mapping[str, Any]]:
    """Which printed row is meant, and what makes it here."""
    reported = table.take("reported", str)
    for key in ("method", "model"):
        table.take(key, str)
    for key in ("learnt_from", "needs"):
        table.take(key, str, "")
    table.take("options", dict, {})
    table.finish()
    return reported, table.values


def _read_table(path: Path) -> Mapping[str, Any]:
    """A table as its file has it, once what boards show of it is known to be there, and nothing is misspelt."""
    table = _read(path)
    table.take("table", str)
    table.take("benchmark", str)
    table.take("title", str, "")
    table.take("order", list, [])
    for row in table.take_tables("rows"):
        row.take("method", str)
        row.take("setting", str)
        row.take("average", (int, float), 0.0)
        row.take("reason", str, "")
        f1 = TomlTable(path, f"{row.prefix}f1.", row.take("f1", dict))
        for domain in f1.values:
            f1.take(domain, (int, float))
        row.finish()
    for line in table.take_tables("lines"):
        for key in ("label", "method", "setting", "variance"):
            line.take(key, str)
        line.take("f1", dict, {})
        line.finish()
    for entries in ("checks", "repeated", "pairs"):
        table.take_tables(entries)
    table.finish()
    return table.values
