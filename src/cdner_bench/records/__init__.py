"""The files that a run and a measurement leave behind."""

from . import measurements, results
from .measurements import NO_BENCHMARK, CorpusFacts, Measured
from .results import INCOMPLETE, NOT_RUN, BenchmarkFacts, MethodFacts, Result

__all__ = [
    "INCOMPLETE",
    "NOT_RUN",
    "NO_BENCHMARK",
    "BenchmarkFacts",
    "CorpusFacts",
    "Measured",
    "MethodFacts",
    "Result",
    "measurements",
    "results",
]
