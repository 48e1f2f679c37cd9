"""A finished run made again from its record: what it says now held against what it said then, its seconds anew."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..data import Benchmark
from ..errors import ResultError
from ..io import Phase, meter
from ..plugins import Registry, options
from ..records import Result, Run, describe_provenance, results
from ..scoring import read_kept
from .runner import Job, JobObserver, Outcome, run


@dataclass(frozen=True)
class Reproduced:
    """How the run ended, for how many of its test sentences it says what it said, and what is not as it was then."""

    outcome: Outcome
    same: int
    sentences: int
    differences: Sequence[str]

    @property
    def exact(self) -> bool:
        """Whether every prediction is the same."""
        return self.outcome.f1 is not None and self.same == self.sentences

    @property
    def phases(self) -> Sequence[Phase]:
        """What it took."""
        return self.outcome.result.phases if self.outcome.result else ()


@dataclass(frozen=True)
class Timed:
    """A run whose seconds were to be taken anew, as it was and as it was made again; and why they were not taken, or
    "".
    """

    run: Run
    made: Reproduced
    refusal: str = ""


def restore(result: Result, benchmark: Benchmark, registry: Registry, chosen: Mapping[str, object]) -> Job:
    """The job that a result is of; files that its options named are to be `chosen` anew. Raises `OptionError`."""
    (scenario,) = benchmark.list_scenarios(result.scenario.setting, [result.scenario.target])
    entry, method = registry.get(result.method.name), result.method
    values = entry.spec.resolve(None, {**method.options, **chosen})
    return Job(benchmark, scenario, entry, method.preset, options.settle(values), result.seed)


def reproduce(job: Job, before: Result, said: Path, out: Path, observer: JobObserver) -> Reproduced:
    """Make a job again below `out`, where it was not made yet, and compare it with a result and its predictions."""
    (outcome,) = run([job], out, observer)
    return compare(job, outcome, before, said, out)


def compare(job: Job, outcome: Outcome, before: Result, said: Path, out: Path) -> Reproduced:
    """Hold a job that was made again below `out` against the result and the predictions that there were."""
    target = job.benchmark.corpus(job.scenario.target)
    if outcome.result is None or outcome.f1 is None:
        return Reproduced(outcome, 0, len(target.test), list(_list_changes(job, before)))
    then = read_kept(said, target.test, target.types)
    now = read_kept(out / "runs" / job.id / "predictions.jsonl", target.test, target.types)
    same = sum((a.entities, a.rejected) == (b.entities, b.rejected) for a, b in zip(then, now, strict=True))
    differences = [*_list_changes(job, before), *_compare(_describe(before), _describe(outcome.result))]
    return Reproduced(outcome, same, len(then), differences)


def has_quiet_seconds(result: Result) -> bool:
    """Whether a run's seconds, as far as boards show them, stand for its method alone."""
    return not _list_disturbed(result)


def require_made(found: Run) -> None:
    """Raises `ResultError` for a run that was not finished, whose predictions are not here, or that nobody made here:
    somebody brought its predictions.
    """
    if found.result.predictions_only:
        raise ResultError(f"{found.name} was not made here: somebody brought its predictions", hint="leave it out")
    _ = found.predictions


def require_timing(job: Job, before: Result) -> None:
    """Raises `ResultError` if the seconds of a result cannot be taken anew here: it would be another run, the machine
    is another, or they are those of somebody else's server.
    """
    name = f"{job.scenario} {before.method.name} seed {before.seed}"
    if changes := list(_list_changes(job, before)):
        raise ResultError(
            f"{name} would be another run today: {'; '.join(changes)}",
            hint="a file or folder that its options name is given again by -o; else make the run anew: cdner-bench run",
        )
    if before.usage and not before.usage.own:
        raise ResultError(f"the seconds of {name} are those of {before.usage.server}", hint="leave it out")
    here = meter.name_device()
    if before.device.endswith(" cores") and before.device != here:  # a GPU is only known when it was used
        raise ResultError(f"{name} was made on {before.device}; this is {here}", hint="type it on the machine of then")


def require_quiet() -> None:
    """Raises `ResultError` if other processes keep the machine busy, as far as a second tells."""
    look = Phase("look")
    with meter.time_phase(look):
        time.sleep(1)
    if not look.quiet:
        raise ResultError(
            f"other processes keep {look.others:.1f} cores busy: seconds would not be the method's alone",
            hint="end them, or type the same command when they have ended",
        )


def time_again(found: Sequence[Run], jobs: Sequence[Job], out: Path, observer: JobObserver) -> Iterator[Timed]:
    """Make the jobs of finished runs again below a folder that goes again, one after the other, and write their seconds
    into every record of the run below `out`: that on the boards, and that in its folder. What goes wrong with one is
    said of it, and the rest goes on.
    """
    with TemporaryDirectory() as folder:
        again = Path(folder)
        for there, outcome in zip(found, run(jobs, again, observer), strict=True):
            made = compare(outcome.job, outcome, there.result, there.predictions, again)
            if why := _find_refusal(made, there.result):
                yield Timed(there, made, why)
                continue
            said = describe_provenance()
            timed = {**{name: said[name] for name in ("created", "commit", "dirty", "platform")}, "same": made.same}
            board = out / "leaderboards" / "results" / there.result.path
            for place in dict.fromkeys([there.file, board, there.folder / "run.json"]):
                if place.is_file() and (record := results.load(place)).run == there.result.run:
                    provenance = {**record.provenance, "timed": timed}
                    results.save(replace(record, phases=made.phases, provenance=provenance), place)
            yield Timed(there, made)


def _find_refusal(made: Reproduced, before: Result) -> str:
    """Why the seconds of a run that was made again are none of the run before; "" if they are."""
    again = made.outcome.result
    if again is None or not again.finished:
        return made.outcome.message or "it was not finished"
    for what, then, now in (
        ("device", before.device, again.device),
        ("precision", before.model.precision, again.model.precision),
    ):
        if then != now:
            return f"its {what} was {then or 'none'}, and is {now or 'none'} here"
    if disturbed := _list_disturbed(again):
        busiest = max(disturbed, key=lambda phase: phase.others or 0)
        return f"others kept {busiest.others:.1f} cores busy in {busiest.name}"
    return ""


def _list_disturbed(result: Result) -> list[Phase]:
    """The phases of a run, but for the harness's own, in which other processes kept the machine busy."""
    return [phase for phase in result.phases if phase.name not in ("load", "score") and not phase.quiet]


def _list_changes(job: Job, before: Result) -> Iterator[str]:
    """Why it is another run, if it is."""
    if job.id != before.run:
        facts = {
            "version": (before.benchmark.version, job.data.version),
            "data": (before.benchmark.data[:8], job.data.data[:8]),
            "sources": (before.scenario.sources, job.scenario.sources),
            "revision": (before.method.revision, job.method.revision),
            **{name: (before.method.options.get(name), value) for name, value in job.method.options.items()},
        }
        changed = [text for name, (old, new) in facts.items() for text in _compare({name: old}, {name: new})]
        yield from changed or ["the content of the backbone"]


def _describe(result: Result) -> dict[str, Any]:
    """Where and how a run was made."""
    said = result.provenance
    return {
        "precision": result.model.precision,
        "device": result.device,
        "platform": said.get("platform"),
        "python": said.get("python"),
        "code": said.get("plugin", {}).get("code"),
        **said.get("packages", {}),
    }


def _compare(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*then, *now]):
        old, new = ("none" if values.get(name) in (None, "") else values[name] for values in (then, now))
        if old != new:
            yield f"{name}: then {old}, now {new}"
