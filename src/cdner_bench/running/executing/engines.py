"""The executors by name: those that make runs while the command waits, and those that leave them to a queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..runner import JobObserver, Outcome
from .local import Study, make_locally
from .slurm import Submission, submit

Executor = Callable[[Study, Sequence[JobObserver]], Iterator[Outcome]]
Queue = Callable[[Study, Mapping[str, str], int], Submission]
EXECUTORS: Mapping[str, Executor] = {"local": make_locally}
QUEUES: Mapping[str, Queue] = {"slurm": submit}
