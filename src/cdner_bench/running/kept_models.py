"""What runs have learnt: kept in a folder that can go to another machine, found again, and used to label sentences."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..errors import CdnerError, OptionError, PluginError, ResultError, in_words
from ..hashing import digest
from ..io import contained, find_below, is_own, measure, models, read_json, sha256, write_atomic
from ..plugins import Method, Observer, Registered, Registry, RunContext, held_to_contract, options
from ..records import MODEL, BenchmarkFacts, MethodFacts, Result, find_record, find_run
from ..scoring import HEADLINE
from ..types import Doubt, Prediction, Scenario, Sentence
from ..version import __version__

if TYPE_CHECKING:
    from .runner import Job

CARD = "model.json"
ROOM = 200_000_000
"""How many bytes the models of one command may have together to be kept unasked: each has an equal share. One model of
MiniLM has 90 MB; of a campaign of hundreds of runs only dictionaries and the like stay.
"""
UNBOUNDED = 1 << 62
"""The room of models that are kept whatever they take."""
FORM = 1
"""The form of the record, raised when its meaning changes."""
_NAMED = "name an id of a run, or how it begins; its result file; or a folder with a model.json"


@dataclass(frozen=True)
class Scored:
    """What the model reached on the test split: F1 in percent under a protocol, over so many sentences, and why that
    may say nothing about it.
    """

    protocol: str
    f1: float
    sentences: int
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Card:
    """What model.json says: which run learnt this from what, which types it tells apart, what it reached, the licence
    of its backbone (None: not known) with the content of that, the SHA-256 of every file beside it, and its own.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)

    model: int
    cdner_bench: str
    run: str
    method: MethodFacts
    seed: int
    benchmark: BenchmarkFacts
    scenario: Scenario
    types: tuple[str, ...]
    content: str | None
    licence: str | None
    score: Scored
    files: Mapping[str, str]
    sha256: str = ""

    def __str__(self) -> str:
        doubts = f", to be doubted: {'; '.join(self.score.doubts)}" if self.score.doubts else ""
        return (
            f"{self.method.name}, {self.benchmark.name} {self.benchmark.version} {self.scenario}, seed {self.seed}; "
            f"F1 {self.score.f1:.2f} ({self.score.protocol}, {self.score.sentences:,} test sentences){doubts}"
        )

    @property
    def terms(self) -> str:
        """Types and licence, in a line."""
        backbone = f"; backbone {self.method.backbone}: {self.licence or 'licence not known'}"
        return f"types: {', '.join(self.types)}{backbone if self.method.backbone else ''}"


# --- what is kept ----------------------------------------------------------------------------------------------------


