"""The paper's numbers that need no model: recomputed from the data, beside the printed ones.

What is printed, and by which analysis it comes out, is data: the `checks` of `benchmarks/paper/*.toml`.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from . import analyses
from .analyses import Job
from .benchmark import Benchmark
from .context import Observer
from .files import benchmarks_dir
from .measurement import Number
from .method import Analysis
from .plugins import Registry

MATCH, DIFFERS, NOT_RUN, DRAWN = "match", "differs", "not run", "another draw"
HOLE = "–"


@dataclass(frozen=True)
class Check:
    """A row of numbers that the paper prints, by domain, with `digits` after the point, and how to recompute it.

    They are a `number` that `analysis` measures of `corpus`, divided by `divisor`. In the domains `differs` the paper
    is known to be off, for a `reason`; `not_run` says why nothing can be recomputed; `draw` that it hangs on a random
    draw which the paper does not tell.
    """

    table: str
    quantity: str
    printed: Mapping[str, float]
    digits: int = 0
    analysis: str = ""
    corpus: str = ""
    number: str = ""
    divisor: int = 1
    options: Mapping[str, object] = field(default_factory=dict)
    differs: Sequence[str] = ()
    reason: str = ""
    not_run: str = ""
    draw: bool = False

    def text(self, value: float | None) -> str:
        """A number with as many digits as the paper prints."""
        return HOLE if value is None else f"{value:,.{self.digits}f}"


@dataclass(frozen=True)
class Finding:
    """A check and what came out."""

    check: Check
    recomputed: Mapping[str, float]

    def verdict(self, domain: str) -> str:
        """Whether the numbers of a domain are equal as printed."""
        check = self.check
        if domain not in self.recomputed:
            return NOT_RUN
        if check.text(self.recomputed[domain]) == check.text(check.printed[domain]):
            return MATCH
        return DRAWN if check.draw else DIFFERS

    @property
    def holds(self) -> bool:
        """Whether everything that should match does, and nothing else."""
        if self.check.not_run:
            return True
        expected = {d: DIFFERS if d in self.check.differs else MATCH for d in self.check.printed}
        return all(self.verdict(d) in (expected[d], DRAWN) for d in expected)

    @property
    def remark(self) -> str:
        """One line: match, or the reason why not."""
        check = self.check
        off = [d for d in check.printed if self.verdict(d) != MATCH]
        if check.not_run:
            return f"{NOT_RUN}: {check.not_run}"
        if not off and not check.differs:
            return MATCH
        if not self.holds:
            return f"MISMATCH in {', '.join(off) or 'nothing, though one is known'}"
        if check.draw:
            return f"{DRAWN}: the paper does not say which explanations it mixed in"
        return f"{' and '.join(off)}: {check.reason}"


@dataclass(frozen=True)
class Average:
    """An average that the paper prints beside the values it is of. `reason` is given where it is known to be off."""

    table: str
    method: str
    setting: str
    printed: float
    mean: float
    reason: str

    @property
    def matches(self) -> bool:
        """Whether the mean of the printed values is the printed average."""
        return f"{self.mean:.2f}" == f"{self.printed:.2f}"

    @property
    def holds(self) -> bool:
        """Whether it matches, unless it is known not to."""
        return self.matches != bool(self.reason)


def findings(benchmark: Benchmark, registry: Registry, observer: Observer) -> Iterator[Finding]:
    """Every check that is about `benchmark`, recomputed. Raises `DataError` where its data is not here."""
    known: dict[tuple[str, str, str], Mapping[str, Mapping[str, Number]]] = {}
    for check in _checks(benchmark.name):
        if check.not_run:
            yield Finding(check, {})
            continue
        key = (check.analysis, check.corpus, repr(dict(check.options)))
        if key not in known:
            known[key] = _numbers(check, benchmark, registry, observer)
        numbers = {d: known[key][d][check.number] for d in check.printed}
        yield Finding(check, {d: value / check.divisor for d, value in numbers.items() if value is not None})


def averages(benchmark: str) -> Iterator[Average]:
    """Every printed average of F1 values about `benchmark`, beside their mean."""
    for table in _tables(benchmark):
        for row in table.get("rows", ()):
            if "average" in row:
                mean = fmean(row["f1"].values())
                yield Average(
                    table["table"], row["method"], row["setting"], row["average"], mean, row.get("reason", "")
                )


def _numbers(
    check: Check, benchmark: Benchmark, registry: Registry, observer: Observer
) -> Mapping[str, Mapping[str, Number]]:
    entry = registry.analysis(check.analysis)
    values = entry.spec.resolve(None, check.options, Analysis)
    found = {}
    with tempfile.TemporaryDirectory() as work:
        for text in analyses.texts(check.corpus, benchmark, list(check.printed)):
            assert text.domain is not None
            made = analyses.measure(Job(entry, values, text, benchmark, 0), Path(work), observer)
            found[text.domain.name] = made.measurement.numbers
    return found


def _checks(benchmark: str) -> Iterator[Check]:
    for table in _tables(benchmark):
        for check in table.get("checks", ()):
            yield Check(table=table["table"], **check)


def _tables(benchmark: str) -> list[Mapping[str, Any]]:
    paths = sorted((benchmarks_dir() / "paper").glob("table-*.toml"))
    tables: list[Mapping[str, Any]] = [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]
    return [table for table in tables if table["benchmark"] == benchmark]
