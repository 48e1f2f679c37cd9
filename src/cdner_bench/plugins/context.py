"""What the harness lends a method while it runs."""

from __future__ import annotations

import json
import math
import os
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import AwaitedError, BusyError, CdnerError, PluginError
from ..foreign import redact
from ..hashing import digest
from ..io import Phase, fence, lock, meter, models, read_json, write_atomic
from ..names import check_name
from ..types import Doubt
from .options import as_dict

if TYPE_CHECKING:
    import logging

    from ..llm import Usage


SHARED_STAGES = "shared.txt"
"""The file in a run's folder with the names of the shared stages that it uses, one a line."""


def read_stages(folder: Path) -> list[str] | None:
    """The names of the shared stages that the run of a folder uses; None where that was not kept, by an older version.
    What is damaged is no name of a stage, and stops nobody.
    """
    noted = folder / SHARED_STAGES
    return noted.read_text(encoding="utf-8", errors="replace").splitlines() if os.path.isfile(noted) else None


class Observer(Protocol):
    """Who watches a run: the live display, the plain one, or nobody."""

    def phase(self, name: str) -> None:
        """Tell the observer that a phase of this name begins."""

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        """The phase has come to `step` of `total`, or nobody knows of how many."""

    def note(self, text: str) -> None:
        """Something the user should read, such as what the run is about to cost."""


class Unwatched:
    """An observer that shows nothing."""

    def phase(self, name: str) -> None:
        """Nothing is shown of the phase."""

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        """Nothing is shown of the progress."""

    def note(self, text: str) -> None:
        """Nothing is shown of the note; the log has it."""


@dataclass(frozen=True)
class ModelFacts:
    """What a row of the leaderboard says about the model."""

    backbone: str = "none"
    trained: int = 0
    total: int = 0
    precision: str = ""


@dataclass(frozen=True)
class Epoch:
    """What a training had come to at the end of an epoch (from 1) of a phase: its mean loss, F1 on dev where it was
    judged, and whatever else there is to say.
    """

    phase: str
    epoch: int
    numbers: Mapping[str, float]


