"""Scenarios × methods × seeds: each a run in a folder of its own, resumed where it was left, scored when it is done."""

from __future__ import annotations

import logging
import os
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ..data import SPLITS, Benchmark, audit
from ..errors import (
    AwaitedError,
    BusyError,
    ContractError,
    IncompleteError,
    NotRunError,
    OptionError,
    PlaceError,
    PluginError,
    ResultError,
    describe_refusal,
    find_hint,
    in_words,
)
from ..foreign import redact
from ..hashing import digest
from ..io import NO_ROOM, contained, fence, hash_content, is_own, lock, meter, models, sweep, write_atomic, writing
from ..knowledge import CorpusName
from ..plugins import SHARED_STAGES, Method, Observer, Registered, RunContext, held_to_contract, lend, options
from ..records import (
    BEGUN,
    CURVE,
    UNFINISHED,
    BenchmarkFacts,
    Comparable,
    MethodFacts,
    Result,
    Status,
    describe_comparable,
    describe_provenance,
    encode_curve,
    keep_predictions,
    locate_curve,
    locate_predictions,
    results,
)
from ..scoring import HEADLINE, encode, read_own
from ..types import HIGHEST_SEED, Corpus, Doubt, Given, Prediction, Scenario, Sentence
from . import kept_models
from .adoption import OlderRuns, is_of, load_own
from .rescoring import find_departures, score_again
from .standing import telling

ELSEWHERE = "name another folder: --out FOLDER"
APART = "have the run made in a process of its own: leave out --no-isolate"


@dataclass(frozen=True)
class Job:
    """One run to be made. Its `id` is the hash of everything that determines its predictions. `room` is how many bytes
    its model may have to be kept, and a `patient` one waits for stages that others build; both are no part of that.
    """

    benchmark: Benchmark
    scenario: Scenario
    entry: Registered
    preset: str | None
    options: Any
    seed: int
    room: int = 0
    patient: bool = True

    @cached_property
    def data(self) -> BenchmarkFacts:
        """The identity of the data."""
        fingerprint = self.benchmark.fingerprint(self.scenario, self.resources)
        return BenchmarkFacts(self.benchmark.name, self.benchmark.version, fingerprint)

    @cached_property
    def method(self) -> MethodFacts:
        """The identity of the method."""
        return MethodFacts(
            self.entry.spec.name,
            self.entry.revision,
            self.preset,
            options.as_dict(self.options),
            options.with_role(self.options, options.backbone),
            options.names_with_role(self.options, options.chooses_knowledge),
        )

    @cached_property
    def departures(self) -> tuple[str, ...]:
        """The options that are not what the preset says, or, without a preset, not the defaults."""
        return find_departures(self.entry, self.method)

    @cached_property
    def given(self) -> tuple[Given, ...] | None:
        """What the method may learn from with these options; None if it does not say."""
        return self.entry.spec.list_given(self.method.options)

    @cached_property
    def resources(self) -> tuple[str, ...]:
        """The files about the target that the method needs, and sees, with these options."""
        return self.entry.spec.list_resources(options.as_dict(self.options))

    @cached_property
    def comparable(self) -> Comparable:
        """What it shares with the runs that it may be ranked with."""
        return describe_comparable(self.benchmark, self.scenario)

    @cached_property
    def id(self) -> str:
        """Sixteen hex digits: the hash of data, scenario, method with its revision and options, models and seed."""
        s, m = self.scenario, self.method
        scenario = [s.setting, s.sources, s.target]
        content = digest(self._models) if len(self._models) > 1 else self.backbone
        method = [m.name, m.revision, dict(m.options), content]
        return digest([self.data.name, self.data.version, self.data.data, scenario, method, self.seed])[:16]

    @cached_property
    def backbone(self) -> str | None:
        """The identity of the model that the options name, of the first if they name several."""
        return next(iter(self._models), None)

    @cached_property
    def _models(self) -> list[str]:
        return [models.identify(name) for name in options.all_with_role(self.options, options.backbone)]

    def __str__(self) -> str:
        return f"{self.scenario} {self.entry.spec.name} seed {self.seed}"


class Ending(StrEnum):
    """How a job ended: finished; skipped, because it was finished before; not run, for want of what only the user can
    give; incomplete, with answers missing; failed; busy, because another process works on it.
    """

    FINISHED = Status.FINISHED
    SKIPPED = "skipped"
    NOT_RUN = Status.NOT_RUN
    INCOMPLETE = Status.INCOMPLETE
    FAILED = "failed"
    BUSY = "busy"


