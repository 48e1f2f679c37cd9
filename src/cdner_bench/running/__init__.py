"""Runs and measurements are made here, runs resumed, adopted, scored again and reproduced, and their models used.

What makes them is imported when it is first used: where runs stand (`standing`) is asked without it.
"""

from typing import TYPE_CHECKING

from ..lazy import import_later

if TYPE_CHECKING:
    from . import analyses, campaign, executing, kept_models, reproducing, runner, standing
    from .planning import Planned, State, survey
    from .process import Workers
    from .rescoring import Change, Rescored, rescore
    from .runner import Ending, Job, JobObserver, Outcome
else:
    __getattr__ = import_later(
        __name__,
        {
            "": ("analyses", "campaign", "executing", "kept_models", "reproducing", "runner", "standing"),
            "planning": ("Planned", "State", "survey"),
            "process": ("Workers",),
            "rescoring": ("Change", "Rescored", "rescore"),
            "runner": ("Ending", "Job", "JobObserver", "Outcome"),
        },
    )

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
    "executing",
    "kept_models",
    "reproducing",
    "rescore",
    "runner",
    "standing",
    "survey",
]
