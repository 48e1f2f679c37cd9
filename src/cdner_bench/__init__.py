"""What a plugin author imports."""

from . import conll, gtok, text2text
from .context import RunContext
from .errors import CdnerError, NotRunError, OptionError
from .files import digest, sha256
from .hookspecs import hookimpl
from .method import Method, Spec
from .scoring import Counts, sentence_counts, total
from .types import Corpus, Entity, Prediction, Rejected, Scenario, Sentence

__all__ = [
    "CdnerError",
    "Corpus",
    "Counts",
    "Entity",
    "Method",
    "NotRunError",
    "OptionError",
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
    "sentence_counts",
    "sha256",
    "text2text",
    "total",
]
