"""Who makes the runs of a study when it is more than one process.

An executor hires workers for a study, and `make` has them make its runs by the code of `process`: a job as data in,
events out. A queue gets the jobs, and its cluster makes them by the same code when it has room. They are entered in
`EXECUTORS` and `QUEUES`, and imported when they are first used: who asks what is queued loads none.
"""

from typing import TYPE_CHECKING

from ...lazy import import_later
from .queued import find_queued

if TYPE_CHECKING:
    from .codes import hash_codes
    from .engines import EXECUTORS, QUEUES, Executor, Queue
    from .grouping import Array, group
    from .local import Crew, Study, hire_here, make, make_locally
    from .shares import count_workers, divide, list_gpus
    from .slurm import Submission, make_share, submit
else:
    __getattr__ = import_later(
        __name__,
        {
            "codes": ("hash_codes",),
            "engines": ("EXECUTORS", "QUEUES", "Executor", "Queue"),
            "grouping": ("Array", "group"),
            "local": ("Crew", "Study", "hire_here", "make", "make_locally"),
            "shares": ("count_workers", "divide", "list_gpus"),
            "slurm": ("Submission", "make_share", "submit"),
        },
    )

__all__ = [
    "EXECUTORS",
    "QUEUES",
    "Array",
    "Crew",
    "Executor",
    "Queue",
    "Study",
    "Submission",
    "count_workers",
    "divide",
    "find_queued",
    "group",
    "hash_codes",
    "hire_here",
    "list_gpus",
    "make",
    "make_locally",
    "make_share",
    "submit",
]
