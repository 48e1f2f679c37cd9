"""What runs would do: which are finished, which go on, which cannot be made, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from statistics import fmean

from ..errors import NotRunError
from ..records import Result, results
from .runner import Job, find_published, require_resources


class State(StrEnum):
    """Where a run stands before it is asked for; `blocked`: only the user can give what it needs."""

    FINISHED = "finished"
    BEGUN = "begun"
    TO_DO = "to do"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Planned:
    """A run and its state, with the `reason` for being blocked. `seconds` is what earlier runs like it took, None if
    there were none or nothing is left to do; a begun run counts as a whole one.
    """

    job: Job
    state: State
    seconds: float | None = None
    reason: str = ""

    @property
    def left(self) -> bool:
        """Whether it would be made."""
        return self.state in (State.BEGUN, State.TO_DO)


def survey(jobs: Sequence[Job], out: Path) -> Iterator[Planned]:
    """The state of every run, read from `out/runs` and `out/leaderboards/results`. Nothing is started or written.

    Earlier runs like one are those of its method on its benchmark and setting: with its options and target if there
    are such, else with its options, else with its preset and backbone.
    """
    earlier: dict[str, list[Result]] = {}
    for job in jobs:
        name = job.benchmark.name
        if name not in earlier:
            found = results.load_all(out / "leaderboards" / "results", job.benchmark)
            earlier[name] = [result for result in found if result.finished]
        state, reason = _find_state(job, out)
        planned = Planned(job, state, reason=reason)
        yield replace(planned, seconds=_estimate(job, earlier[name])) if planned.left else planned


def _find_state(job: Job, out: Path) -> tuple[State, str]:
    folder = out / "runs" / job.id
    if (folder / "run.json").exists() or find_published(job, out):
        return State.FINISHED, ""
    try:
        require_resources(job)
    except NotRunError as error:
        return State.BLOCKED, str(error)
    return (State.BEGUN if (folder / "log.txt").exists() else State.TO_DO), ""


def _estimate(job: Job, earlier: Sequence[Result]) -> float | None:
    method = job.method
    alike = [r for r in earlier if (r.method.name, r.scenario.setting) == (method.name, job.scenario.setting)]
    row = [r for r in alike if r.method.row == method.row]
    target = [r for r in row if r.scenario.target == job.scenario.target]
    preset = [r for r in alike if (r.method.preset, r.method.backbone) == (method.preset, method.backbone)]
    chosen = target or row or preset
    return fmean(sum(phase.seconds for phase in r.phases) for r in chosen) if chosen else None