@dataclass(frozen=True)
class Outcome:
    """How a job ended, what it left, and what the user should know of it. A busy one may say what stage it `awaits`."""

    job: Job
    status: Ending
    result: Result | None = None
    message: str = ""
    hint: str | None = None
    awaits: Path | None = None

    @property
    def failed(self) -> bool:
        """Whether the user has to do something about it."""
        return self.status in (Ending.INCOMPLETE, Ending.FAILED)

    @property
    def doubts(self) -> Sequence[Doubt]:
        """Why the score may say nothing about the method."""
        return self.result.doubts if self.result else ()

    @property
    def f1(self) -> float | None:
        """The headline score, if there is one."""
        return self.result.f1(HEADLINE) if self.result and self.result.scores else None


class JobObserver(Observer, Protocol):
    """Who watches a whole series of runs."""

    def begin(self, job: Job, number: int, total: int) -> None:
        """Tell the observer that a job begins, and which of how many it is."""

    def end(self, outcome: Outcome) -> None:
        """Tell the observer how the job ended."""


def plan(
    benchmark: Benchmark,
    scenarios: Sequence[Scenario],
    entries: Sequence[Registered],
    preset: str | None,
    chosen: Mapping[str, object],
    seeds: Sequence[int],
) -> list[Job]:
    """Every job of scenarios × methods × seeds. Raises `OptionError` before anything runs.

    Without a `preset`, a method gets the benchmark's own, if it has that. What is `chosen` goes to those that have it.
    """
    if wrong := [seed for seed in seeds if not 0 <= seed <= HIGHEST_SEED]:
        raise OptionError(f"{wrong[0]} is no seed", hint=f"a seed is a number from 0 to {HIGHEST_SEED}")
    resolved = []
    dealt = options.deal(chosen, {entry.spec.name: entry.spec.load(Method).Options for entry in entries})
    for entry in entries:
        own = benchmark.preset if benchmark.preset in entry.spec.presets else None
        resolved.append(
            (entry, preset or own, options.settle(entry.spec.resolve(preset or own, dealt[entry.spec.name])))
        )
    for scenario in scenarios:
        if benchmark.setting(scenario.setting).shots:
            benchmark.draw(scenario, 0)  # are there so many labels?
    return [
        Job(benchmark, scenario, entry, name, values, seed)
        for scenario in scenarios
        for entry, name, values in resolved
        for seed in seeds
    ]


Make = Callable[[Job, Path, Observer], Outcome]
"""What makes a run that is not finished, in a folder that is absolute."""


def run(jobs: Sequence[Job], out: Path, observer: JobObserver, elsewhere: Make | None = None) -> Iterator[Outcome]:
    """Run jobs one after the other; what fails is reported and the rest goes on. What is not finished yet is made here,
    or `elsewhere`.

    Writes `out/runs/<id>/` and `out/leaderboards/results/**`.
    """
    series = Series(out)
    for number, job in enumerate(jobs, start=1):
        observer.begin(job, number, len(jobs))
        outcome = series.attempt(job, observer, elsewhere)
        observer.end(outcome)
        yield outcome


class Series:
    """Runs that are made below one folder, one after the other or beside one another."""

    def __init__(self, out: Path) -> None:
        self.out = out.absolute()  # whatever folder a method goes to
        for place in ("runs", "leaderboards"):
            sweep(self.out / place)
        self._older = OlderRuns(self.out / "runs")
        self._begun = set(os.listdir(self.out / "runs")) if os.path.isdir(self.out / "runs") else set()

    def attempt(self, job: Job, observer: Observer, elsewhere: Make | None = None) -> Outcome:
        """As `attempt`, and what is not finished is made here, or `elsewhere`."""
        return _try(job, self.out, observer, self._older, self._begun, elsewhere)


def attempt(job: Job, out: Path, observer: Observer) -> Outcome:
    """Make one run, or go on with it, and say how it ended. Raises `PlaceError` if nothing can be kept in its folder,
    and `KeyboardInterrupt` if it is stopped.
    """
    return _try(job, out, observer, OlderRuns(out / "runs"), None, None)


