"""The executors by name: those that make runs while the command waits, and those that leave them to a queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from . import ray
from .local import Crew, Study, hire_here
from .slurm import Submission, submit

Executor = Callable[[Study, int | None, Mapping[str, str]], AbstractContextManager[Crew]]
Queue = Callable[[Study, Mapping[str, str], int], Submission]
EXECUTORS: Mapping[str, Executor] = {"local": hire_here, "ray": ray.hire}
QUEUES: Mapping[str, Queue] = {"slurm": submit}
