"""Scenarios × methods × seeds: each a run in a folder of its own, resumed where it was left, scored when it is done."""

from __future__ import annotations

import logging
import shutil
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ..data import Benchmark
from ..errors import BusyError, CdnerError, ContractError, IncompleteError, NotRunError
from ..hashing import digest
from ..io import locked, meter, models
from ..plugins import Method, Observer, Registered, RunContext, held_to_contract, options
from ..records import BenchmarkFacts, MethodFacts, Result, results
from ..scoring import HEADLINE, encode, read_own, score
from ..types import Corpus, Prediction, Scenario, Sentence


@dataclass(frozen=True)
class Job:
    """One run to be made. Its `id` is the hash of everything that determines its predictions."""

    benchmark: Benchmark
    scenario: Scenario
    entry: Registered
    preset: str | None
    options: Any
    seed: int

    @cached_property
    def data(self) -> BenchmarkFacts:
        """The identity of the data."""
        fingerprint = self.benchmark.fingerprint(self.scenario, self.entry.spec.resources)
        return BenchmarkFacts(self.benchmark.name, self.benchmark.version, fingerprint)

    @cached_property
    def method(self) -> MethodFacts:
        """The identity of the method."""
        entry = self.entry
        return MethodFacts(entry.spec.name, entry.plugin, entry.version, self.preset, options.as_dict(self.options))

    @cached_property
    def id(self) -> str:
        """Sixteen hex digits."""
        s, m = self.scenario, self.method
        scenario = [s.setting, s.sources, s.target]
        method = [m.name, m.plugin, m.version, dict(m.options), self.backbone]
        return digest([self.data.name, self.data.version, self.data.data, scenario, method, self.seed])[:16]

    @cached_property
    def backbone(self) -> str | None:
        """The identity of what the option `backbone` or `model` names, if the method has one."""
        name = getattr(self.options, "backbone", None) or getattr(self.options, "model", None)
        return models.identity(name) if isinstance(name, str) else None

    def __str__(self) -> str:
        return f"{self.scenario} {self.entry.spec.name} seed {self.seed}"


