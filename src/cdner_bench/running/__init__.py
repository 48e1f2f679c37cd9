"""Runs and measurements are made here, and runs resumed, adopted and scored again."""

from . import analyses, campaign, runner
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
    "rescore",
    "runner",
    "survey",
]
