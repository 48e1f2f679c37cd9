"""What the runs of a row cost, as columns: parameters, seconds and memory, and what was asked of language models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..io import Phase
from ..llm import ANSWERED, Usage
from ..records import Result
from .cells import HOLE, Cell, Fixed, Hole, Several
from .row import Row
from .table import Column


@dataclass(frozen=True)
class Ranked:
    """A row where it stands on a board: with its place, counted from 1, and the name that tells it from the others."""

    place: int
    label: str
    row: Row


def show_mean(values: Sequence[float], digits: int) -> Cell:
    """The mean over runs; a hole without values."""
    return Fixed(fmean(values), digits) if values else Hole()


def show_parameters(runs: Sequence[Result]) -> Cell:
    """How many parameters were trained, and how many there are, in millions."""
    model = runs[0].model
    return Several([Fixed(n / 1e6, 1, after="M") if n else 0 for n in (model.trained, model.total)], " / ")


def show_seconds_per_epoch(runs: Sequence[Result]) -> Cell:
    """Seconds of the last training phase by its epochs; a hole if devices differ."""
    phases = [trained[-1] for trained in _training(runs) if trained]
    return show_mean([phase.seconds / phase.epochs for phase in phases], 2)


def show_seconds_of_training(runs: Sequence[Result]) -> Cell:
    """Seconds of all training phases; a hole if devices differ."""
    return show_mean([sum(p.seconds for p in phases) for phases in _training(runs) if phases], 1)


def show_seconds_per_sentence(runs: Sequence[Result]) -> Cell:
    """Seconds of predicting by sentences, of runs that replayed no answers; a hole if devices differ."""
    phases = [
        p
        for r in _of_one_device(runs)
        for p in r.phases
        if p.name == "predict" and p.sentences and not (r.usage and r.usage.replayed)
    ]
    return show_mean([p.seconds / p.sentences for p in phases], 4)


def show_odd_answers(usages: Sequence[Usage]) -> Cell:
    """How many answers were not plain ones, by what they were instead."""
    odd: Counter[str] = Counter()
    for usage in usages:
        odd.update({state: n for state, n in usage.states.items() if state != ANSWERED})
    return Several([f"{n} {state}" for state, n in sorted(odd.items())], ", ") if odd else 0


def show_days(usages: Sequence[Usage]) -> Cell:
    """The first and the last day of asking."""
    days = sorted({day for usage in usages for day in (usage.first, usage.last)})
    return Several(list(dict.fromkeys((days[0], days[-1]))), " to ")


def show_price(usages: Sequence[Usage]) -> Cell:
    """The sum in US dollars; a hole if one of the prices is not known."""
    costs = [usage.cost for usage in usages if usage.cost is not None]
    return Fixed(sum(costs), 2, before="$") if len(costs) == len(usages) else Hole()


def show_latency(usages: Sequence[Usage]) -> Cell:
    """Three percentiles in seconds, each averaged over runs."""
    return Several([Fixed(fmean(u.latency[p] for u in usages), 2) for p in ("p50", "p90", "p99")], " / ")


def show_waiting(row: Row) -> Cell:
    """Seconds of waiting for rate limits; a hole if answers were replayed."""
    if any(usage.replayed for usage in row.usages):
        return Hole()
    return Fixed(sum(p.waiting for r in row.finished for p in r.phases if p.name == "predict"), 0)


def _training(runs: Sequence[Result]) -> list[list[Phase]]:
    return [[p for p in r.phases if p.epochs] for r in _of_one_device(runs)]


def _of_one_device(runs: Sequence[Result]) -> Sequence[Result]:
    """The runs if their seconds can be compared, else none."""
    return runs if len({r.device for r in runs}) == 1 else []


def _names(names: Sequence[str], between: str = ", ") -> Several:
    """Names in their order, each once."""
    return Several(list(dict.fromkeys(names)), between)


def _runs(show: Callable[[Sequence[Result]], Cell]) -> Callable[[Ranked], Cell]:
    return lambda ranked: show(ranked.row.finished)


def _usages(show: Callable[[Sequence[Usage]], Cell]) -> Callable[[Ranked], Cell]:
    return lambda ranked: show(ranked.row.usages)


METHOD: Column[Ranked] = Column("Method", "left", lambda ranked: ranked.label)

MODEL: Sequence[Column[Ranked]] = (
    Column("Backbone", "left", lambda ranked: ranked.row.backbone),
    Column("Preset", "left", lambda ranked: ranked.row.preset or Hole()),
)

COST: Sequence[Column[Ranked]] = (
    Column("Trained / total", "right", _runs(show_parameters)),
    Column("Train s/epoch", "right", _runs(show_seconds_per_epoch)),
    Column("Train s", "right", _runs(show_seconds_of_training)),
    Column("s/sentence", "right", _runs(show_seconds_per_sentence)),
    Column(
        "Peak memory", "right", _runs(lambda runs: Fixed(max(r.peak_memory for r in runs) / 2**30, 2, after=" GiB"))
    ),
    Column("Precision", "left", _runs(lambda runs: _names(sorted(r.model.precision or HOLE for r in runs)))),
    Column("Device", "left", _runs(lambda runs: _names(sorted(r.device for r in runs), "; "))),
)

ASKED: Sequence[Column[Ranked]] = (
    Column("Model", "left", _usages(lambda usages: _names([u.model for u in usages]))),
    Column("Asked (UTC)", "left", _usages(show_days)),
    Column("Prompt", "left", _usages(lambda usages: _names([u.prompt for u in usages]))),
    Column("Requests", "right", _usages(lambda usages: sum(u.requests for u in usages))),
    Column("Not plain answers", "left", _usages(show_odd_answers)),
    Column("Tokens in", "right", _usages(lambda usages: sum(u.tokens_in for u in usages))),
    Column("Tokens out", "right", _usages(lambda usages: sum(u.tokens_out for u in usages))),
    Column("Cost", "right", _usages(show_price)),
    Column("Latency p50 / p90 / p99", "right", _usages(show_latency)),
    Column("Waiting", "right", lambda ranked: show_waiting(ranked.row)),
)