def give_room(jobs: Sequence[Job], keep: bool | None) -> list[Job]:
    """The jobs with the room that their models have: without end if they are to be kept, else an equal share."""
    room = {True: UNBOUNDED, False: 0, None: ROOM // max(1, len(jobs))}[keep]
    return [replace(job, room=room) for job in jobs]


def keep(job: Job, method: Method, result: Result, folder: Path, run: RunContext) -> None:
    """Keep what a method has learnt in `folder/model`, if the job has room for it; else say why not. Nothing that goes
    wrong here ends the run, which is finished.
    """
    missing = method.find_missing()
    if not job.room or (missing and job.room < UNBOUNDED):
        return
    draft, place = folder / f"{MODEL}.draft", folder / MODEL
    try:
        if missing:
            raise PluginError(f"{_tell_missing(job.entry.spec.name, missing)} (docs/add-a-method.md)")
        _check_room(2 * result.model.trained, job, "at least ")  # two bytes a parameter
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        with contained():
            method.save(draft)
        _check_room(measure(draft), job)
        write_atomic(draft / CARD, _write(_describe(job, result, draft)))
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and is_own(error):
            raise
        shutil.rmtree(draft, ignore_errors=True)
        run.log.info("the model is not kept", exc_info=None if isinstance(error, CdnerError) else error)
        run.note(f"the model is not kept: {in_words(error)}")


def show_size(size: int) -> str:
    """A number of bytes as one says it."""
    return f"{size / 1e6:,.0f} MB" if size >= 10_000_000 else f"{size / 1e3:,.0f} kB"


def _tell_missing(name: str, missing: Sequence[str]) -> str:
    return f"{name} has no {' and no '.join(missing)}"


def _check_room(size: int, job: Job, least: str = "") -> None:
    if size > job.room:
        share = f"; the models of a command have {show_size(ROOM)} together" if job.room < ROOM else ""
        raise CdnerError(
            f"it has {least}{show_size(size)}, there is room for {show_size(job.room)}{share} (--keep-model)"
        )


def _describe(job: Job, result: Result, draft: Path) -> Card:
    named = job.method.backbone
    known = models.read_catalogue().get(models.drop_hub(named or ""))
    return Card(
        FORM,
        __version__,
        job.id,
        job.method,
        job.seed,
        job.data,
        job.scenario,
        job.benchmark.corpus(job.scenario.target).types,
        job.backbone,
        known.licence if known else None,
        Scored(HEADLINE, round(result.f1(HEADLINE) or 0.0, 4), len(result.sentences), tuple(result.doubts)),
        {name: sha256(path) for name, path in _list_files(draft)},
    )


def _list_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of a model by their names; not its record, and not what systems hide in folders."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and name != CARD and not path.name.startswith("."):
            yield name, path


def _write(card: Card) -> str:
    record = _dump(card)
    return json.dumps({**record, "sha256": digest(record)}, indent=1, ensure_ascii=False) + "\n"


def _dump(card: Card) -> dict[str, Any]:
    """All that the hash of a record is of."""
    return {name: value for name, value in _adapter().dump_python(card, mode="json").items() if name != "sha256"}


@cache
def _adapter() -> TypeAdapter[Card]:
    return TypeAdapter(Card)


# --- what is found again ---------------------------------------------------------------------------------------------


def find(named: str, out: Path, registry: Registry) -> Path:
    """The folder of a model, by the folder itself, or by a run as `records.find_run` finds it. Raises `ResultError` for
    what is no run, is not finished, or has no model, with what to type to have one.
    """
    place = Path(named)
    if named and place.is_dir():
        here = [folder for folder in (place, place / MODEL) if (folder / CARD).is_file()]
        if here:
            return here[0]
        if not find_record(place):
            raise ResultError(f"{place} is no model: it has no {CARD}", hint=_NAMED)
    if place.name == CARD and place.is_file():
        return place.parent
    run = find_run(named, out)
    elsewhere = out / "runs" / run.result.run  # the result was moved
    return _check_kept(run.folder if run.folder.is_dir() else elsewhere, run.result, registry)


def _check_kept(folder: Path, result: Result, registry: Registry) -> Path:
    """The model in the folder of a run. Raises `ResultError` if there is none."""
    if (folder / MODEL / CARD).is_file():
        return folder / MODEL
    if not result.finished:
        raise ResultError(f"run {result.run} is {result.status}: {result.reason}", hint="type its command again")
    name = result.method.name
    if result.predictions_only:
        raise ResultError(f"{name} is a row of predictions only: what made them is not here")
    missing: list[str] = []
    with suppress(CdnerError):  # a method that is not here
        missing = registry.get(name).spec.load(Method).find_missing()
    if missing:
        raise ResultError(
            f"run {result.run} has no model: {_tell_missing(name, missing)}",
            hint="the method has to have them first: docs/add-a-method.md#a-model-to-keep",
        )
    raise ResultError(
        f"run {result.run} ({name}) was finished without its model",
        hint=f"type: cdner-bench reproduce {result.run} --again DIR --keep-model, "
        f"then: cdner-bench predict {result.run} FILE --out DIR",
    )


def read(folder: Path) -> Card:
    """The record of a model, if everything in its folder is as it was kept. Raises `ResultError` naming what is not."""
    place = folder / CARD
    again = "copy the whole folder again from where the run was made"
    record = read_json(place, ResultError, again)
    form = record.get("model") if isinstance(record, dict) else None
    if isinstance(form, int) and form > FORM:
        raise ResultError(f"{place} is of form {form}, and this cdner-bench reads {FORM}", hint="take a newer one")
    try:
        card = _adapter().validate_json(json.dumps(record))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "it"
        raise ResultError(f"{place} is no record of a model: {field}: {first['msg'].lower()}", hint=_NAMED) from None
    if form != FORM or card.sha256 != digest(_dump(card)):
        raise ResultError(f"{place} was altered: its content has not the SHA-256 that it says", hint=again)
    there = dict(_list_files(folder))
    for name in card.files:
        path = find_below(folder, name, str(place))
        if name not in there:
            raise ResultError(f"{path} is missing, which {CARD} names", hint=again)
        if sha256(path) != card.files[name]:
            raise ResultError(f"{path} is damaged or was altered: its SHA-256 is not that in {CARD}", hint=again)
    if foreign := sorted(there.keys() - card.files.keys()):
        raise ResultError(
            f"{folder / foreign[0]} belongs to no model: {CARD} does not name it",
            hint=f"remove it: rm {shlex.quote(str(folder / foreign[0]))}",
        )
    return card


# --- what is labelled ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Labeller:
    """A kept model with the method that reads it, under the options that it was made with."""

    folder: Path
    card: Card
    entry: Registered
    options: Any

    def label(self, tokens: Sequence[tuple[str, ...]], out: Path, observer: Observer) -> list[Prediction]:
        """What the model says of sentences, held to the contract. What a run below `out` keeps for others (unpacked
        backbones, answers of language models) is used and kept there, too. Raises what the method raises.
        """
        sentences = [Sentence(str(n), words) for n, words in enumerate(tokens)]
        identity = {
            "class": self.entry.spec.factory,
            "revision": self.entry.revision,
            "backbone": self.card.content,
        }
        with TemporaryDirectory() as work, contained() as end_copies:
            shared = (out / "runs" / "shared").absolute()
            run = RunContext.create(self.card.seed, Path(work), shared, identity=identity, observer=observer)
            method = self.entry.spec.load(Method)(self.options)
            method.load(self.folder.absolute(), self.card.types, run)
            end_copies()
            said = []
            with run.phase("predict"):
                answers = method.predict(sentences, run)
                for prediction in held_to_contract(answers, sentences, self.card.types, self.entry):
                    end_copies()
                    said.append(replace(prediction))
            return said


def prepare(folder: Path, card: Card, registry: Registry, chosen: Mapping[str, object]) -> Labeller:
    """The labeller of a model, with options `chosen` that say how it is asked (a server, a limit).

    Raises `PluginError` for a method of another revision, `OptionError` for an option that made the model what it is.
    """
    entry, made = registry.get(card.method.name), card.method
    if entry.revision != made.revision:
        kept_here = card.cdner_bench == __version__
        older = f"it was kept by cdner-bench {card.cdner_bench}: take that, or make the run again"
        raise PluginError(
            f"{folder} is of revision {made.revision} of {made.name}, and here is revision {entry.revision}",
            hint=f"the code of {made.name} has changed since: make the run again" if kept_here else older,
        )
    kind = entry.spec.load(Method)
    if missing := kind.find_missing():
        raise PluginError(f"{folder} cannot be used: {_tell_missing(made.name, missing)}")
    kept = options.reread(kind.Options, made.options)
    formerly: Mapping[str, str] = getattr(kind.Options, "formerly", {})
    for given in chosen:
        if (name := formerly.get(given, given)) in kept:
            raise OptionError(
                f"-o {given}: the model was made with {name}={kept[name]}", hint="leave it out, or make another run"
            )
    values = entry.spec.resolve(None, {**kept, **chosen})
    return Labeller(folder, card, entry, options.settle(values))
