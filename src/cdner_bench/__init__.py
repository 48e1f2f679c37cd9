"""Cross-domain NER from Python: for notebooks, and for who writes a method.

In a notebook: `load_benchmark` (the sentences), `run` (a method on it), `load_results` (every result as a table),
`score` (your own predictions), `compare` (two methods). `docs/python.md` shows each at work.

For a method: `Method`, `Spec`, `hookimpl`, `RunContext` and what `docs/add-a-method.md` explains. All of it is imported
when it is first used.
"""

from typing import TYPE_CHECKING

from .lazy import import_later

if TYPE_CHECKING:
    from . import knowledge, llm
    from .comparing import compare
    from .data import Gazetteer, conll
    from .errors import CdnerError, DataError, IncompleteError, NotRunError, OptionError, PluginError
    from .hashing import digest
    from .interface import load_benchmark, load_results, run
    from .io import sha256
    from .knowledge import CorpusName, GtokText, SplitText, Text, gtok
    from .plugins import (
        Analysis,
        Measurement,
        Method,
        Plot,
        RunContext,
        Spec,
        backbone,
        chooses_knowledge,
        hookimpl,
        operational,
        supplies,
    )
    from .scoring import Counts, sentence_counts, text2text, total
    from .scoring.judging import score
    from .types import Corpus, Cut, Doubt, Entity, Given, Interval, Prediction, Reason, Rejected, Scenario, Sentence
    from .version import __version__
else:
    __getattr__ = import_later(
        __name__,
        {
            "": ("knowledge", "llm"),
            "comparing": ("compare",),
            "data": ("Gazetteer", "conll"),
            "errors": ("CdnerError", "DataError", "IncompleteError", "NotRunError", "OptionError", "PluginError"),
            "hashing": ("digest",),
            "interface": ("load_benchmark", "load_results", "run"),
            "io": ("sha256",),
            "knowledge": ("CorpusName", "GtokText", "SplitText", "Text", "gtok"),
            "plugins": (
                "Analysis",
                "Measurement",
                "Method",
                "Plot",
                "RunContext",
                "Spec",
                "backbone",
                "chooses_knowledge",
                "hookimpl",
                "operational",
                "supplies",
            ),
            "scoring": ("Counts", "sentence_counts", "text2text", "total"),
            "scoring.judging": ("score",),
            "types": (
                "Corpus",
                "Cut",
                "Doubt",
                "Entity",
                "Given",
                "Interval",
                "Prediction",
                "Reason",
                "Rejected",
                "Scenario",
                "Sentence",
            ),
            "version": ("__version__",),
        },
    )

__all__ = [
    "Analysis",
    "CdnerError",
    "Corpus",
    "CorpusName",
    "Counts",
    "Cut",
    "DataError",
    "Doubt",
    "Entity",
    "Gazetteer",
    "Given",
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
    "Reason",
    "Rejected",
    "RunContext",
    "Scenario",
    "Sentence",
    "Spec",
    "SplitText",
    "Text",
    "__version__",
    "backbone",
    "chooses_knowledge",
    "compare",
    "conll",
    "digest",
    "gtok",
    "hookimpl",
    "knowledge",
    "llm",
    "load_benchmark",
    "load_results",
    "operational",
    "run",
    "score",
    "sentence_counts",
    "sha256",
    "supplies",
    "text2text",
    "total",
]
