"""Names that tests share."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cdner_bench import Prediction, RunContext
from cdner_bench.plugins import Epoch, Unwatched

ROOT = Path(__file__).parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]


def take_interrupts() -> None:
    """For a child process: a shell that runs the tests in the background has them ignore ctrl-C, nohup has them ignore
    the end of the terminal, and both are inherited.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def few_files(more: int) -> Iterator[None]:
    """In the block this process may open so many files more than it has open."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = set(map(int, os.listdir("/dev/fd")))
    most = [number for number in range(more + len(taken)) if number not in taken][more - 1] + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Nobody(Unwatched):
    """Watches runs, and says nothing."""

    def begin(self, job: object, number: int, total: int) -> None: ...
    def end(self, outcome: object) -> None: ...


class Listener(Nobody):
    """Remembers what the user is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


class Killer(Nobody):
    """Notes every step of training, over all attempts, and interrupts the run at those whose numbers are in `kills`."""

    def __init__(self, kills: Container[int] = ()) -> None:
        self.kills = kills
        self.steps: list[tuple[str, int]] = []
        self.name = ""

    def phase(self, name: str) -> None:
        self.name = name

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        self.steps.append((self.name, step))
        if len(self.steps) in self.kills:
            raise KeyboardInterrupt


class KillerOfSeconds(Killer):
    """As `Killer`, but interrupts the second step of each phase, once: `killed` are those phases."""

    def __init__(self) -> None:
        super().__init__()
        self.killed: set[str] = set()

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        super().progress(step, total, numbers)
        if step == 2 and self.name not in self.killed:
            self.killed.add(self.name)
            raise KeyboardInterrupt


def fit_stubbornly(
    make: Callable[[], Any], sources: Any, target: Any, folder: Path, killer: Killer
) -> tuple[Any, Sequence[Epoch]]:
    """A method that has been fit, in as many attempts as the killer leaves it, each with another instance, and the
    curve of the last.
    """
    while True:
        run = context(folder)
        run.observer = killer
        method = make()
        try:
            method.fit(sources, target, run)
            return method, run.curve
        except KeyboardInterrupt:
            continue


def list_spans(said: Iterable[Prediction]) -> list[list[list[object]]]:
    """The entities of each sentence, as `read_spans` has them."""
    return [[[e.start, e.end, e.type] for e in p.entities] for p in said]


def read_spans(run: Path) -> list[list[list[object]]]:
    """The entities of each sentence that the predictions in a run's folder hold."""
    lines = (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["entities"] for line in lines]


def context(folder: Path, seed: int = 0) -> RunContext:
    """What a run in `folder` is lent, with stages shared below it."""
    return RunContext(seed, folder / "run", folder / "shared", {}, Nobody(), logging.getLogger("test"))


def judged_by(score: Callable[[], float]) -> Any:
    """A judge that says what `score` says."""
    from cdner_torch.judge import Judge

    class Scripted(Judge):
        def f1(self) -> float:
            return score()

    return Scripted((), lambda sentences: [])


def change(options: Any, **chosen: object) -> Any:
    """Options with other values, those of a group in a dict: `change(o, pretraining="none", target={"epochs": 1})`."""
    groups = {name: value for name, value in chosen.items() if isinstance(value, dict)}
    return replace(options, **{**chosen, **{name: replace(getattr(options, name), **v) for name, v in groups.items()}})
