"""Runs and measurements are made here, and runs resumed, adopted, scored again and reproduced."""

from . import analyses, campaign, reproducing, runner
from .planning import Planned, State, survey
from .process import Workers
from .rescoring import Change, Rescored, rescore
from .runner import Ending, Job, JobObserver, Outcome

__all__ = [
    "Change",
    "Ending",
    "Job",
    "JobObserver",
    "Outcome",
    "Planned",
    "Rescored",
    "State",
    "Workers",
    "analyses",
    "campaign",
    "reproducing",
    "rescore",
    "runner",
    "survey",
]
