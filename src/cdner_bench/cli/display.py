"""What work looks like while it goes on: a live line on a terminal, one plain line a run elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..plugins import Observer
from ..running import Job, JobObserver, Outcome

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def display(quiet: bool) -> Iterator[JobObserver]:
    """The display of runs that suits where the output goes."""
    if quiet or not sys.stdout.isatty():
        yield Plain()
        return
    with _bars() as progress:
        yield Live(progress)


@contextmanager
def bar() -> Iterator[Callable[[str], Observer]]:
    """A bar for work with a title: on a terminal, whatever else its output goes to; else nothing is shown."""
    if not sys.stderr.isatty():
        yield lambda title: Unseen()
        return
    with _bars(stderr=True) as progress:
        shown = Bar(progress)
        yield shown.titled


@contextmanager
def _bars(*, stderr: bool = False) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[numbers]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(highlight=False, stderr=stderr), transient=stderr) as progress:
        yield progress


class Unseen:
    """Shows nothing but notes."""

    def phase(self, name: str) -> None:
        """Not shown."""

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        """Not shown."""

    def note(self, text: str) -> None:
        """A line of its own."""
        print(text, file=sys.stderr, flush=True)


class Plain(Unseen):
    """One line a run, and none for its progress."""

    def begin(self, job: Job, number: int, total: int) -> None:
        """Remember where we are."""
        self.where, self.start = f"[{number}/{total}]", time.perf_counter()

    def note(self, text: str) -> None:
        """A line of its own."""
        print(f"{self.where} {text}", flush=True)

    def end(self, outcome: Outcome) -> None:
        """Say how it ended."""
        print(f"{self.where} {_sentence(outcome, time.perf_counter() - self.start)}", flush=True)


class Bar:
    """The work at hand with its phase, bar, numbers and times."""

    def __init__(self, rich_progress: Progress) -> None:
        self.rich = rich_progress
        self.task = self.rich.add_task("", numbers="", total=None)
        self.title = ""

    def titled(self, title: str) -> Bar:
        """The same bar for other work."""
        self.title = title
        self._fresh_bar(title)
        return self

    def phase(self, name: str) -> None:
        """A fresh bar."""
        self._fresh_bar(f"{self.title} · {name}")

    def _fresh_bar(self, description: str) -> None:
        self.rich.remove_task(self.task)
        self.task = self.rich.add_task(description, numbers="", total=None)

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        """Move the bar."""
        text = "  ".join(f"{name} {value:.3g}" for name, value in numbers.items())
        self.rich.update(self.task, completed=step, total=total, numbers=text)

    def note(self, text: str) -> None:
        """Scrolls by, like a finished run."""
        self.rich.console.print(f"{self.title}: {text}", markup=False)


class Live(Bar):
    """Runs, one after the other; those that are finished scroll by above the bar."""

    def begin(self, job: Job, number: int, total: int) -> None:
        """Name the run."""
        self.start = time.perf_counter()
        self.titled(f"[{number}/{total}] {job}")

    def end(self, outcome: Outcome) -> None:
        """Leave a line behind."""
        line = _sentence(outcome, time.perf_counter() - self.start)
        style = "red" if outcome.failed else "dim" if outcome.status == "skipped" else "green"
        self.rich.console.print(line, style=style, markup=False)


def _sentence(outcome: Outcome, seconds: float) -> str:
    text = f"{outcome.job}: {outcome.status}"
    if outcome.f1 is not None:
        text += f", F1 {outcome.f1:.2f}"
    if outcome.status == "finished":
        text += f" ({seconds:.0f} s)"
    for extra in (outcome.message and f": {outcome.message}", outcome.hint and f"\n  → {outcome.hint}"):
        text += extra or ""
    return text
