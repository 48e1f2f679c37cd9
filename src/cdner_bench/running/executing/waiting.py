"""Which of the runs that are left a free worker takes. Nobody waits for a stage while there is other work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...io import is_locked
from ..runner import Job

POLL = 0.05
"""Seconds between two looks at the stages that runs wait for."""
Group = tuple[object, ...]


@dataclass(frozen=True)
class Turn:
    """A run to be made: its number in the study, from 1, and the place of the stage that it waits for, if another run
    builds one that it needs.
    """

    job: Job
    number: int
    awaits: Path | None = None

    @property
    def group(self) -> Group:
        """Runs of one group are likely to share stages; others do not."""
        scenario = self.job.scenario
        return self.job.entry.spec.factory, scenario.sources, self.job.seed

    @property
    def ready(self) -> bool:
        """Whether nobody builds what it was put back for."""
        if self.awaits is None or self.awaits.is_dir():
            return True
        return not is_locked(self.awaits.with_name(f"{self.awaits.name}.lock"))


class Waiting:
    """The runs that are left, for several workers that take one after the other."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._left = [Turn(job, number) for number, job in enumerate(jobs, start=1)]
        self._made: list[Turn] = []
        self._known: set[Group] = set()
        self._stopped = False
        self._changed = threading.Condition()

    def take(self, last: Turn | None) -> Turn | None:
        """The next run for a worker that has made the `last`; None if there is none and will be none. Waits only while
        every run that is left waits for a stage, or may be put back for one.
        """
        with self._changed:
            while not self._stopped and (self._left or self._made):
                making = {turn.job.id for turn in self._made}  # who asks twice for a run is told that it is finished
                if ready := [turn for turn in self._left if turn.ready and turn.job.id not in making]:
                    turn = min(ready, key=self._rank(last))
                    self._left.remove(turn)
                    self._made.append(turn)
                    return turn
                self._changed.wait(POLL)
            return None

    def _rank(self, last: Turn | None) -> Callable[[Turn], tuple[object, ...]]:
        """First what is unlikely to meet a stage that is being built, then what needs no other method to be loaded."""
        building = {turn.group for turn in self._made} - self._known
        building |= {turn.group for turn in self._left if turn.awaits and not turn.ready}
        factory = last and last.job.entry.spec.factory
        return lambda turn: (turn.group in building, turn.job.entry.spec.factory != factory, turn.number)

    def put_back(self, turn: Turn, awaits: Path) -> None:
        """Make a run later, when nobody builds the stage any more that it needs."""
        with self._changed:
            self._made.remove(turn)
            self._left.append(replace(turn, awaits=awaits))
            self._changed.notify_all()

    def finish(self, turn: Turn) -> None:
        """Count a run as made, however it ended."""
        with self._changed:
            self._made.remove(turn)
            self._known.add(turn.group)
            self._changed.notify_all()

    def stop(self) -> None:
        """Give nobody another run."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
