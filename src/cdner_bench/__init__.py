"""What a plugin author imports."""

from . import knowledge, llm
from .data import conll
from .errors import CdnerError, DataError, IncompleteError, NotRunError, OptionError, PluginError
from .hashing import digest
from .io import sha256
from .knowledge import GtokText, SplitText, Text, gtok
from .plugins import Analysis, Measurement, Method, Plot, RunContext, Spec, hookimpl, operational
from .scoring import Counts, sentence_counts, text2text, total
from .types import Corpus, Entity, Interval, Prediction, Rejected, Scenario, Sentence

__all__ = [
    "Analysis",
    "CdnerError",
    "Corpus",
    "Counts",
    "DataError",
    "Entity",
    "GtokText",
    "IncompleteError",
    "Interval",
    "Measurement",
    "Method",
    "NotRunError",
    "OptionError",
    "Plot",
    "PluginError",
    "Prediction",
    "Rejected",
    "RunContext",
    "Scenario",
    "Sentence",
    "Spec",
    "SplitText",
    "Text",
    "conll",
    "digest",
    "gtok",
    "hookimpl",
    "knowledge",
    "llm",
    "operational",
    "sentence_counts",
    "sha256",
    "text2text",
    "total",
]
