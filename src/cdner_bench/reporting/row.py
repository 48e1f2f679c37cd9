"""A row of a leaderboard: the results of one method with its options, and what its cells say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev
from typing import Any

from ..llm import ANSWERED, Usage
from ..records import INCOMPLETE, NOT_RUN, Result
from ..scoring import HEADLINE

HOLE = "–"


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, its sample standard deviation (None for one seed) and the number of seeds."""

    mean: float
    sd: float | None
    n: int

    @classmethod
    def over(cls, values: Sequence[float]) -> Estimate | None:
        """None where there is nothing to estimate from."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, len(values)) if values else None

    def __str__(self) -> str:
        return f"{self.mean:.2f}" if self.sd is None else f"{self.mean:.2f} ± {self.sd:.2f}"


@dataclass(frozen=True)
class Row:
    """All results of one method with one set of options in one setting."""

    results: Sequence[Result]
    targets: Sequence[str]

    @property
    def method(self) -> str:
        """The method's name."""
        return self.results[0].method.name

    @cached_property
    def finished(self) -> Sequence[Result]:
        """Those that have scores."""
        return [r for r in self.results if r.finished]

    def seeds(self, target: str) -> dict[int, Result]:
        """The finished runs of one target by seed."""
        return {r.seed: r for r in self.finished if r.scenario.target == target}

    def f1(self, target: str, protocol: str = HEADLINE) -> Estimate | None:
        """Micro-F1 of one target."""
        values = [r.f1(protocol) for r in self.seeds(target).values()]
        return Estimate.over([value for value in values if value is not None])

    def average(self, protocol: str = HEADLINE) -> Estimate | None:
        """The mean over all targets, by seed; only seeds that every target has. None if there is no such seed."""
        runs = [
            {seed: value for seed, r in self.seeds(target).items() if (value := r.f1(protocol)) is not None}
            for target in self.targets
        ]
        common = sorted(set.intersection(*map(set, runs)))
        return Estimate.over([fmean(by_seed[seed] for by_seed in runs) for seed in common])

    @property
    def rank_key(self) -> tuple[Any, ...]:
        """Best average first; incomplete rows last; then by name."""
        average = self.average()
        return (average is None, -(average.mean if average else 0.0), self.method, self.results[0].method.row)

    def cell(self, target: str) -> str:
        """F1 of one target, or why there is none."""
        estimate = self.f1(target)
        if estimate:
            return str(estimate)
        holes = {r.status for r in self.results if r.scenario.target == target}
        return "not run" if NOT_RUN in holes else "incomplete" if INCOMPLETE in holes else HOLE

    @property
    def model(self) -> tuple[str, str]:
        """Backbone and preset."""
        first = (self.finished or self.results)[0]
        options = first.method.options
        named = first.model.backbone if self.finished else options.get("backbone") or options.get("model") or "none"
        return str(named), first.method.preset or HOLE

    def cost(self) -> list[str]:
        """Parameters, seconds and memory: the cells of the table of costs."""
        runs = self.finished
        training = [[p for p in r.phases if p.epochs] for r in runs]
        per_epoch = [phases[-1].seconds / phases[-1].epochs for phases in training if phases]
        in_all = [sum(p.seconds for p in phases) for phases in training if phases]
        predict = [
            p.seconds / p.sentences
            for r in runs
            for p in r.phases
            if p.name == "predict" and p.sentences and not (r.usage and r.usage.replayed)
        ]
        if len({r.device for r in runs}) > 1:
            per_epoch, in_all, predict = [], [], []
        return [
            f"{_millions(runs[0].model.trained)} / {_millions(runs[0].model.total)}",
            f"{fmean(per_epoch):.2f}" if per_epoch else HOLE,
            f"{fmean(in_all):.1f}" if in_all else HOLE,
            f"{fmean(predict):.4f}" if predict else HOLE,
            f"{max(r.peak_memory for r in runs) / 2**30:.2f} GiB",
            ", ".join(sorted({r.model.precision or HOLE for r in runs})),
            "; ".join(sorted({r.device for r in runs})),
        ]

    @property
    def usages(self) -> list[Usage]:
        """What its runs asked of language models, if they did."""
        return [r.usage for r in self.finished if r.usage and r.usage.requests]

    def asked(self) -> list[str]:
        """The cells of the table of language models."""
        found = self.usages
        days = sorted({day for u in found for day in (u.first, u.last)})
        odd: Counter[str] = Counter()
        for u in found:
            odd.update({state: n for state, n in u.states.items() if state != ANSWERED})
        costs = [u.cost for u in found if u.cost is not None]
        waited = [p.waiting for r in self.finished for p in r.phases if p.name == "predict"]
        replayed = any(u.replayed for u in found)
        return [
            ", ".join(dict.fromkeys(u.model for u in found)),
            " to ".join(dict.fromkeys((days[0], days[-1]))),
            ", ".join(dict.fromkeys(u.prompt for u in found)),
            f"{sum(u.requests for u in found):,}",
            ", ".join(f"{n} {state}" for state, n in sorted(odd.items())) or "0",
            f"{sum(u.tokens_in for u in found):,}",
            f"{sum(u.tokens_out for u in found):,}",
            f"${sum(costs):.2f}" if len(costs) == len(found) else HOLE,
            " / ".join(f"{fmean(u.latency[p] for u in found):.2f}" for p in ("p50", "p90", "p99")),
            HOLE if replayed else f"{sum(waited):.0f}",
        ]


def _millions(number: int) -> str:
    return f"{number / 1e6:.1f}M" if number else "0"
