"""Runs removed with all that they have left: result, predictions, folder, and the stages that no other run uses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..io import find_below, lock, measure, writing
from ..plugins import read_stages
from ..records import list_folders
from .stored import Stored


@dataclass(frozen=True)
class Removal:
    """What is to be removed: runs, their files and folders, and shared stages. `kept` are the stages that the runs used
    and that stay, each with why.
    """

    runs: Sequence[Stored]
    paths: Sequence[Path]
    stages: Sequence[Path]
    kept: dict[Path, str]
    size: int


def plan_removal(runs: Sequence[Stored], out: Path, *, stages: bool = False) -> Removal:
    """What goes with runs, and, if they are asked for, the `stages` that no other run uses. Removes nothing."""
    paths = [place for stored in runs for place in stored.paths.values()]
    free, kept = [], {}
    for place, why in _find_stages(runs, out):
        if stages and not why:
            free.append(place)
        else:
            kept[place] = why or "no other run uses it; --stages removes it"
    return Removal(runs, paths, free, kept, sum(map(measure, [*paths, *free])))


def remove(removal: Removal) -> None:
    """Remove it. Raises `BusyError` if another process makes one of the runs or stages: if it does already, nothing is
    removed. Locks are not held together: they may be more than the files that a process may have open.
    """
    for stored in removal.runs:
        with _hold(stored):
            pass
    for stage in removal.stages:
        with _hold_stage(stage):
            pass
    for stored in removal.runs:
        with _hold(stored):
            for place in stored.paths.values():
                _remove(place)
    for stage in removal.stages:
        with _hold_stage(stage):
            _remove(stage)
        for left in stage.parent.glob(f"{stage.name}.lock*"):
            left.unlink(missing_ok=True)


@contextmanager
def _hold(stored: Stored) -> Iterator[None]:
    """Hold the folder of a run, if it has one of its own."""
    with ExitStack() as held:
        if stored.folder and not stored.folder.is_symlink():
            with writing(stored.folder, "make it writable"):
                held.enter_context(lock(stored.folder / "lock"))
        yield


def _hold_stage(stage: Path) -> AbstractContextManager[None]:
    return lock(stage.with_name(f"{stage.name}.lock"))


def _remove(place: Path) -> None:
    with writing(place.parent, "make it writable"):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        _prune(place.parent)


def _prune(folder: Path) -> None:
    """Remove the folders of a board that have nothing in them any more."""
    with suppress(OSError):
        while "leaderboards" in folder.parts and folder.name not in ("leaderboards", "results", "predictions"):
            folder.rmdir()
            folder = folder.parent


def _find_stages(runs: Sequence[Stored], out: Path) -> Iterator[tuple[Path, str]]:
    """The shared stages that runs have used, each with why it cannot go; "" for one that can."""
    going = {stored.id for stored in runs}
    used = {folder.name: read_stages(folder) for folder in list_folders(out)}
    for stage in dict.fromkeys(stage for run in going for stage in used.get(run) or ()):
        place = find_below(out / "runs" / "shared", stage, f"the stages of runs {', '.join(sorted(going))}")
        users = [run for run, stages in used.items() if run not in going and stages is not None and stage in stages]
        silent = [run for run, stages in used.items() if run not in going and stages is None]
        if place.is_dir():
            why = f"run {users[0]} uses it too" if users else ""
            yield place, why or (f"run {silent[0]} does not say which stages it uses" if silent else "")
