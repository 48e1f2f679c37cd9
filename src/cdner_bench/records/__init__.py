"""The files that a run and a measurement leave behind."""

from . import measurements, results
from .comparable import Comparable, describe_comparable
from .finding import Run, find_run, find_runs, load_runs
from .kept import keep_again, keep_predictions, locate_predictions, move_predictions
from .measurements import NO_BENCHMARK, CorpusFacts, Measured
from .migrations import SCHEMA
from .provenance import describe_provenance
from .reading import refuse
from .results import BenchmarkFacts, MethodFacts, Result, Status
from .submitted import submit

__all__ = [
    "NO_BENCHMARK",
    "SCHEMA",
    "BenchmarkFacts",
    "Comparable",
    "CorpusFacts",
    "Measured",
    "MethodFacts",
    "Result",
    "Run",
    "Status",
    "describe_comparable",
    "describe_provenance",
    "find_run",
    "find_runs",
    "keep_again",
    "keep_predictions",
    "load_runs",
    "locate_predictions",
    "measurements",
    "move_predictions",
    "refuse",
    "results",
    "submit",
]
