"""Runs as they lie on the disk: with a result on a board, with a folder of their own, or both; finished or not."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

from ..errors import ResultError
from ..io import is_locked, measure
from ..records import (
    BEGUN,
    UNFINISHED,
    Result,
    Run,
    Status,
    find_record,
    find_runs,
    list_folders,
    load_named,
    load_own_runs,
    load_runs,
    place_curve,
)
from ..reporting import find_newest, find_newest_each, select_alike

_FIRST_LINE = re.compile(r"\S+ \S+ ([^/\s]+)/(\S+) (\S+) seed (\d+)")
_TAIL = 2**16  # bytes of the end of a log that are looked at


class State(StrEnum):
    """How a run stands: as its record says, or, of one without a result, whether somebody makes it."""

    FINISHED = Status.FINISHED
    NOT_RUN = Status.NOT_RUN
    INCOMPLETE = Status.INCOMPLETE
    FAILED = "failed"
    UNFINISHED = "unfinished"
    BUSY = "being made"
    REFUSED = "refused"


@dataclass(frozen=True)
class Stored:
    """A run: its record if it has one that can be believed, the file of its result on the board, its folder, how it
    stands and why, and what makes it stale.
    """

    id: str
    run: Run | None
    on_board: Path | None
    folder: Path | None
    state: State
    reason: str = ""
    stale: str = ""

    @property
    def result(self) -> Result | None:
        """What its record says."""
        return self.run.result if self.run else None

    @property
    def name(self) -> str:
        """`method/setting/target/seed`; of a run without a record, as its log says, "?" where that says nothing."""
        if self.run:
            return self.run.name
        log = self.folder / "log.txt" if self.folder else None
        found = _FIRST_LINE.match(read_start(log)) if log and os.path.isfile(log) else None
        return f"{found[3]}/{found[1]}/{found[2]}/{found[4]}" if found else "?"

    @property
    def changes(self) -> str:
        """The options that are not what the preset says, or without one not the defaults."""
        if self.result is None:
            return ""
        return ", ".join(f"{name}={self.result.method.options.get(name)}" for name in self.result.departures)

    @property
    def paths(self) -> dict[str, Path]:
        """Where it lies, by what lies there. What is in its folder is not named again."""
        places = {"result": self.on_board}
        if self.run and self.on_board:
            kept = self.run.places[-1]
            places |= {"predictions": kept, "curve": place_curve(kept)}
        places["folder"] = self.folder
        return {what: place for what, place in places.items() if place is not None and os.path.lexists(place)}

    @property
    def where(self) -> str:
        """On the board, in a folder of its own, or both."""
        return "both" if self.on_board and self.folder else "board" if self.on_board else "folder"

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(map(measure, self.paths.values()))

    @property
    def made(self) -> str:
        """When its record was made, or its folder last changed: a time in UTC."""
        said = self.result and self.result.provenance.get("created")
        if said or not self.folder:
            return str(said or "")
        return datetime.fromtimestamp(self.folder.stat().st_mtime, UTC).isoformat(timespec="seconds")

    @property
    def seconds(self) -> float | None:
        """What it took, without what it took over from others; None where nothing is known of that."""
        if not (self.result and self.result.phases):
            return None
        return sum(phase.seconds for phase in self.result.phases if not phase.reused)

    @property
    def log_tail(self) -> list[str]:
        """The last lines of what is known of its failure, else of its log."""
        for name in ("error.txt", "log.txt"):
            if self.folder and os.path.isfile(file := self.folder / name):
                return read_end(file).splitlines()[-12:]
        return []


def list_stored(out: Path, benchmark: str = "") -> list[Stored]:
    """Every run below `out`, or those of a benchmark, by name: those on a board, and those that have a folder only,
    which may be unfinished. Of a run without a record nobody knows the benchmark.
    """
    board = {run.result.run: run for run in load_runs(out, benchmark)}
    own = {run.folder.name: run for run in load_own_runs(out, benchmark)}
    folders = {folder.name: folder for folder in list_folders(out)}
    bare = () if benchmark else folders
    stale = dict(_find_stale([run.result for run in board.values()]))
    places = {run.file: run.result.run for run in board.values()}
    found = []
    for run_id in dict.fromkeys([*board, *own, *bare]):
        run, folder = board.get(run_id) or own.get(run_id), folders.get(run_id)
        stored = _describe(run_id, run, board[run_id].file if run_id in board else None, folder)
        place = out / "leaderboards" / "results" / run.result.path if run and run_id not in board else None
        if run_id in stale:
            stored = replace(stored, stale=stale[run_id])
        elif stored.state is State.FINISHED and place in places:
            stored = replace(stored, stale=f"run {places[place]} has taken its place on the board")
        found.append(stored)
    return sorted(found, key=lambda stored: (stored.result.benchmark.name if stored.result else "~", stored.name))


def find_stored(named: str, out: Path, benchmark: str = "") -> list[Stored]:
    """The runs that are called so, of a benchmark or of all: as `records.find_runs` finds them, or by the folder of one
    that has no record. Raises `ResultError` if there are none.
    """
    return find_each([named], out, benchmark)


def find_each(names: Sequence[str], out: Path, benchmark: str = "") -> list[Stored]:
    """The runs that are called by any of the names, each once, as `find_stored`. Results are read once for all."""
    load, listing = cache(load_runs), cache(list_stored)
    return list({stored.id: stored for n in names for stored in _find(n, out, benchmark, load, listing)}.values())


def _find(
    named: str,
    out: Path,
    benchmark: str,
    load: Callable[[Path, str], Sequence[Run]],
    listing: Callable[[Path, str], Sequence[Stored]],
) -> list[Stored]:
    if (file := Path(named)).is_file():
        run = load_named(file, out)
        for stored in listing(out, run.result.benchmark.name):
            if any(file.resolve().is_relative_to(place.resolve()) for place in stored.paths.values()):
                return [stored]
        on_board = run.file if run.file.name == run.result.path.name else None
        return [_describe(run.result.run, run, on_board, run.folder if run.folder.is_dir() else None)]
    try:
        found = {run.folder.name: run for run in find_runs(named, out, benchmark, load)}
    except ResultError:
        bare = [stored for stored in listing(out, "") if named and stored.run is None and _is_called(stored, named)]
        if not bare:
            raise
        return bare
    (first, *others) = dict.fromkeys(run.result.benchmark.name for run in found.values())
    return [stored for stored in listing(out, "" if others else first) if stored.id in found]


def _is_called(stored: Stored, named: str) -> bool:
    method, *_setting, target, seed = f"//{stored.name}".split("/")[-4:]
    return stored.id.startswith(named) or named in (stored.name, f"{method}/{target}/{seed}", str(stored.folder))


def _describe(run_id: str, run: Run | None, on_board: Path | None, folder: Path | None) -> Stored:
    state, reason = State.UNFINISHED, ""
    if run:
        state, reason = State(run.result.status), run.result.reason
        if state is State.INCOMPLETE and run.file.name == BEGUN and reason == UNFINISHED:
            state = State.UNFINISHED
    if folder and run is None and not _may_be_seen(folder):
        return Stored(run_id, run, on_board, folder, State.REFUSED, "its folder may be looked into by its owner only")
    if folder and state is not State.FINISHED:
        if run is None and find_record(folder):
            state, reason = State.REFUSED, "its record cannot be believed"
        if is_locked(folder / "lock"):
            state, reason = State.BUSY, "another process is working on it"
        elif os.path.isfile(error := folder / "error.txt"):
            state, reason = State.FAILED, next(reversed(read_end(error).split("\n")[:-1] or [""]))
    return Stored(run_id, run, on_board, folder, state, reason)


def _may_be_seen(folder: Path) -> bool:
    try:
        os.stat(os.path.join(folder, "."))
    except PermissionError:
        return False
    return True


def _find_stale(results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    """The runs that stand on no board, because newer ones of their row or target are of another revision or of other
    data, each with why.
    """
    rows: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        rows.setdefault((*_name_board(result), result.method.name, result.method.row), []).append(result)
    for row in rows.values():
        alike = {result.run for result in select_alike(row)}
        newest = find_newest(row)
        for result in row:
            if result.run not in alike:
                why = f"run {newest.run} of its row is newer"
                if newest.method.revision != result.method.revision:
                    why += f", of revision {newest.method.revision} and not {result.method.revision}"
                yield result.run, why
    of_target = find_newest_each(results, lambda result: (*_name_board(result), result.scenario.target))
    for result in results:
        newest = of_target[*_name_board(result), result.scenario.target]
        if result.comparable != newest.comparable:
            yield result.run, f"run {newest.run} is newer, and its data are others"


def _name_board(result: Result) -> tuple[str, str]:
    return result.benchmark.name, result.scenario.setting


def read_start(file: Path) -> str:
    """The first line of a log."""
    with file.open("rb") as stream:
        return stream.readline(_TAIL).decode("utf-8", "replace")


def read_end(file: Path) -> str:
    """The end of a log."""
    with file.open("rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - _TAIL))
        return stream.read(_TAIL).decode("utf-8", "replace")
