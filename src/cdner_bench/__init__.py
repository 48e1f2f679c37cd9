"""What a plugin author imports."""

from . import conll, gtok, knowledge, llm, text2text
from .context import RunContext
from .errors import CdnerError, DataError, IncompleteError, NotRunError, OptionError, PluginError
from .files import digest, sha256
from .hookspecs import hookimpl
from .measurement import Measurement, Plot
from .method import Analysis, Method, Spec
from .options import operational
from .scoring import Counts, sentence_counts, total
from .texts import GtokText, SplitText, Text
from .types import Corpus, Entity, Prediction, Rejected, Scenario, Sentence

__all__ = [
    "Analysis",
    "CdnerError",
    "Corpus",
    "Counts",
    "DataError",
    "Entity",
    "GtokText",
    "IncompleteError",
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
