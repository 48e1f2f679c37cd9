"""What runs would do: which are finished, which go on, which cannot be made, and what the rest may take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from statistics import fmean

from ..errors import NotRunError
from ..plugins import read_stages
from ..records import Result, results
from .runner import Job, find_published, require_resources

Sources = tuple[str, str, str, tuple[str, ...], int]


class State(StrEnum):
    """Where a run stands before it is asked for; `blocked`: only the user can give what it needs."""

    FINISHED = "finished"
    BEGUN = "to go on"
    TO_DO = "to do"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Planned:
    """A run and its state, with the `reason` for being blocked, and the shared `stages` that it is known to use.

    `seconds` is what earlier runs like it took, None if there were none or nothing is left to do, and so are the
    `tokens` that they read and wrote, their `cost` in dollars, and whether they ran `on_gpu`; a begun run counts as a
    whole one.
    """

    job: Job
    state: State
    seconds: float | None = None
    reason: str = ""
    stages: frozenset[str] = frozenset()
    tokens: float = 0.0
    cost: float = 0.0
    on_gpu: bool = False

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
    alike: dict[Sources, list[str]] = {}
    for job in jobs:
        name = job.benchmark.name
        if name not in earlier:
            found = results.load_all(out / "leaderboards" / "results", job.benchmark)
            earlier[name] = [result for result in found if result.finished]
            for result in earlier[name]:
                alike.setdefault(_find_sources(result), []).append(result.run)
        state, reason = _find_state(job, out)
        planned = Planned(
            job, state, reason=reason, stages=_find_stages([job.id, *alike.get(_find_sources(job), ())], out)
        )
        yield _estimate(planned, earlier[name]) if planned.left else planned


def _find_state(job: Job, out: Path) -> tuple[State, str]:
    folder = out / "runs" / job.id
    if (folder / "run.json").exists() or find_published(job, out):
        return State.FINISHED, ""
    try:
        require_resources(job)
    except NotRunError as error:
        return State.BLOCKED, str(error)
    return (State.BEGUN if (folder / "log.txt").exists() else State.TO_DO), ""


def _find_sources(run: Job | Result) -> Sources:
    """What runs have in common that may share stages."""
    name = run.data.name if isinstance(run, Job) else run.benchmark.name
    return name, run.method.name, run.method.row, run.scenario.sources, run.seed


def _find_stages(runs: Sequence[str], out: Path) -> frozenset[str]:
    """The shared stages that the first of several runs has used that says so."""
    for run in runs:
        with suppress(OSError):
            if stages := read_stages(out / "runs" / run):
                return frozenset(stages)
    return frozenset()


def _estimate(planned: Planned, earlier: Sequence[Result]) -> Planned:
    job, method = planned.job, planned.job.method
    alike = [r for r in earlier if (r.method.name, r.scenario.setting) == (method.name, job.scenario.setting)]
    row = [r for r in alike if r.method.row == method.row]
    target = [r for r in row if r.scenario.target == job.scenario.target]
    preset = [r for r in alike if (r.method.preset, r.method.backbone) == (method.preset, method.backbone)]
    chosen = target or row or preset
    if not chosen:
        return planned
    asked = [r.usage for r in chosen if r.usage]
    return replace(
        planned,
        seconds=fmean(sum(phase.seconds for phase in r.phases if not phase.reused) for r in chosen),
        tokens=sum(usage.read + usage.written for usage in asked) / len(chosen),
        cost=sum(usage.cost or 0.0 for usage in asked) / len(chosen),
        on_gpu=not any(r.device.endswith(" cores") for r in chosen),
    )
