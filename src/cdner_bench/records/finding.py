"""A run by what people call it: its id, the beginning of its id, `method/target/seed`, or its file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ResultError, did_you_mean, name_some
from . import results
from .kept import CURVE, locate_predictions, place_curve
from .reading import refuse
from .results import Result

_FORMS = "an id or how it begins, METHOD/TARGET/SEED, METHOD/SETTING/TARGET/SEED, or a result file"
BEGUN = "begun.json"
"""The record in the folder of a run that is not finished: what it is, and why it has no score."""
UNFINISHED = "it was not finished"
"""The reason in that record until the run has ended."""
MODEL = "model"
"""The folder in that of a run which has what it has learnt, where that was kept."""
_ID = re.compile(r"[0-9a-f]{16}")
NAME_ONE = "name one by its id, or its row: METHOD-ROW/SETTING/TARGET/SEED, as its result file is called"


@dataclass(frozen=True)
class Run:
    """The record of a run: the result, the file that holds it, and where its predictions may lie, the nearest first."""

    result: Result
    file: Path
    places: Sequence[Path]

    @property
    def folder(self) -> Path:
        """The folder of the run, which is there where it was made here."""
        return self.places[0].parent

    @property
    def predictions(self) -> Path:
        """The file of its predictions. Raises `ResultError` if there is none, or if it was not finished."""
        if not self.result.finished:
            raise ResultError(
                f"run {self.result.run} is {self.result.status}: {self.result.reason}", hint="name one that is finished"
            )
        for place in self.places:
            if os.path.isfile(place):
                return place
        raise ResultError(
            f"{self.file}: there are no predictions at {self.places[-1]}", hint="name a run that was finished here"
        )

    @property
    def log(self) -> Path | None:
        """The log of the run, where it was made here."""
        place = self.folder / "log.txt"
        return place if os.path.isfile(place) else None

    @property
    def curve(self) -> Path | None:
        """The file of its learning curve, if it has one."""
        places = (self.folder / CURVE, place_curve(self.places[-1]))
        return next((place for place in places if os.path.isfile(place)), None)

    @property
    def name(self) -> str:
        """`method/setting/target/seed`, which is also how to ask for it."""
        result = self.result
        return f"{result.method.name}/{result.scenario.setting}/{result.scenario.target}/{result.seed}"


def load_run(file: Path, out: Path) -> Run:
    """The run of a result file, or of a `run.json`. Raises `ResultError` for what is none."""
    result = results.load(file)
    boards = out / "leaderboards"
    if file.name == result.path.name and len(file.absolute().parents) > len(result.path.parts):
        boards = file.absolute().parents[len(result.path.parts)]
    beside = file.parent if file.name in ("run.json", BEGUN) else boards.parent / "runs" / result.run
    return Run(result, file, [beside / "predictions.jsonl", locate_predictions(boards, result)])


def locate_run(leaderboards: Path, result: Result) -> Run:
    """The run of a result on the boards, with the folder `runs` beside these."""
    own = leaderboards.parent / "runs" / result.run / "predictions.jsonl"
    return Run(result, leaderboards / "results" / result.path, [own, locate_predictions(leaderboards, result)])


def load_runs(out: Path, benchmark: str = "") -> list[Run]:
    """Every run that has a result below `out`, or those of a benchmark, in a fixed order. What cannot be believed is
    left out as `results.load_all` says.
    """
    boards = out / "leaderboards"
    return [locate_run(boards, result) for result in results.load_all(boards / "results", benchmark)]


def list_folders(out: Path) -> list[Path]:
    """The folders of runs below `out`, finished or not, in a fixed order."""
    return sorted(folder for folder in (out / "runs").glob("*") if _ID.fullmatch(folder.name) and folder.is_dir())


def find_record(folder: Path) -> Path | None:
    """The file in a run's folder that says what the run is; None for one that was begun by an older version, and where
    nobody but another user may look.
    """
    return next((file for name in ("run.json", BEGUN) if os.path.isfile(file := folder / name)), None)


def load_own_runs(out: Path, benchmark: str = "") -> Iterator[Run]:
    """Every run that has a folder below `out` which says what it is, or those of a benchmark, finished or not. What
    cannot be believed is left out with a `RefusedWarning`.
    """
    for record in filter(None, map(find_record, list_folders(out))):
        try:
            run = load_run(record, out)
        except ResultError as error:
            refuse(error)
            continue
        if not benchmark or run.result.benchmark.name == benchmark:
            yield run


def find_runs(
    named: str, out: Path, benchmark: str = "", load: Callable[[Path, str], Sequence[Run]] = load_runs
) -> list[Run]:
    """The runs that are called so, below `out`: those with a result, or else those with a folder only. Raises
    `ResultError` if there are none. Whoever asks for several gives a `load_runs` that reads the results once.
    """
    place = Path(named)
    if place.is_file():
        return [load_named(place, out)]
    for folder in (place, out / "runs" / named):
        if named and (record := find_record(folder)):
            return [load_run(record, out)]
    runs = load(out, benchmark)
    if found := [run for run in runs if _is_called(run, named)]:
        return found
    if found := [run for run in load_own_runs(out, benchmark) if _is_called(run, named)]:
        return found
    where = f" of {benchmark}" if benchmark else ""
    said = f"there is no run and no result file {named}{where}"
    near = did_you_mean(named, dict.fromkeys(run.name for run in runs)) if "/" in named and runs else ""
    hint = near if near.startswith("did") else f"name {_FORMS}; --out FOLDER says where it lies"
    raise ResultError(said, hint=hint)


def load_named(file: Path, out: Path) -> Run:
    """The run of a file that somebody names. Raises `ResultError` for what is none: it may be anything, and nobody is
    told to remove it.
    """
    try:
        return load_run(file, out)
    except ResultError as error:
        raise ResultError(str(error), hint=f"name {_FORMS}") from None


def find_run(named: str, out: Path, benchmark: str = "") -> Run:
    """The one run that is called so; of several rows of a method, that with the options of its preset. Raises
    `ResultError` if there is none, or if there are several.
    """
    found = choose_plain(find_runs(named, out, benchmark))
    if len(found) > 1:
        raise ResultError(f"{named} is the name of {len(found)} runs: {tell_apart(found)}", hint=NAME_ONE)
    return found[0]


def choose_plain(runs: Sequence[Run]) -> Sequence[Run]:
    """The only run with the options of its preset, if there is one; else all."""
    plain = [run for run in runs if not run.result.departures]
    return plain if len(plain) == 1 else runs


def tell_apart(runs: Sequence[Run]) -> str:
    """The ids of several runs, each with what it is."""
    return name_some([f"{run.result.run} ({_describe(run)})" for run in runs])


def _describe(run: Run) -> str:
    result = run.result
    changed = [f"{name}={result.method.options.get(name)}" for name in result.departures[:2]]
    changed += ["…"] * (len(result.departures) > 2)
    return " ".join([run.result.benchmark.name, run.name, result.method.preset or "", *changed]).replace("  ", " ")


def _is_called(run: Run, named: str) -> bool:
    result = run.result
    if named and result.run.startswith(named):
        return True
    if named.count("/") < 2:
        return False
    method, *middle, target, seed = named.split("/")
    return (
        method in (result.method.name, result.method.named_row)
        and middle in ([], [result.scenario.setting])
        and (target, seed) == (result.scenario.target, str(result.seed))
    )
