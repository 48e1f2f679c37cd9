"""Files in, a `Corpus` out: benchmarks pinned by hash, readers of formats, download, audit."""

from . import benchmark, readers, shots
from .benchmark import SPLITS, Benchmark, DataFile
from .gazetteer import Gazetteer
from .readers import conll

__all__ = [
    "SPLITS",
    "Benchmark",
    "DataFile",
    "Gazetteer",
    "audit",
    "benchmark",
    "conll",
    "download",
    "interchange",
    "making",
    "own",
    "readers",
    "shots",
]
