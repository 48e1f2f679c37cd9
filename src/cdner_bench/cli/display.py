"""What work looks like while it goes on: a live line on a terminal, elsewhere a plain line now and then."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TextIO

from ..foreign import show_line
from ..plugins import Unwatched

if TYPE_CHECKING:
    from rich.progress import Progress

    from ..plugins import Observer
    from ..running import Job, JobObserver, Outcome


_speaking = threading.Lock()


def _say(text: str, stream: TextIO | None = None) -> None:
    """Print a line, on standard output if nothing else is named, as a whole: workers beside one another print, too."""
    with _speaking:
        print(text, file=stream, flush=True)


@contextmanager
def open_displays(quiet: bool, count: int) -> Iterator[list[JobObserver]]:
    """One display for runs that so many workers make beside one another, as each of them sees it."""
    if quiet or not sys.stdout.isatty():
        yield [Quiet() if quiet else Plain() for _ in range(count)]
        return
    with _open_bars() as progress:
        yield [Live(progress) for _ in range(count)]


@contextmanager
def open_bar() -> Iterator[Callable[[str], Observer]]:
    """A bar for work with a title: on a terminal, whatever else its output goes to; else a line now and then."""
    if not sys.stderr.isatty():
        yield lambda title: Lines(title, sys.stderr)
        return
    with _open_bars(stderr=True) as progress:
        shown = Bar(progress)
        yield shown.titled


@contextmanager
def _open_bars(*, stderr: bool = False) -> Iterator[Progress]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from .terminal import Terminal

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[numbers]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Terminal(stderr=stderr), transient=stderr) as progress:
        yield progress


INTERVAL = 30.0
"""Seconds between two lines that say how far a phase has come."""


class Lines:
    """Work with a title that takes long says how far it has come, in a line now and then."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self.title, self.stream = title, stream
        self.phase("")

    def phase(self, name: str) -> None:
        """Note the phase and the time it begins."""
        self.name, self.began = name, time.monotonic()
        self.told = self.began

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        """Print how far the phase has come, if no line was printed just now."""
        now = time.monotonic()
        if now - self.told >= INTERVAL:
            self.told = now
            done = f"{step:,}" if total is None else f"{step:,}/{total:,}"
            took = timedelta(seconds=round(now - self.began))
            self.note(" ".join(filter(None, (self.name, f"{done},", f"{took}", _describe_numbers(numbers)))))

    def note(self, text: str) -> None:
        """Print a note on a line of its own, after the title."""
        _say(f"{self.title}: {text}" if self.title else text, self.stream)


class Plain(Lines):
    """Runs, one after the other: a line for each of their phases, for what takes long, and for how they end."""

    def __init__(self) -> None:
        super().__init__("", sys.stdout)

    def begin(self, job: Job, number: int, total: int) -> None:
        """Note the run and its number, which stand before its lines, and the time it begins."""
        self.where, self.start = f"[{number}/{total}]", time.perf_counter()
        self.title = f"{self.where} {job}"
        self.phase("")

    def phase(self, name: str) -> None:
        """Print that a phase begins."""
        super().phase(name)
        if name:
            self.note(name)

    def end(self, outcome: Outcome) -> None:
        """Print how the run ended, its F1 and its seconds."""
        _say(f"{self.where} {_describe(outcome, time.perf_counter() - self.start)}")


class Quiet(Unwatched):
    """One line a run, for whatever reads it: setting and target, method, seed, how it ended, F1 or -, with a space
    between. Why one has failed goes to standard error.
    """

    def begin(self, job: Job, number: int, total: int) -> None:
        """Nothing is shown of a run that begins."""

    def end(self, outcome: Outcome) -> None:
        """Print the run's line."""
        job, f1 = outcome.job, "-" if outcome.f1 is None else f"{outcome.f1:.2f}"
        _say(f"{job.scenario} {job.entry.spec.name} {job.seed} {outcome.status} {f1}")
        if outcome.f1 is None:
            _say(_describe(outcome, 0.0), sys.stderr)


class Notes(Unwatched):
    """Shows what a method has to say on standard error, and no progress."""

    def note(self, text: str) -> None:
        """A line of its own."""
        _say(text, sys.stderr)


def _describe_numbers(numbers: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.3g}" for name, value in numbers.items())


class Bar:
    """The work at hand with its phase, bar, numbers and times."""

    def __init__(self, rich_progress: Progress) -> None:
        self.rich = rich_progress
        self.task = self.rich.add_task("", numbers="", total=None)
        self.title = ""

    def titled(self, title: str) -> Bar:
        """The same bar for other work."""
        self.title = title
        self._begin_bar(title)
        return self

    def phase(self, name: str) -> None:
        """Begin a bar for a phase, under the title of the work."""
        self._begin_bar(f"{self.title} · {name}")

    def _begin_bar(self, description: str) -> None:
        self.rich.remove_task(self.task)
        self.task = self.rich.add_task(show_line(description), numbers="", total=None)

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        """Move the bar to a step, with the numbers beside it."""
        self.rich.update(self.task, completed=step, total=total, numbers=show_line(_describe_numbers(numbers)))

    def note(self, text: str) -> None:
        """Print a note above the bar, like a finished run."""
        self.rich.console.print(f"{self.title}: {text}", markup=False)


class Live(Bar):
    """Runs, one after the other; those that are finished scroll by above the bar."""

    def begin(self, job: Job, number: int, total: int) -> None:
        """Begin a bar that names the run and its number."""
        self.start = time.perf_counter()
        self.titled(f"[{number}/{total}] {job}")

    def end(self, outcome: Outcome) -> None:
        """Print how the run ended above the bar, coloured by that."""
        line = _describe(outcome, time.perf_counter() - self.start)
        style = "red" if outcome.failed else "dim" if outcome.status == "skipped" else "green"
        self.rich.console.print(line, style=style, markup=False)


def _list_lost(outcome: Outcome) -> Iterator[str]:
    """What limits of length took away, if they did."""
    counts = outcome.result.answers if outcome.result else {}
    if cut := counts.get("answer cut"):
        yield f"{cut:,} of {counts.get('read', cut):,} answers cut off"
    if sentences := counts.get("unseen sentences"):
        tokens, entities = counts.get("unseen tokens", 0), counts.get("unseen entities", 0)
        yield f"not seen: the ends of {sentences:,} sentences, {tokens:,} tokens, {entities:,} gold entities"


def _describe(outcome: Outcome, seconds: float) -> str:
    text = f"{outcome.job}: {outcome.status}"
    if outcome.f1 is not None:
        text += f", F1 {outcome.f1:.2f}"
        text += "".join(f", doubtful: {why}" for why in outcome.doubts)
    if outcome.status == "finished":
        text += f" ({seconds:.0f} s)"
    text += "".join(f", {lost}" for lost in _list_lost(outcome))
    for extra in (outcome.message and f": {outcome.message}", outcome.hint and f"\n  → {outcome.hint}"):
        text += extra or ""
    return text