@dataclass
class RunContext:
    """Seed, device, places and meters of one run.

    Every random draw must come from `seed`. `workdir` is the run's own folder, which outlives a crash.
    """

    seed: int
    workdir: Path
    shared: Path
    identity: Mapping[str, object]
    observer: Observer
    log: logging.Logger
    phases: list[Phase] = field(default_factory=list)
    model: ModelFacts = field(default_factory=ModelFacts)
    usage: Usage | None = None
    knowledge: str | None = None
    knowledge_folder: Path | None = None
    doubts: list[Doubt] = field(default_factory=list)
    curve: list[Epoch] = field(default_factory=list)
    patient: bool = True
    _open: Phase | None = None
    _asides: dict[str, Phase] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        seed: int,
        workdir: Path,
        shared: Path,
        *,
        identity: Mapping[str, object] | None = None,
        observer: Observer | None = None,
        log: logging.Logger | None = None,
        patient: bool = True,
    ) -> RunContext:
        """A context in the folder `workdir`, its stages shared below `shared` with runs of an equal `identity` (what
        identifies the method, apart from its options). Without an observer nobody watches, without a log nothing is
        logged. One that is not `patient` does not wait for a stage that another run builds.
        """
        import logging

        if log is None:
            log = logging.Logger("cdner_bench.run")
            log.addHandler(logging.NullHandler())  # or warnings would go to standard error
        log.addFilter(_redact_record)
        return cls(seed, workdir, shared, identity or {}, observer or Unwatched(), log, patient=patient)

    @property
    def answers(self) -> Path:
        """The folder of a language model's answers (`llm.Store`), shared by all runs of one output folder."""
        return self.shared.parent / "answers"

    @property
    def device(self) -> str:
        """Where to compute: "cuda" if a GPU can be used, else "cpu"."""
        return meter.find_device()

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Time a block. Phases follow one another; they do not nest."""
        if self._open:
            raise RuntimeError(f"phase {name!r} begins inside phase {self._open.name!r}")
        self._open = phase = Phase(name)
        self.observer.phase(name)
        try:
            with meter.time_phase(phase):
                yield phase
        finally:
            self._open = None
            ended, self._asides = [phase, *self._asides.values()], {}
        self.phases += ended
        for part in ended:
            self.log.info("%s: %.1f s", part.name, part.seconds)

    @contextmanager
    def aside(self, name: str) -> Iterator[Phase]:
        """Time a block inside the open phase that is not the phase's own work, such as answering dev: it is a phase of
        its own, which follows the open one and adds up all blocks of that name. The open phase's clock stands still.
        """
        if self._open is None:
            raise RuntimeError(f"{name!r} is an aside of no phase")
        aside = self._asides.setdefault(name, Phase(name))
        before = aside.seconds
        try:
            with meter.time_phase(aside):
                yield aside
        finally:
            self._open.seconds -= aside.seconds - before

    def progress(self, step: int, total: int | None, **numbers: float) -> None:
        """Tell the observer how far the phase has come, with numbers worth seeing (loss=…, f1=…). One that is not
        finite is a reason to doubt the run.
        """
        fence()
        self.observer.progress(step, total, numbers)
        if not all(map(math.isfinite, numbers.values())):
            self.doubt(Doubt.NOT_FINITE)

    def learnt(self, epoch: int, **numbers: float) -> None:
        """Add to the learning curve what an epoch (from 1) of the open phase came to: its mean loss=…, dev_f1=…."""
        if self._open is None:
            raise RuntimeError(f"epoch {epoch} ends in no phase")
        finite = {name: float(f"{value:.6g}") for name, value in numbers.items() if math.isfinite(value)}
        self.curve.append(Epoch(self._open.name, epoch, finite))

    def note(self, text: str) -> None:
        """Tell the user something in a line, and the log."""
        self.log.info("%s", text)
        self.observer.note(text)

    def doubt(self, why: Doubt) -> None:
        """Say why the score of this run may say nothing about the method: it stands in the result and by the score. The
        harness finds by itself what predictions give rise to.
        """
        if why not in self.doubts:
            self.doubts.append(why)
            self.note(f"the score is to be doubted: {why}")

    def learn_from(self, knowledge: str, folder: Path | None = None) -> None:
        """Record the corpus of explanations that the method learns from, by the name that `analyze` gives it (`gtok`,
        `gtok+50`). With a `folder` it was read from there, and has this name only if the files are the benchmark's.
        """
        self.knowledge, self.knowledge_folder = knowledge, folder

    def asked(self, usage: Usage, waited: float) -> None:
        """What the run has asked of a language model so far, and for how many seconds of this phase it waited."""
        self.usage = usage
        if self._open:
            self._open.waiting = waited

    def describe(self, *, backbone: str, trained: int, total: int, precision: str = "") -> None:
        """Name the backbone, count the parameters (trained, in all), say how it computes: for the record."""
        self.model = ModelFacts(backbone, trained, total, precision)

    def backbone(self, name: str) -> str:
        """Where to load a backbone from: the folder of one of the project's own small models (fetched on first use
        and checked by hash), else `name` itself, a path or the id of a hub. Raises `CdnerError` if it is another model
        than the one that this run, or the kept model, was made from, and for a misspelt name of a small model.
        """
        known = self.identity.get("backbone")
        if known is not None and models.identify(name) != known:
            raise CdnerError(
                f"the backbone {name!r} is not the one that the run began with: its content is another",
                hint="bring the files of then, or make the run anew",
            )
        ours = name in models.read_catalogue() or models.is_misspelt(name)
        return str(models.fetch(name)) if ours else name

    def stage(
        self,
        name: str,
        build: Callable[[Path], None],
        key: Mapping[str, object] | None = None,
        *,
        seeded: bool = True,
    ) -> Path:
        """The folder that `build` fills, built once however often the run is interrupted. `build` gets the folder as an
        interrupted build of the same stage left it, so it may go on from there or write everything anew.

        With a `key` it is shared by all runs of this method's class whose `name`, `key` and seed are equal, so the key
        must hold everything else that determines what is built: corpora (`Corpus.fingerprint`), options, the stage it
        starts from. A group of options in it stands for those of them that are not operational. Without, it belongs to
        this run and goes when the run is finished. A stage that draws nothing is not `seeded`, and is shared by all
        seeds.
        """
        check_name(name, "a stage", PluginError)
        if key is None:
            place = self.workdir / "stages" / name
            identity: dict[str, object] = {"stage": name}
        else:
            told = {part: as_dict(value) if is_dataclass(value) else value for part, value in key.items()}
            identity = {"stage": name, "seed": self.seed if seeded else 0, **self.identity, "key": told}
            place = self.shared / f"{name}-{digest(identity)[:16]}"
            self._note_use(place.name)
        with ExitStack() as held:
            try:
                whole = place.is_dir()  # others hold it for as long as they read what it cost
                held.enter_context(lock(place.with_name(f"{place.name}.lock"), wait=self.patient or whole))
            except BusyError:
                raise AwaitedError(place) from None
            if place.is_dir():
                self._take_over(place, identity)
            else:
                self._build(place, identity, build)
        return place

    def _note_use(self, stage: str) -> None:
        """Keep in the run's folder that it uses a shared stage, so that nobody removes the stage unasked."""
        before = read_stages(self.workdir) or []
        if stage not in before:
            write_atomic(self.workdir / SHARED_STAGES, "".join(f"{name}\n" for name in (*before, stage)))

    def _build(self, place: Path, identity: Mapping[str, object], build: Callable[[Path], None]) -> None:
        draft = place.with_name(f"{place.name}.draft")
        record: dict[str, object] = {"identity": identity}
        if not _is_of(draft, record):
            shutil.rmtree(draft, ignore_errors=True)
            write_atomic(draft / "stage.json", json.dumps(record, indent=1))
        before, learnt, doubted, self.doubts = len(self.phases), len(self.curve), self.doubts, []
        build(draft)
        record["phases"] = [asdict(p) for p in self.phases[before:]]
        record["curve"] = [asdict(epoch) for epoch in self.curve[learnt:]]
        record["doubts"] = self.doubts
        fence()
        self.doubts = list(dict.fromkeys([*doubted, *self.doubts]))
        write_atomic(draft / "stage.json", json.dumps(record, indent=1))
        draft.rename(place)

    def _take_over(self, place: Path, identity: Mapping[str, object]) -> None:
        try:
            record = read_json(place / "stage.json", CdnerError)
            if record["identity"] != json.loads(json.dumps(identity)):
                raise ValueError("it was made for another key")
            self.phases += [Phase(**{**phase, "reused": True}) for phase in record["phases"]]
            self.curve += [Epoch(**epoch) for epoch in record.get("curve", ())]
            doubts = [Doubt(why) for why in record.get("doubts", ())]
        except (CdnerError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CdnerError(f"{place} is not what its name says: {error}", hint=f"remove it: rm -r {place}") from error
        self.log.info("%s: taken over", place.name)
        for why in doubts:
            self.doubt(why)


def _redact_record(record: logging.LogRecord) -> bool:
    """Take keys out of a line of the log, and out of the traceback that goes with it."""
    record.msg, record.args = redact(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)).rstrip())
    return True


def _is_of(draft: Path, record: Mapping[str, object]) -> bool:
    """Whether a folder is an interrupted build of this very stage."""
    try:
        return bool(read_json(draft / "stage.json", CdnerError) == json.loads(json.dumps(record)))
    except CdnerError:
        return False