@dataclass(frozen=True)
class Outcome:
    """How a job ended: finished, skipped (finished before), not-run, incomplete, failed or busy (another process has
    it).
    """

    job: Job
    status: str
    result: Result | None = None
    message: str = ""
    hint: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the user has to do something about it."""
        return self.status in (results.INCOMPLETE, "failed", "busy")

    @property
    def f1(self) -> float | None:
        """The headline score, if there is one."""
        return self.result.f1(HEADLINE) if self.result and self.result.scores else None


class JobObserver(Observer, Protocol):
    """Who watches a whole series of runs."""

    def begin(self, job: Job, number: int, total: int) -> None:
        """A job begins."""

    def end(self, outcome: Outcome) -> None:
        """It has ended."""


def plan(
    benchmark: Benchmark,
    scenarios: Sequence[Scenario],
    entries: Sequence[Registered],
    preset: str | None,
    chosen: Mapping[str, object],
    seeds: Sequence[int],
) -> list[Job]:
    """Every job of scenarios × methods × seeds. Raises `OptionError` before anything runs.

    Without a `preset`, a method gets the benchmark's own, if it has that.
    """
    resolved = []
    for entry in entries:
        own = benchmark.preset if benchmark.preset in entry.spec.presets else None
        resolved.append((entry, preset or own, entry.spec.resolve(preset or own, chosen)))
    return [
        Job(benchmark, scenario, entry, name, values, seed)
        for scenario in scenarios
        for entry, name, values in resolved
        for seed in seeds
    ]


def run(jobs: Sequence[Job], out: Path, observer: JobObserver) -> Iterator[Outcome]:
    """Run jobs one after the other; what fails is reported and the rest goes on.

    Writes `out/runs/<id>/` and `out/leaderboards/results/**`.
    """
    for number, job in enumerate(jobs, start=1):
        observer.begin(job, number, len(jobs))
        outcome = _isolated(job, out, observer)
        observer.end(outcome)
        yield outcome


def _isolated(job: Job, out: Path, observer: Observer) -> Outcome:
    folder = None
    try:
        folder = out / "runs" / job.id
        with locked(folder / "lock"):
            return _resume(job, folder, out, observer)
    except BusyError as error:
        return Outcome(job, "busy", message=str(error), hint=error.hint)
    except (Exception, SystemExit) as error:
        hint = error.hint if isinstance(error, CdnerError) else None
        if folder:
            _keep_traceback(folder, error)
            hint = hint or f"the traceback is in {folder / 'error.txt'}"
        return Outcome(job, "failed", message=_in_words(error), hint=hint)


def _in_words(error: BaseException) -> str:
    if isinstance(error, CdnerError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''}"
    return f"{type(error).__name__}: {error}"


def _keep_traceback(folder: Path, error: BaseException) -> None:
    with suppress(OSError):  # a full disk is reported all the same
        (folder / "error.txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")


def _resume(job: Job, folder: Path, out: Path, observer: Observer) -> Outcome:
    record = folder / "run.json"
    if record.exists():
        result, status = _rescored(job, folder, results.load(record)), "skipped"
    else:
        (folder / "error.txt").unlink(missing_ok=True)
        try:
            result, status = _make(job, folder, out, observer), results.FINISHED
        except (NotRunError, IncompleteError) as error:
            status = results.NOT_RUN if isinstance(error, NotRunError) else results.INCOMPLETE
            result = Result(status, job.id, job.data, job.scenario, job.method, job.seed, reason=str(error))
            publish(result, out)
            return Outcome(job, status, result, str(error), error.hint)
        results.save(result, record)
        shutil.rmtree(folder / "stages", ignore_errors=True)
    publish(result, out)
    return Outcome(job, status, result)


def _rescored(job: Job, folder: Path, result: Result) -> Result:
    """A finished run's result under today's scorer, from its predictions, if they are still there."""
    target = job.benchmark.corpus(job.scenario.target)
    predictions, _ = read_own(folder / "predictions.jsonl", target.test, target.types)
    if len(predictions) != len(target.test):
        return result
    again = replace(result, **results.scored(score(target.test, predictions, target.types)))
    if again != result:
        results.save(again, folder / "run.json")
    return again


def publish(result: Result, out: Path) -> None:
    """Put a result where leaderboards look. What has no score never replaces what has."""
    place = out / "leaderboards" / "results" / result.path
    if place.exists():
        there = results.load(place)
        if there == result or (there.finished and not result.finished):
            return
    results.save(result, place)


def _make(job: Job, folder: Path, out: Path, observer: Observer) -> Result:
    meter.reset_peak_memory()
    with _log(folder / "log.txt", job) as log:
        run = RunContext(
            seed=job.seed,
            workdir=folder,
            shared=out / "runs" / "shared",
            identity={"plugin": job.entry.plugin, "version": job.entry.version, "backbone": job.backbone},
            observer=observer,
            log=log,
        )
        with run.phase("load"):
            corpora = [visible_corpus(job, name) for name in (*job.scenario.sources, job.scenario.target)]
            sources, target = [corpus.without_test() for corpus in corpora[:-1]], corpora[-1]
            _require(job, target)
            method = job.entry.spec.load(Method)(job.options)
        gold = target.test
        done, size = read_own(folder / "predictions.jsonl", gold, target.types)
        method.fit(sources, target.without_test(), run)
        with run.phase("predict") as phase:
            predictions = done + _predict(job, method, gold[len(done) :], target, run, size)
            phase.sentences = len(gold) - len(done)
        with run.phase("score"):
            scores = score(gold, predictions, target.types)
        log.info("%s %.2f", HEADLINE, scores.counts().f1)
    return Result(
        results.FINISHED,
        job.id,
        job.data,
        job.scenario,
        job.method,
        job.seed,
        model=run.model,
        phases=run.phases,
        usage=run.usage,
        device=meter.device_name(),
        peak_memory=meter.peak_memory(),
        provenance=results.provenance(),
        **results.scored(scores),
    )


def visible_corpus(job: Job, name: str) -> Corpus:
    """A domain with the resources that the method's spec names: the run's id covers those and no others."""
    corpus = job.benchmark.corpus(name)
    named = {key: path for key, path in corpus.resources.items() if key in job.entry.spec.resources}
    return replace(corpus, resources=named)


def _require(job: Job, target: Corpus) -> None:
    for resource in job.entry.spec.resources:
        named = getattr(job.options, resource, None)
        if resource not in target.resources and not isinstance(named, Path):
            file = job.benchmark.domain(target.name).resources.get(resource)
            where = (
                f"it belongs at {file.location}"
                if file
                else f"declare it as domains.{target.name}.resources.{resource}"
            )
            raise NotRunError(
                f"{job.entry.spec.name} needs the {resource} corpus of {target.name}: {where}",
                hint="type: cdner-bench data fetch" if file else None,
            )


def _predict(
    job: Job, method: Method, sentences: Sequence[Sentence], target: Corpus, run: RunContext, size: int
) -> list[Prediction]:
    """Predict the rest, writing each prediction as it comes behind the first `size` bytes of the file."""
    made: list[Prediction] = []
    with (run.workdir / "predictions.jsonl").open("ab") as stream:
        stream.truncate(size)
        if not sentences:
            return made
        answers = method.predict([s.unlabeled() for s in sentences], run)
        try:
            for prediction in held_to_contract(answers, sentences, target.types, job.entry):
                stream.write(encode(prediction).encode("utf-8") + b"\n")
                stream.flush()
                made.append(prediction)
                run.progress(len(made), len(sentences))
        except ContractError:
            stream.truncate(0)  # nothing that a method says is kept once it broke the contract
            raise
    return made


@contextmanager
def _log(path: Path, job: Job) -> Iterator[logging.Logger]:
    logger = logging.getLogger(f"cdner_bench.run.{job.id}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    try:
        logger.info("%s", job)
        yield logger
    finally:
        logger.removeHandler(handler)
        handler.close()
