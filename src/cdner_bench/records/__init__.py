"""The files that a run and a measurement leave behind."""

from . import measurements, results
from .comparable import Comparable, describe_comparable
from .finding import (
    BEGUN,
    MODEL,
    NAME_ONE,
    UNFINISHED,
    Run,
    choose_plain,
    find_record,
    find_run,
    find_runs,
    list_folders,
    load_named,
    load_own_runs,
    load_run,
    load_runs,
    locate_run,
    tell_apart,
)
from .kept import (
    CURVE,
    encode_curve,
    keep_again,
    keep_predictions,
    locate_curve,
    locate_predictions,
    move_predictions,
    place_curve,
    read_curve,
)
from .measurements import NO_BENCHMARK, CorpusFacts, Measured
from .migrations import SCHEMA
from .provenance import describe_provenance
from .reading import refuse
from .results import BenchmarkFacts, MethodFacts, Result, Status
from .submitted import submit

__all__ = [
    "BEGUN",
    "CURVE",
    "MODEL",
    "NAME_ONE",
    "NO_BENCHMARK",
    "SCHEMA",
    "UNFINISHED",
    "BenchmarkFacts",
    "Comparable",
    "CorpusFacts",
    "Measured",
    "MethodFacts",
    "Result",
    "Run",
    "Status",
    "choose_plain",
    "describe_comparable",
    "describe_provenance",
    "encode_curve",
    "find_record",
    "find_run",
    "find_runs",
    "keep_again",
    "keep_predictions",
    "list_folders",
    "load_named",
    "load_own_runs",
    "load_run",
    "load_runs",
    "locate_curve",
    "locate_predictions",
    "locate_run",
    "measurements",
    "move_predictions",
    "place_curve",
    "read_curve",
    "refuse",
    "results",
    "submit",
    "tell_apart",
]
