"""Where the numbers of a site come from: data, code, machines and packages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..records import Result
from ..reporting import Board, Column, Table
from .views import View


def list_origins(boards: Sequence[Board]) -> list[View]:
    """Tables of everything that the runs on these boards were made of, each state of it once."""
    runs = [result for board in boards for row in board.every_row for result in row.results]
    packages = [
        (name, str(version)) for result in runs for name, version in _open(result.provenance.get("packages")).items()
    ]
    made = [
        _count(
            "Data",
            ("Benchmark", "Version", "Setting", "Target", "Hash", "Train / dev / test sentences"),
            (
                (
                    r.benchmark.name,
                    r.benchmark.version,
                    r.scenario.setting,
                    r.scenario.target,
                    r.benchmark.data[:12],
                    " / ".join(f"{n:,}" for n in r.comparable.sentences) if r.comparable else "unknown",
                )
                for r in runs
            ),
        ),
        _count("Code", ("Method", "Revision", "Plugin", "Code", "Commit"), map(_tell_code, runs)),
        _count("Machines", ("Device", "Precision"), ((r.device or "unknown", r.model.precision or "–") for r in runs)),
        _count("Packages", ("Package", "Version"), packages),
    ]
    return [View(f"origin-{n}", table, head=table.headers[0]) for n, table in enumerate(made) if table.rows]


def _tell_code(result: Result) -> tuple[str, ...]:
    plugin = _open(result.provenance.get("plugin"))
    named = f"{plugin.get('name') or ''} {plugin.get('release') or ''}".strip() or "unknown"
    commit = str(result.provenance.get("commit") or "unknown")
    return (result.method.name, result.method.revision, named, str(plugin.get("code") or "unknown")[:12], commit[:12])


def _open(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(title: str, headers: Sequence[str], states: Iterable[tuple[str, ...]]) -> Table:
    """Each state once, with how many runs share it."""

    def take(n: int) -> Callable[[tuple[tuple[str, ...], int]], str]:
        return lambda row: row[0][n]

    columns: list[Column[tuple[tuple[str, ...], int]]] = [
        *(Column[tuple[tuple[str, ...], int]](header, "left", take(n)) for n, header in enumerate(headers)),
        Column("Runs", "right", lambda row: row[1]),
    ]
    return Table(title, columns, sorted(Counter(states).items()))
