"""Who makes the runs of a study when it is more than one process.

An executor gets the jobs of a study and the display of each worker, and has them made by the code of `process`: a job
as data in, events out. It is entered in `EXECUTORS`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..runner import JobObserver, Outcome
from .local import Study, make_locally
from .shares import count_workers, divide, list_gpus

Executor = Callable[[Study, Sequence[JobObserver]], Iterator[Outcome]]
EXECUTORS: Mapping[str, Executor] = {"local": make_locally}

__all__ = ["EXECUTORS", "Executor", "Study", "count_workers", "divide", "list_gpus", "make_locally"]
