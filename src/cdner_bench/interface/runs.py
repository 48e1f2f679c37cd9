"""Runs from Python: the jobs that `cdner-bench run` makes, made as it makes them, and what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from .. import plugins
from ..data import Benchmark
from ..data import benchmark as benchmarks
from ..errors import CdnerError
from ..plugins import Unwatched
from ..records import Result
from ..running import Job, JobObserver, Outcome, Workers, kept_models, runner
from ..scoring import HEADLINE, Counts, total
from .tables import tabulate

if TYPE_CHECKING:
    from pandas import DataFrame

Names = str | Path | Iterable[str | Path]
"""One name or file, or several."""


@dataclass(frozen=True, repr=False)
class Runs:
    """The finished runs of one `run`, a `Result` for each target and seed. Scores are `span-f1`, in percent."""

    results: tuple[Result, ...]

    def __repr__(self) -> str:
        rows = [f"{r.scenario} {r.method.name} seed {r.seed}: F1 {r.f1(HEADLINE):.2f}" for r in self.results]
        return "\n".join([*rows, f"average: F1 {self.f1:.2f}"] if len(rows) > 1 else rows)

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    @property
    def f1(self) -> float:
        """The mean over the targets, over seeds."""
        return fmean(self.per_target.values())

    @property
    def per_target(self) -> dict[str, float]:
        """F1 of each target, over seeds."""
        return self._average(HEADLINE)

    @property
    def per_type(self) -> dict[str, Counts]:
        """What was right, wrong and missed of each type, in all runs together."""
        names = dict.fromkeys(name for r in self.results for name in r.scores[HEADLINE])
        return {name: total(r.scores[HEADLINE].get(name, Counts()) for r in self.results) for name in names}

    @property
    def protocols(self) -> dict[str, float]:
        """The average under each protocol that all runs were scored with."""
        common = [name for name in self.results[0].scores if all(name in r.scores for r in self.results)]
        return {name: fmean(self._average(name).values()) for name in common}

    def to_frame(self) -> DataFrame:
        """These runs as a table with the columns of `load_results`."""
        return tabulate(self.results)

    def _average(self, protocol: str) -> dict[str, float]:
        values: dict[str, list[float]] = {}
        for result in self.results:
            values.setdefault(result.scenario.target, []).append(result.f1(protocol) or 0.0)
        return {target: fmean(found) for target, found in values.items()}


def load_benchmark(name: str | Path | None = None) -> Benchmark:
    """A shipped benchmark by its name, or one's own by the path of its TOML file; without a name the one that the
    command line would take. `.corpus(domain)` has the sentences, `.settings` what can be run. Raises `CdnerError`.
    """
    return benchmarks.choose_default()[0] if name is None else benchmarks.load(str(name))


def run(  # noqa: PLR0913
    method: str,
    *,
    setting: str,
    target: Names = (),
    benchmark: Benchmark | str | Path | None = None,
    preset: str | None = None,
    seed: int | Iterable[int] = 0,
    options: Mapping[str, object] | None = None,
    out: Path | str = ".",
    plugin: Names = (),
    keep_model: bool | None = None,
    observer: JobObserver | None = None,
) -> Runs:
    """Run a method on the targets of a setting, all if none is named, as `cdner-bench run` does: what is finished below
    `out` is taken from there. Nothing is printed; an `observer` is told how far it is. `plugin` names files of methods
    that are not installed, `options` are those of `-o`.

    Raises `CdnerError` for what cannot be run, and, when all are done, for runs that were not finished: why the first
    was not. Where an event loop turns, as in a notebook, and of methods with an environment
    of their own, runs are made in another process.
    """
    data = benchmark if isinstance(benchmark, Benchmark) else load_benchmark(benchmark)
    files = [Path(name) for name in _list(plugin)]
    entry = plugins.discover(files).get(method)
    scenarios = data.list_scenarios(setting, [str(name) for name in _list(target)])
    seeds = [seed] if isinstance(seed, int) else list(seed)
    jobs = kept_models.give_room(runner.plan(data, scenarios, [entry], preset, options or {}, seeds), keep_model)
    with Workers(files) as workers:
        make = workers.make if entry.environment or _is_in_loop() else None
        outcomes = list(runner.run(jobs, Path(out), observer or _Nobody(), make))
    return Runs(tuple(_take_result(outcome, outcomes) for outcome in outcomes))


class _Nobody(Unwatched):
    """An observer of runs that shows nothing."""

    def begin(self, job: Job, number: int, total: int) -> None:
        """Nothing is shown of a beginning."""

    def end(self, outcome: Outcome) -> None:
        """Nothing is shown of an end."""


def _list(names: Names) -> list[str | Path]:
    return list(dict.fromkeys([names] if isinstance(names, str | Path) else names))


def _is_in_loop() -> bool:
    with suppress(RuntimeError):
        return bool(asyncio.get_running_loop())
    return False


def _take_result(outcome: Outcome, outcomes: list[Outcome]) -> Result:
    if outcome.result is None or not outcome.result.finished:
        lacking = sum(other.f1 is None for other in outcomes)
        said = f"{lacking} of {len(outcomes)} runs are not finished: {outcome.job}: {outcome.status}: {outcome.message}"
        raise CdnerError(said, hint=outcome.hint)
    return outcome.result
