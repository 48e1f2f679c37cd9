"""What a plugin author imports."""

from . import conll, gtok, llm, text2text
from .context import RunContext
from .errors import CdnerError, IncompleteError, NotRunError, OptionError, PluginError
from .files import digest, sha256
from .hookspecs import hookimpl
from .method import Method, Spec
from .options import operational
from .scoring import Counts, sentence_counts, total
from .types import Corpus, Entity, Prediction, Rejected, Scenario, Sentence

__all__ = [
    "CdnerError",
    "Corpus",
    "Counts",
    "Entity",
    "IncompleteError",
    "Method",
    "NotRunError",
    "OptionError",
    "PluginError",
    "Prediction",
    "Rejected",
    "RunContext",
    "Scenario",
    "Sentence",
    "Spec",
    "conll",
    "digest",
    "gtok",
    "hookimpl",
    "llm",
    "operational",
    "sentence_counts",
    "sha256",
    "text2text",
    "total",
]
