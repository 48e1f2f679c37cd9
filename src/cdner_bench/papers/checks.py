"""A paper's numbers that need no model: recomputed from the data, beside the printed ones.

What is printed, and by which analysis it comes out, is data: the `checks` of `benchmarks/paper/<paper>/table-*.toml`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean

from ..data import Benchmark
from ..knowledge import gtok
from ..plugins import Analysis, Number, Observer, Registry
from ..reporting import HOLE
from ..running import analyses
from .printed import Paper

MATCH, DIFFERS, NOT_RUN = "match", "differs", "not run"


@dataclass(frozen=True)
class Check:
    """A row of numbers that the paper prints, by domain, with `digits` after the point, and how to recompute it.

    They are a `number` that `analysis` measures of `corpus`, divided by `divisor`. In the domains `differs` the paper
    is known to be off, for a `reason`; `not_run` says why nothing can be recomputed. What hangs on a random draw that
    the paper does not tell is recomputed for so many `draws`, and should lie between the least and the largest.
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
    draws: int = 1

    def format(self, value: float) -> str:
        """A number with as many digits as the paper prints."""
        return f"{value:,.{self.digits}f}"


@dataclass(frozen=True)
class Finding:
    """A check and what came out."""

    check: Check
    recomputed: Mapping[str, Sequence[float]]
    """By domain, a number a draw."""

    def format(self, domain: str) -> str:
        """The recomputed number, or the range that the draws span."""
        values = self.recomputed.get(domain)
        if not values:
            return HOLE
        return " to ".join(dict.fromkeys(self.check.format(value) for value in (min(values), max(values))))

    def judge(self, domain: str) -> str:
        """Whether the numbers of a domain are equal as printed."""
        values = self.recomputed.get(domain)
        if not values:
            return NOT_RUN
        low, printed, high = (
            float(self.check.format(v).replace(",", "")) for v in (min(values), self.check.printed[domain], max(values))
        )
        return MATCH if low <= printed <= high else DIFFERS

    @property
    def holds(self) -> bool:
        """Whether everything that should match does, and nothing else."""
        if self.check.not_run:
            return True
        check = self.check
        return all(self.judge(d) == (DIFFERS if d in check.differs else MATCH) for d in check.printed)

    @property
    def remark(self) -> str:
        """One line: match, or the reason why not."""
        check = self.check
        if check.not_run:
            return f"{NOT_RUN}: {check.not_run}"
        off = [d for d in check.printed if self.judge(d) != MATCH]
        if not self.holds:
            return f"MISMATCH in {', '.join(off) or 'nothing, though one is known'}"
        if off:
            return f"{' and '.join(off)}: {check.reason}"
        return MATCH if check.draws == 1 else f"{MATCH}: within {check.draws} draws"


@dataclass(frozen=True)
class Claim:
    """A number that the paper prints although others that it prints determine it: an average, or a repeated value.

    `reason` is given where it is known to be off.
    """

    table: str
    what: str
    printed: float
    follows: float
    reason: str

    @property
    def matches(self) -> bool:
        """Whether the numbers agree as printed."""
        return f"{self.follows:.2f}" == f"{self.printed:.2f}"

    @property
    def holds(self) -> bool:
        """Whether it matches, unless it is known not to."""
        return self.matches != bool(self.reason)


def recompute(paper: Paper, benchmark: Benchmark, registry: Registry, observer: Observer) -> Iterator[Finding]:
    """Every check of the paper that is about `benchmark`, recomputed. Raises `DataError` where its data is not here."""
    known: dict[str, list[Mapping[str, Mapping[str, Number]]]] = {}
    read = cache(gtok.records)  # many draws are made of few files
    for check in _list_checks(paper, benchmark.name):
        if check.not_run:
            yield Finding(check, {})
            continue
        key = repr((check.analysis, check.corpus, dict(check.options), check.draws))
        if key not in known:
            known[key] = [
                _compute_numbers(check, seed, benchmark, registry, observer, read) for seed in range(check.draws)
            ]
        values = {d: [draw[d][check.number] for draw in known[key]] for d in check.printed}
        yield Finding(check, {d: [v / check.divisor for v in vs if v is not None] for d, vs in values.items()})


def list_claims(paper: Paper, benchmark: str) -> Iterator[Claim]:
    """Every printed average of F1 values about `benchmark`, and every F1 that one table repeats from another."""
    printed = {(row["setting"], row["method"]): row["f1"] for _, row in paper.list_rows(benchmark)}
    for table in paper.list_tables(benchmark):
        name = table["table"]
        for row in table.get("rows", ()):
            if "average" in row:
                what = f"average of {row['method']}, {row['setting']}"
                yield Claim(name, what, row["average"], fmean(row["f1"].values()), row.get("reason", ""))
        for again in table.get("repeated", ()):
            for domain, value in again["f1"].items():
                what = f"{again['method']}, {again['setting']}, {domain}, of Table {again['of']}"
                follows = printed[again["setting"], again["method"]][domain]
                yield Claim(name, what, value, follows, again.get("reasons", {}).get(domain, ""))


def _compute_numbers(
    check: Check, seed: int, benchmark: Benchmark, registry: Registry, observer: Observer, read: analyses.Read
) -> Mapping[str, Mapping[str, Number]]:
    entry = registry.analysis(check.analysis)
    values = entry.spec.resolve(None, check.options, Analysis)
    numbers = {}
    with tempfile.TemporaryDirectory() as work:
        for text in analyses.texts(check.corpus, benchmark, list(check.printed), seed=seed, read=read):
            assert text.domain is not None
            made = analyses.measure(analyses.MeasurementJob(entry, values, text, benchmark, seed), Path(work), observer)
            numbers[text.domain.name] = made.measurement.numbers
    return numbers


def _list_checks(paper: Paper, benchmark: str) -> Iterator[Check]:
    for table in paper.list_tables(benchmark):
        for check in table.get("checks", ()):
            yield Check(table=table["table"], **check)
