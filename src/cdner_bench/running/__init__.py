"""Making runs and measurements."""

from . import analyses, runner
from .runner import Job, JobObserver, Outcome

__all__ = [
    "Job",
    "JobObserver",
    "Outcome",
    "analyses",
    "runner",
]