def _try(
    job: Job, out: Path, observer: Observer, older: OlderRuns, begun: set[str] | None, elsewhere: Make | None
) -> Outcome:
    """`begun` are the runs whose folders were there before any method of this series ran; None if that is not known."""
    folder = None
    try:
        folder = out / "runs" / job.id
        if not os.path.exists(folder / "run.json") and (published := find_published(job, out)):
            said = ("on the board already, --out FOLDER makes it again elsewhere", _tell_code(job, published))
            return Outcome(job, Ending.SKIPPED, published, "; ".join(filter(None, said)))
        with _claim(folder):
            if begun is not None and folder.name not in begun and not (folder / "log.txt").exists():
                _clear(folder)
            if (folder / "run.json").exists() or older.adopt(job, folder):
                return _skip(job, folder, out)
            apart = job.entry.environment
            if elsewhere is None or (apart and not apart.is_made):
                return _make_and_keep(job, folder, out, observer)
        return elsewhere(job, out, observer)
    except BusyError as error:
        stage = error.stage if isinstance(error, AwaitedError) else None
        return Outcome(job, Ending.BUSY, message=str(error), hint=error.hint, awaits=stage)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and is_own(error):
            raise
        if isinstance(error, PlaceError) and error.folder == folder:
            raise  # nor could any other run be kept
        return describe_failure(job, folder, error)


def describe_failure(job: Job, folder: Path | None, error: BaseException) -> Outcome:
    """The outcome of a run that an error ended. Its traceback is kept in the run's folder, if it has one."""
    kept = keep_words(folder, _format_traceback(error)) if folder else None
    if isinstance(error, OSError) and error.errno in NO_ROOM and folder:
        error = PlaceError(folder, describe_refusal(error), hint=f"make room there, or {ELSEWHERE}")
    hint = find_hint(error) or (f"the traceback is in {kept}" if kept else None)
    return Outcome(job, Ending.FAILED, message=in_words(error), hint=hint)


def _clear(folder: Path) -> None:
    """Empty the folder of a run that nobody has begun: what another method has put there is not its own."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif not path.name.startswith("lock"):
            path.unlink()


@contextmanager
def _claim(folder: Path) -> Iterator[None]:
    """Hold a run's folder, which is made if need be. Raises `BusyError` if another process does, `PlaceError` if
    nothing can be written there.
    """
    with ExitStack() as held:
        with writing(folder, ELSEWHERE):
            held.enter_context(lock(folder / "lock"))
        yield


def _format_traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except BaseException:  # the exception cannot be told
        return "".join([*traceback.format_tb(error.__traceback__), type(error).__name__])


def keep_words(folder: Path, text: str) -> Path | None:
    """The file in a run's folder with what is known of its failure; None if it cannot be written, as on a full disk."""
    kept = folder / "error.txt"
    try:
        kept.write_text(redact(text), encoding="utf-8", errors="backslashreplace")
    except OSError:
        with suppress(OSError):
            kept.unlink()
        return None
    return kept


def _skip(job: Job, folder: Path, out: Path) -> Outcome:
    result = _bring_to_today(job, folder, load_own(job, folder / "run.json"))
    publish(result, folder, out)
    return Outcome(job, Ending.SKIPPED, result, _tell_code(job, result))


def _make_and_keep(job: Job, folder: Path, out: Path, observer: Observer) -> Outcome:
    (folder / "error.txt").unlink(missing_ok=True)
    (folder / SHARED_STAGES).touch()
    begun = replace(_record(job, Status.INCOMPLETE), reason=UNFINISHED)
    results.save(replace(begun, provenance=describe_provenance(job.entry.facts)), folder / BEGUN)
    try:
        result = _make(job, folder, out, observer)
    except (NotRunError, IncompleteError) as error:
        ended = Status.NOT_RUN if isinstance(error, NotRunError) else Status.INCOMPLETE
        reason = str(error).encode("utf-8", "backslashreplace").decode("utf-8")
        fence()
        result = replace(_record(job, ended), reason=reason)
        results.save(result, folder / BEGUN)
        publish(result, folder, out)
        return Outcome(job, Ending(ended), result, str(error), error.hint)
    fence()
    results.save(result, folder / "run.json")
    (folder / BEGUN).unlink(missing_ok=True)
    shutil.rmtree(folder / "stages", ignore_errors=True)
    publish(result, folder, out)
    return Outcome(job, Ending.FINISHED, result)


