"""Where runs stand, for whoever asks from another shell or another machine. Little is read, and nothing is loaded."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CdnerError
from ..foreign import redact_all
from ..io import is_locked, write_atomic
from .executing import find_queued

if TYPE_CHECKING:
    from ..plugins import Observer

NOW = "now.json"
"""The file in a run's folder that says who makes it, since when, and in which phase it is. It goes with the end."""
PLANS = "plans"
"""The folder beside those of runs with what each `run` was to make."""
_ID = re.compile(r"[0-9a-f]{16}")
_HEAD = 400  # bytes at the beginning of a record, which have its status and the id of its run


class _Telling:
    """An observer that also keeps the phase of a run in its folder."""

    def __init__(self, observer: Observer, folder: Path, name: str) -> None:
        self._place, self._observer = folder / NOW, observer
        self._known = {"run": name, "host": socket.gethostname(), "process": os.getpid(), "began": time.time()}
        self.progress, self.note = observer.progress, observer.note
        self._write("")

    def phase(self, name: str) -> None:
        """Keep that a phase begins."""
        self._write(str(name))
        self._observer.phase(name)

    def _write(self, phase: str) -> None:
        with suppress(OSError):  # a disk that is full ends the run elsewhere
            self._place.write_text(json.dumps({**self._known, "phase": phase, "since": time.time()}), encoding="utf-8")


@contextmanager
def telling(observer: Observer, folder: Path, name: str) -> Iterator[Observer]:
    """An observer for a run in a folder, so that others see where it stands."""
    try:
        yield _Telling(observer, folder, name)
    finally:
        with suppress(OSError):
            (folder / NOW).unlink()


class Standing(StrEnum):
    """How a run stands: `interrupted` was begun, and nobody makes it; `waiting` was not begun, or a cluster goes on
    with it when it has room.
    """

    FINISHED = "finished"
    RUNNING = "running"
    FAILED = "failed"
    NOT_RUN = "not run"
    INTERRUPTED = "interrupted"
    WAITING = "waiting"


@dataclass(frozen=True)
class Making:
    """A run that is being made: what and where, and the seconds since it, and its phase, began."""

    id: str
    name: str
    host: str
    process: int
    phase: str
    seconds: float
    phase_seconds: float


@dataclass(frozen=True)
class Overview:
    """All runs below a folder by their ids, those that are being made, the commands that make what is left, newest
    first, how many runs are left to jobs of SLURM, and the command that shows the board of the newest; "" for that of
    shipped benchmarks.
    """

    runs: Mapping[str, Standing]
    making: Sequence[Making]
    names: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[str] = ()
    queued: int = 0
    board: str = ""


def write_plan(
    out: Path, command: Sequence[str], jobs: Sequence[tuple[str, str, str]], board: Sequence[str] = ()
) -> None:
    """Keep what a command is to make: the id of each run, its name, and the path of its result; and the command that
    shows their `board`, nothing for that of shipped benchmarks. Where that cannot be kept, the runs will say why they
    cannot be.
    """
    from ..hashing import digest

    typed = {"command": redact_all(list(command)), "board": redact_all(list(board))}
    plan = {"began": time.time(), "folder": os.getcwd(), **typed, "jobs": jobs}
    with suppress(OSError):
        write_atomic(
            out / "runs" / PLANS / f"{digest([list(job) for job in jobs])[:16]}.json",
            json.dumps(plan, ensure_ascii=True),
        )


def look(out: Path) -> Overview:
    """How every run below a folder stands that was begun there or planned."""
    runs: dict[str, Standing] = {}
    making: list[Making] = []
    with suppress(FileNotFoundError), os.scandir(out / "runs") as folders:
        for folder in folders:
            if _ID.fullmatch(folder.name) and (found := _judge(folder.path, making)):
                runs[folder.name] = found
    queued = {run for run in _list_queued(out) if runs.get(run) not in (Standing.FINISHED, Standing.RUNNING)}
    runs |= dict.fromkeys(queued, Standing.WAITING)
    names, commands, covered = {}, list[str](), set[str]()
    plans = sorted(_read_plans(out / "runs" / PLANS), key=lambda plan: plan["began"], reverse=True)
    for plan in plans:
        left = set[str]()
        for run, name, result in plan["jobs"]:
            names[run] = name
            if runs.get(run) is not Standing.FINISHED and _is_on_board(out, result, run):
                runs[run] = Standing.FINISHED
            way = runs.setdefault(run, Standing.WAITING)
            if way not in (Standing.FINISHED, Standing.RUNNING) and run not in queued:
                left.add(run)
        if left - covered:
            commands.append(_type(plan, plan["command"]))
        covered |= left
    board = _type(plans[0], plans[0]["board"]) if plans and plans[0]["board"] else ""
    return Overview(runs, sorted(making, key=lambda made: -made.seconds), names, commands, len(queued), board)


def _type(plan: Mapping[str, Any], words: Sequence[str]) -> str:
    """Words as they are typed here, to be said in the folder of a plan."""
    from shlex import join, quote

    there = "" if plan["folder"] == os.getcwd() else f"cd {quote(plan['folder'])} && "
    return f"{there}{join(words)}"


def _list_queued(out: Path) -> Set[str]:
    """The runs that jobs of SLURM have to make, as far as it says."""
    try:
        return find_queued(out).keys()
    except CdnerError:
        return frozenset()


def _judge(folder: str, making: list[Making]) -> Standing | None:
    """How the run of a folder stands; None if nothing was begun there."""
    try:
        files = set(os.listdir(folder))
    except OSError:
        return None
    if "run.json" in files:
        return Standing.FINISHED
    if NOW in files and is_locked(Path(folder) / "lock"):
        if made := _read_now(Path(folder)):
            making.append(made)
        return Standing.RUNNING
    if "error.txt" in files:
        return Standing.FAILED
    if "begun.json" in files and b'"status": "not-run"' in _read_head(f"{folder}/begun.json"):
        return Standing.NOT_RUN
    return Standing.INTERRUPTED if files & {"begun.json", "log.txt"} else None


def _read_now(folder: Path) -> Making | None:
    place = folder / NOW
    try:
        changed, said = place.stat().st_mtime, json.loads(place.read_bytes())
        began, since = float(said["began"]), float(said["since"])
        behind = max(0.0, time.time() - changed)
        who = str(said["run"]), str(said["host"]), int(said["process"]), str(said["phase"])
        return Making(folder.name, *who, since - began + behind, behind)
    except (OSError, ValueError, TypeError, KeyError):
        return None  # it is just being written, or gone


def _read_head(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(_HEAD)
    except OSError:
        return b""


def _is_on_board(out: Path, result: str, run: str) -> bool:
    head = _read_head(str(out / "leaderboards" / "results" / result))
    return f'"run": "{run}"'.encode() in head and b'"status": "finished"' in head


def _read_plans(folder: Path) -> Iterator[dict[str, Any]]:
    for place in sorted(folder.glob("*.json")):
        try:
            plan = json.loads(place.read_bytes())
            jobs = [(str(run), str(name), str(result)) for run, name, result in plan["jobs"]]
            words, board = ([str(word) for word in said] for said in (plan["command"], plan.get("board", ())))
            where = {"folder": str(plan["folder"]), "began": float(plan["began"])}
            yield {"command": words, "board": board, **where, "jobs": jobs}
        except (OSError, ValueError, TypeError, KeyError):
            continue
