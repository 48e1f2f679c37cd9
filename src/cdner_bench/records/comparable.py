"""What two results must share to be ranked together, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from ..data import Benchmark
from ..types import Scenario


@dataclass(frozen=True)
class Comparable:
    """Benchmark and version, the hash of the splits that a run could see (`data`; other files about a domain are the
    method's own business), the label set of the target, and the sizes of its splits in sentences (train, dev, test).
    """

    benchmark: str
    version: str
    data: str
    types: tuple[str, ...]
    sentences: tuple[int, int, int]


def describe_comparable(benchmark: Benchmark, scenario: Scenario) -> Comparable:
    """The value that all runs of a scenario share. Reads and checks the files; raises `DataError` if it cannot."""
    target = benchmark.corpus(scenario.target)
    return Comparable(
        benchmark.name,
        benchmark.version,
        benchmark.fingerprint(scenario),
        target.types,
        (len(target.train), len(target.dev), len(target.test)),
    )