def _tell_code(job: Job, result: Result) -> str:
    """What is to be said of a finished run that other code of the same revision has made."""
    made_by, today = result.provenance.get("plugin", {}).get("code"), job.entry.facts.code
    if made_by in (None, today):
        return ""
    return f"made by other code of revision {job.method.revision} ({made_by}, today {today})"


def _bring_to_today(job: Job, folder: Path, result: Result) -> Result:
    """A finished run's result under today's scorer, kept if it is another."""
    named = replace(result, departures=job.departures, given=job.given)
    again = score_again(named, folder / "predictions.jsonl", job.benchmark)
    if again != result:
        results.save(again, folder / "run.json")
    return again


def find_published(job: Job, out: Path) -> Result | None:
    """The job's result where leaderboards look: its run may have been made on another machine."""
    try:
        result = results.load(out / "leaderboards" / "results" / _record(job, Status.FINISHED).path)
    except ResultError:
        return None  # there is none that could be read
    return result if result.finished and is_of(job, result) else None


def locate_result(job: Job) -> str:
    """The path of the job's result below those of a board."""
    return _record(job, Status.FINISHED).path.as_posix()


def publish(result: Result, folder: Path, out: Path) -> None:
    """Put a result where leaderboards look, and its predictions beside. What has no score never replaces what has."""
    boards = out / "leaderboards"
    place = boards / "results" / result.path
    predictions, curve = folder / "predictions.jsonl", folder / CURVE
    there = results.load(place) if place.exists() else None  # what cannot be read keeps what lies beside it
    if result.finished and predictions.exists():
        keep_predictions(predictions.read_bytes(), locate_predictions(boards, result))
    if result.finished and curve.exists():
        write_atomic(locate_curve(boards, result), curve.read_bytes())
    if there:
        if there == result or (there.finished and not result.finished):
            return
        if there.run != result.run and not curve.exists():
            locate_curve(boards, result).unlink(missing_ok=True)
    results.save(result, place)


def _make(job: Job, folder: Path, out: Path, observer: Observer) -> Result:
    plugin = job.entry.facts  # the code as it is now, whatever is edited while it runs
    own = job.benchmark.corpus(job.scenario.target)  # what is scored; the method gets copies
    place = folder / "predictions.jsonl"
    shared = out / "runs" / "shared"
    shared.mkdir(exist_ok=True)
    meter.reset_peak_memory()
    with _log(folder / "log.txt", job) as log, telling(observer, folder, str(job)) as watched:
        identity = {"class": job.entry.spec.factory, "revision": job.entry.revision, "backbone": job.backbone}
        run = RunContext.create(
            job.seed, folder, shared, identity=identity, observer=watched, log=log, patient=job.patient
        )
        with contained() as end_copies:
            with run.phase("load"):
                corpora = [visible_corpus(job, name) for name in (*job.scenario.sources, job.scenario.target)]
                sources, target = [corpus.without_test() for corpus in corpora[:-1]], corpora[-1]
                _tell_long_sentences(corpora, run)
                require_resources(job)
                if (apart := job.entry.environment) and not apart.is_here:
                    raise PluginError(f"{job.entry.spec.name} runs in an environment of its own, {apart}", hint=APART)
                method = job.entry.spec.load(Method)(deepcopy(job.options))
            done, size = read_own(place, own.test, own.types)
            method.fit(sources, target.without_test(), run)
            end_copies()
            with run.phase("predict") as phase:
                answers = _answer(job, method, own.test[len(done) :], own, run)
                _write(answers, place, size, end_copies)
                phase.sentences = len(own.test) - len(done)
        with run.phase("score"):
            predictions, _ = read_own(place, own.test, own.types)  # as they are kept, whatever became of the objects
            if len(predictions) != len(own.test):
                raise ContractError(f"{place} was changed by something else while the run went on")
            begun = replace(_record(job, Status.FINISHED), doubts=run.doubts)
            scored = results.put_scores(begun, job.benchmark, predictions)
        if run.curve:
            write_atomic(folder / CURVE, encode_curve(run.curve))
        log.info("%s %.2f", HEADLINE, scored.f1(HEADLINE))
        result = replace(
            scored,
            model=run.model,
            learnt_from=_name_knowledge(job.benchmark, run),
            phases=run.phases,
            usage=run.usage,
            device=meter.name_device(),
            peak_memory=meter.read_peak_memory(),
            provenance=describe_provenance(plugin),
        )
        kept_models.keep(job, method, result, folder, run)
    return result


