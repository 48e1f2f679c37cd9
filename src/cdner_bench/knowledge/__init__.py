"""Task-oriented knowledge (GTOK), a corpus of explanations: read, generated, cleaned, checked for leaks, counted, and
any corpus as an analysis reads it.
"""

from . import cleaning, gtok, leaks, texts
from .cleaning import Report
from .coverage import Statistics, TypeCount, statistics
from .gtok import Explanation, Record
from .naming import CorpusName
from .texts import Errors, FileText, GtokText, SplitText, Text

__all__ = [
    "CorpusName",
    "Errors",
    "Explanation",
    "FileText",
    "GtokText",
    "Record",
    "Report",
    "SplitText",
    "Statistics",
    "Text",
    "TypeCount",
    "cleaning",
    "generation",
    "gtok",
    "leaks",
    "statistics",
    "texts",
]
