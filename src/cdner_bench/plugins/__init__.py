"""The contract with a method or an analysis: what it declares, what it is lent, how it is found and checked."""

from . import hookspecs, options
from .context import SHARED_STAGES, Epoch, ModelFacts, Observer, RunContext, Unwatched, read_stages
from .contract import held_to_contract, lend
from .hookspecs import hookimpl
from .measurement import Measurement, NoNumberError, Number, Plot
from .method import Analysis, Method, Spec
from .options import backbone, chooses_knowledge, operational, supplies
from .registry import PluginFacts, Registered, Registry, discover

__all__ = [
    "SHARED_STAGES",
    "Analysis",
    "Epoch",
    "Measurement",
    "Method",
    "ModelFacts",
    "NoNumberError",
    "Number",
    "Observer",
    "Plot",
    "PluginFacts",
    "Registered",
    "Registry",
    "RunContext",
    "Spec",
    "Unwatched",
    "backbone",
    "chooses_knowledge",
    "conformance",
    "discover",
    "held_to_contract",
    "hookimpl",
    "hookspecs",
    "lend",
    "manual",
    "operational",
    "options",
    "read_stages",
    "scaffold",
    "supplies",
]
