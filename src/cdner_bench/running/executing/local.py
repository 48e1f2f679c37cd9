"""Several workers, on this machine or others. Each is a thread here that waits for processes in which runs are made."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ...io import Stopped
from ..process import Workers
from ..runner import Job, JobObserver, Outcome, Series
from . import shares
from .waiting import Waiting


@dataclass(frozen=True)
class Study:
    """Runs to be made below a folder, by methods of these plugin files and without the disabled ones."""

    jobs: Sequence[Job]
    out: Path
    plugin_files: Sequence[Path] = ()
    disabled: Sequence[str] = ()


@dataclass(frozen=True)
class Crew:
    """The workers that make the runs of a study, and who they are in words, where that needs saying."""

    workers: Sequence[Workers]
    words: str = ""


@contextmanager
def hire_here(study: Study, asked: int | None, parameters: Mapping[str, str]) -> Iterator[Crew]:
    """Workers of this machine, as many as asked for; they have no parameters. Raises `OptionError` for a number that
    cannot be.
    """
    count = shares.count_workers(asked, len(study.jobs))
    divided = shares.divide(count)
    threads = divided[0]["OMP_NUM_THREADS"]
    each = "a GPU" if "CUDA_VISIBLE_DEVICES" in divided[0] else f"{threads} thread{'s' if threads != '1' else ''}"
    yield Crew(_hire(study, divided), f"{count} workers, each with {each}" if count > 1 else "")


def make_locally(study: Study, observers: Sequence[JobObserver]) -> Iterator[Outcome]:
    """Make the runs, by as many workers of this machine as there are observers."""
    return make(_hire(study, shares.divide(len(observers))), study, observers)


def _hire(study: Study, divided: Sequence[Mapping[str, str]]) -> list[Workers]:
    return [Workers(study.plugin_files, study.disabled, share, 1) for share in divided]


def make(workers: Sequence[Workers], study: Study, observers: Sequence[JobObserver]) -> Iterator[Outcome]:
    """Make the runs, and say how each ended, in the order in which they end. Each of the workers, which work beside one
    another, has its observer. What is finished is skipped. If this is stopped, every run ends where it is.
    """
    waiting, series = Waiting([replace(job, patient=False) for job in study.jobs]), Series(study.out)
    told: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
    slots = [
        _Slot(waiting, series, observer, len(study.jobs), told, each)
        for each, observer in zip(workers, observers, strict=True)
    ]
    for slot in slots:
        slot.start()
    number = signal.SIGTERM
    try:
        for _ in slots:
            while (said := told.get()) is not None:
                if isinstance(said, BaseException):
                    raise said
                yield said
    except KeyboardInterrupt as error:
        number = signal.Signals(error.number) if isinstance(error, Stopped) else signal.SIGINT
        raise
    finally:
        waiting.stop()
        for slot in slots:
            slot.workers.stop(number)
        for slot in slots:
            slot.join()


class _Slot(threading.Thread):
    """One worker: it takes runs till there is none left, and then says None."""

    def __init__(
        self,
        waiting: Waiting,
        series: Series,
        observer: JobObserver,
        total: int,
        told: queue.SimpleQueue[Outcome | BaseException | None],
        workers: Workers,
    ) -> None:
        super().__init__(daemon=True)
        self.waiting, self.series, self.observer, self.total = waiting, series, observer, total
        self.told, self.workers = told, workers

    def run(self) -> None:
        """Make runs."""
        try:
            with self.workers:
                self._make_runs()
        except BaseException as error:
            self.told.put(error)
        self.told.put(None)

    def _make_runs(self) -> None:
        turn = None
        while turn := self.waiting.take(turn):
            self.observer.begin(turn.job, turn.number, self.total)
            outcome = self.series.attempt(turn.job, self.observer, self.workers.make)
            if outcome.awaits:
                self.observer.note(f"put back, because {outcome.message}")
                self.waiting.put_back(turn, outcome.awaits)
                continue
            self.observer.end(outcome)
            self.waiting.finish(turn)
            self.told.put(outcome)
