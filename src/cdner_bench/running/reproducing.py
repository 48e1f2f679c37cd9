"""A finished run made again from its record, and what it says now held against what it said then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data import Benchmark
from ..plugins import Registry, options
from ..records import Result
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


def restore(result: Result, benchmark: Benchmark, registry: Registry, chosen: Mapping[str, object]) -> Job:
    """The job that a result is of; files that its options named are to be `chosen` anew. Raises `OptionError`."""
    (scenario,) = benchmark.list_scenarios(result.scenario.setting, [result.scenario.target])
    entry, method = registry.get(result.method.name), result.method
    values = entry.spec.resolve(None, {**method.options, **chosen})
    return Job(benchmark, scenario, entry, method.preset, options.settle(values), result.seed)


def reproduce(job: Job, before: Result, said: Path, out: Path, observer: JobObserver) -> Reproduced:
    """Make a job again below `out`, where it was not made yet, and compare it with a result and its predictions."""
    (outcome,) = run([job], out, observer)
    target = job.benchmark.corpus(job.scenario.target)
    if outcome.result is None or outcome.f1 is None:
        return Reproduced(outcome, 0, len(target.test), list(_list_changes(job, before)))
    then = read_kept(said, target.test, target.types)
    now = read_kept(out / "runs" / job.id / "predictions.jsonl", target.test, target.types)
    same = sum((a.entities, a.rejected) == (b.entities, b.rejected) for a, b in zip(then, now, strict=True))
    differences = [*_list_changes(job, before), *_compare(_describe(before), _describe(outcome.result))]
    return Reproduced(outcome, same, len(then), differences)


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
