"""Runs and measurements are made here, runs resumed, adopted, scored again and reproduced, and their models used."""

from . import analyses, campaign, kept_models, reproducing, runner
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
    "kept_models",
    "reproducing",
    "rescore",
    "runner",
    "survey",
]
