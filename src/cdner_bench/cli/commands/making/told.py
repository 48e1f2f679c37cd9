"""What `run` says before and after the runs: what is to be known, where everything lies, and what to type next."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ....errors import CdnerError, RefusedWarning, count
from ...common import name_out, tell_command

if TYPE_CHECKING:
    from ....data import Benchmark
    from ....running import Job, Outcome, executing


def name_benchmark(data: Benchmark) -> list[str] | None:
    """What to type for a benchmark where boards are shown: nothing for a shipped one; None for that of a folder, which
    no other command reads.
    """
    from ....data import benchmark

    shipped = benchmark.list_shipped()
    if data.given in shipped:
        return []
    whole = data.given.removesuffix(f"-limit{data.limit}")
    return ["--benchmark", data.given] if whole in shipped or whole.endswith(".toml") else None


def tell_before(data: Benchmark, jobs: Sequence[Job], out: Path, crew: executing.Crew) -> None:
    """What is to be known of the data, who makes the runs, and how long they may take; nothing of those that are
    finished.
    """
    from ....data import audit
    from ....running import survey

    if data.remark:
        print(data.remark, flush=True)
    for remark in audit.describe_own(data, dict.fromkeys(job.scenario.target for job in jobs)):
        print(f"note: {remark}", flush=True)
    if crew.words:
        print(crew.words, flush=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RefusedWarning)  # the board says which
            left = [planned for planned in survey(jobs, out) if planned.left]
    except (CdnerError, OSError):
        return  # it is said of each run that it is in the way of
    known = [planned.seconds for planned in left if planned.seconds is not None]
    some = "" if len(known) == len(left) else f" for {len(known)} of {len(left)} runs; the others are like none"
    if known:
        print(
            f"about {tell_duration(sum(known) / len(crew.workers))}, as earlier runs like these took{some}", flush=True
        )
    elif left:
        print("no run like these was made yet: how long is not known", flush=True)


def tell_duration(seconds: float) -> str:
    """A time as one says it: in the unit of which it has a few."""
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        number = max(round(seconds / size), 1)
        if seconds >= 2 * size or unit == "second":
            break
    return count(number, unit)


def tell_after(data: Benchmark, jobs: Sequence[Job], outcomes: Sequence[Outcome], out: Path) -> None:
    """The boards, what there is to mend, where everything lies, and what to type next."""
    from ....running import Ending
    from ..leaderboard import print_boards

    print_boards(data, out, dict.fromkeys(job.scenario.setting for job in jobs))
    if doubtful := sum(bool(outcome.doubts) for outcome in outcomes):
        print(f"{doubtful} of {len(jobs)} runs have a score to be doubted, for the reason that stands by it")
    if busy := sum(outcome.status is Ending.BUSY for outcome in outcomes):
        print(f"{busy} of {len(jobs)} runs are being made by another process; type the same command when it has ended")
    if failed := sum(outcome.failed for outcome in outcomes):
        print(f"{failed} of {len(jobs)} runs failed; type the same command to try them again")
    _tell_next(data, outcomes, out)


def _tell_next(data: Benchmark, outcomes: Sequence[Outcome], out: Path) -> None:
    """Where results and predictions lie, and the commands that read them."""
    from ....records import locate_predictions

    boards = out / "leaderboards"
    finished = [outcome.result for outcome in outcomes if outcome.result and outcome.result.finished]
    files = {
        "results": [boards / "results" / result.path for result in finished],
        "predictions": [path for result in finished if (path := locate_predictions(boards, result)).exists()],
    }
    if told := [f"{what} in {_name_place(paths)}" for what, paths in files.items() if paths]:
        print(", ".join(told))
    named = name_benchmark(data)
    if finished and named is not None:
        tell_command("leaderboard", *named, out=out)
    if files["predictions"] and named is not None:
        tell_command("score", str(files["predictions"][0]), "--benchmark", data.given)
    elif files["predictions"] and not data.limit:
        gold = data.domain(finished[0].scenario.target).splits["test"].location
        tell_command("score", str(files["predictions"][0]), "--gold", str(gold))


def tell_models(outcomes: Sequence[Outcome], out: Path) -> None:
    """Which models were kept, what they take, and the command that uses one; how to have one that was not kept though
    it was to be.
    """
    from ....io import measure
    from ....plugins import Method
    from ....records import MODEL
    from ....running import Ending, kept_models

    finished = [outcome for outcome in outcomes if outcome.result and outcome.result.finished]
    places = {o.job.id: out / "runs" / o.job.id / MODEL for o in finished}
    kept = {run: place for run, place in places.items() if (place / kept_models.CARD).is_file()}
    if kept:
        size = kept_models.show_size(sum(map(measure, kept.values())))
        print(f"{'models' if len(kept) > 1 else 'model'} kept in {_name_place(list(kept.values()))} ({size})")
        job = next(o.job for o in finished if o.job.id in kept)
        tell_command("predict", job.id, "FILE", *name_out(out), *job.entry.list_words())
    asked = [o.job for o in finished if o.status is Ending.SKIPPED and o.job.room == kept_models.UNBOUNDED]
    if lacking := [job for job in asked if job.id not in kept and not job.entry.spec.load(Method).find_missing()]:
        print(f"{len(lacking)} of {len(outcomes)} runs were finished before without their models; to have one:")
        named = ["--benchmark", lacking[0].benchmark.given, *name_out(out), *lacking[0].entry.list_words()]
        tell_command("reproduce", lacking[0].id, "--again", "DIR", "--keep-model", *named)


def _name_place(paths: Sequence[Path]) -> str:
    return str(paths[0] if len(paths) == 1 else f"{os.path.commonpath([path.parent for path in paths])}/")
