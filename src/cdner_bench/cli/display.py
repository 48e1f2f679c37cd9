"""What work looks like while it goes on: a live line on a terminal, one plain line a run elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..foreign import show_line

if TYPE_CHECKING:
    from rich.progress import Progress

    from ..plugins import Observer
    from ..running import Job, JobObserver, Outcome


@contextmanager
def open_display(quiet: bool) -> Iterator[JobObserver]:
    """The display of runs that suits where the output goes."""
    if quiet or not sys.stdout.isatty():
        yield Plain()
        return
    with _open_bars() as progress:
        yield Live(progress)


@contextmanager
def open_bar() -> Iterator[Callable[[str], Observer]]:
    """A bar for work with a title: on a terminal, whatever else its output goes to; else nothing is shown."""
    if not sys.stderr.isatty():
        yield lambda title: Unseen()
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


class Unseen:
    """An observer that shows no progress, and prints notes on standard error."""

    def phase(self, name: str) -> None:
        """Show nothing when a phase begins."""

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        """Show nothing while a phase goes on."""

    def note(self, text: str) -> None:
        """Print a note on a line of its own."""
        print(text, file=sys.stderr, flush=True)


class Plain(Unseen):
    """One line a run, and none for its progress."""

    def begin(self, job: Job, number: int, total: int) -> None:
        """Note the run's number, which stands before its lines, and the time it begins."""
        self.where, self.start = f"[{number}/{total}]", time.perf_counter()

    def note(self, text: str) -> None:
        """Print a note on a line of its own, after the run's number."""
        print(f"{self.where} {text}", flush=True)

    def end(self, outcome: Outcome) -> None:
        """Print how the run ended, its F1 and its seconds."""
        print(f"{self.where} {_describe(outcome, time.perf_counter() - self.start)}", flush=True)


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
        text = "  ".join(f"{name} {value:.3g}" for name, value in numbers.items())
        self.rich.update(self.task, completed=step, total=total, numbers=show_line(text))

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