def _tell_long_sentences(corpora: Sequence[Corpus], run: RunContext) -> None:
    for corpus in corpora:
        for remark in audit.describe_long(corpus, SPLITS if corpus is corpora[-1] else ("train", "dev")):
            run.note(remark)


def _record(job: Job, status: Status) -> Result:
    """The record of a job before anything came of it."""
    facts = job.id, job.data, job.scenario, job.method, job.seed, job.departures, job.given, job.comparable
    return Result(status, *facts)


def _name_knowledge(benchmark: Benchmark, run: RunContext) -> str | None:
    """The corpus of explanations that the run learnt from, unless it came from a folder that holds other files than
    the benchmark's own.
    """
    if run.knowledge is None or run.knowledge_folder is None:
        return run.knowledge
    name = CorpusName.parse(run.knowledge).name
    files = {d: domain.resources[name] for d, domain in benchmark.domains.items() if name in domain.resources}
    own = {f"{d}.json": file.hash() for d, file in files.items() if file.is_present()}
    return run.knowledge if hash_content(run.knowledge_folder) == digest(own) else None


def visible_corpus(job: Job, name: str) -> Corpus:
    """A domain with the resources that the method needs, in objects of its own: the run's id covers those
    resources and no others, and whoever changes a sentence changes nobody else's.
    """
    own = name == job.scenario.target
    corpus = job.benchmark.draw(job.scenario, job.seed) if own else job.benchmark.corpus(name)
    named = {key: path for key, path in corpus.resources.items() if key in job.resources}
    return replace(lend(corpus), resources=named)


def require_resources(job: Job) -> None:
    """Raises `NotRunError` if a resource of the target that the method names is neither there nor in its options, or if
    the method runs in an environment of its own that is not made.
    """
    if job.entry.environment:
        job.entry.environment.require()
    target = job.benchmark.domain(job.scenario.target)
    for resource in job.resources:
        file = target.resources.get(resource)
        there = file is not None and file.is_present()
        if not there and options.with_role(job.options, options.supplies(resource)) is None:
            where = (
                f"it belongs at {file.location}"
                if file
                else f"declare it as domains.{target.name}.resources.{resource}"
            )
            raise NotRunError(
                f"{job.entry.spec.name} needs the {resource} corpus of {target.name}: {where}",
                hint=file.remedy if file else None,
            )


def _answer(
    job: Job, method: Method, sentences: Sequence[Sentence], target: Corpus, run: RunContext
) -> Iterator[Prediction]:
    """The predictions for sentences, held to the contract as they come."""
    if sentences:
        answers = method.predict([s.unlabeled() for s in sentences], run)
        for number, prediction in enumerate(held_to_contract(answers, sentences, target.types, job.entry), start=1):
            yield prediction
            run.progress(number, len(sentences))


def _write(answers: Iterator[Prediction], place: Path, size: int, end_copies: Callable[[], None]) -> None:
    """Write each prediction as it comes behind the first `size` bytes of a file. The file is a new one, and not that
    which a process that was stopped for long may have open.
    """
    if place.exists():
        write_atomic(place, place.read_bytes()[:size])
    with place.open("ab") as stream:
        try:
            for prediction in answers:
                end_copies()
                fence()
                stream.write(encode(prediction).encode("utf-8") + b"\n")
                stream.flush()
        except ContractError:
            stream.truncate(0)  # nothing that a method says is kept once it broke the contract
            raise


class LogFile(logging.FileHandler):
    """A log that ends the run when it cannot be written, like any other of its files. It complains once."""

    complained = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Called while the error is handled."""
        if not self.complained:
            self.complained = True
            raise  # noqa: PLE0704

    def close(self) -> None:
        """Close the file; what it could not take was said already."""
        with suppress(OSError):
            super().close()


@contextmanager
def _log(path: Path, job: Job) -> Iterator[logging.Logger]:
    logger = logging.getLogger(f"cdner_bench.run.{job.id}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = LogFile(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    try:
        logger.info("%s", job)
        yield logger
    finally:
        logger.removeHandler(handler)
        handler.close()
