"""What the runs of a row cost, as columns: parameters, seconds and memory, and what was asked of language models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..io import Phase
from ..llm import ANSWERED, Usage
from ..records import Result
from ..scoring import SEEN, UNSEEN
from ..types import Cut, Interval, Reason
from .cells import HOLE, Cell, Fixed, Hole, Remarked, Several
from .row import Ratio, Row
from .table import Column


@dataclass(frozen=True)
class Ranked:
    """A row where it stands on a board: with its place, counted from 1, if it has one; the name that tells it from the
    others; and the backbone, with its precision where the rows of the board differ in that. `interval` is that of the
    average, `tied` says that it is among those that cannot be told from the best, `younger` that its backbone was
    published after the test sentences, and so may have read them.
    """

    place: int | None
    label: str
    row: Row
    backbone: str
    interval: Interval | None = None
    tied: bool = False
    younger: bool = False


def show_mean(values: Sequence[float], digits: int) -> Cell:
    """The mean over runs; a hole without values."""
    return Fixed(fmean(values), digits) if values else Hole()


def show_parameters(runs: Sequence[Result]) -> Cell:
    """How many parameters were trained, and how many there are, in millions, as far as they are known."""
    counts = (runs[0].model.trained, runs[0].parameters)
    return Several([HOLE if n is None else Fixed(n / 1e6, 1, after="M") if n else 0 for n in counts], " / ")


def show_learnt(runs: Sequence[Result]) -> Cell:
    """What each stage of training went through, epochs included: the mean over runs, by the stage's first word."""
    stages: dict[str, float] = {}
    for run in runs:
        for phase in run.phases:
            if phase.epochs:
                stage = phase.name.partition(" ")[0]
                stages[stage] = stages.get(stage, 0) + phase.sentences / len(runs)
    return Several([f"{stage} {items:,.0f}" for stage, items in stages.items()], " · ") if stages else Hole()


def show_seconds_per_epoch(runs: Sequence[Result]) -> Cell:
    """Seconds of the last training phase by its epochs; a hole if devices differ."""
    return _show_seconds([(trained[-1].seconds / trained[-1].epochs, trained[-1:]) for trained in _training(runs)], 2)


def show_seconds_of_training(runs: Sequence[Result]) -> Cell:
    """Seconds of all training phases; a hole if devices differ."""
    return _show_seconds([(sum(p.seconds for p in phases), phases) for phases in _training(runs)], 1)


def show_seconds_of_judging(runs: Sequence[Result]) -> Cell:
    """Seconds of answering dev, to choose the epoch; a hole if devices differ, or if dev was part of training."""
    judged = [[p for p in r.phases if p.name == "dev"] for r in _of_one_device(runs)]
    return _show_seconds([(sum(p.seconds for p in phases), phases) for phases in judged if phases], 1)


def show_seconds_per_sentence(runs: Sequence[Result]) -> Cell:
    """Seconds of predicting by sentences, of runs that replayed no answers; a hole if devices differ."""
    phases = [
        p
        for r in _of_one_device(runs)
        for p in r.phases
        if p.name == "predict" and p.sentences and not (r.usage and r.usage.replayed)
    ]
    return _show_seconds([(p.seconds / p.sentences, [p]) for p in phases], 4)


def _show_seconds(taken: Sequence[tuple[float, Sequence[Phase]]], digits: int) -> Cell:
    """The mean of seconds, each with the phases that took them: of those on a machine of which it is known that it did
    nothing else, or, if there are none, of all, and marked if one was busy.
    """
    quiet = [seconds for seconds, phases in taken if all(p.quiet and p.others is not None for p in phases)]
    if quiet or all(phase.quiet for _, phases in taken for phase in phases):
        return show_mean(quiet or [seconds for seconds, _ in taken], digits)
    return Remarked(Fixed(fmean(seconds for seconds, _ in taken), digits), "busy")


def show_odd_answers(usages: Sequence[Usage]) -> Cell:
    """How many answers were not plain ones, by what they were instead."""
    odd: Counter[str] = Counter()
    for usage in usages:
        odd.update({state: n for state, n in usage.states.items() if state != ANSWERED})
    return Several([f"{n} {state}" for state, n in sorted(odd.items())], ", ") if odd else 0


def show_models(usages: Sequence[Usage]) -> Cell:
    """The models that answered, marked if there were several, or if one said that it was in several states."""
    names = _names([usage.model for usage in usages])
    states = {usage.fingerprint for usage in usages if usage.fingerprint}
    mixed = len(names.values) > 1 or len(states) > 1 or any(usage.mixed for usage in usages)
    return Remarked(names, "mixed") if mixed else names


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
    return Fixed(sum(p.waiting for r in row.finished for p in r.phases), 0)


def show_given(ranked: Ranked) -> Cell:
    """What the method may learn from; a hole if it does not say."""
    given = ranked.row.given
    return Hole() if given is None else Several([str(word) for word in given] or ["nothing"], ", ")


def show_share_read_in_part(ranked: Ranked) -> Cell:
    """The share of the test sentences that were not wholly read; a hole if it is not known."""
    share = ranked.row.share_read_in_part(ranked.row.targets)
    return Hole() if share is None else Fixed(share, 1, after=" %")


def _average(ratio: Ratio) -> Callable[[Ranked], Cell]:
    return lambda ranked: ranked.row.average_of(ratio) or Hole()


def _training(runs: Sequence[Result]) -> list[list[Phase]]:
    """The training phases of each run that has some, if their seconds can be compared: where a language model's answers
    are learnt from, those of runs that replayed none.
    """
    asked = [r for r in _of_one_device(runs) if not (r.usage and r.usage.replayed)]
    phases = [[p for p in r.phases if p.epochs] for r in asked]
    return [trained for trained in phases if trained]


def _count(name: str) -> Callable[[Ranked], Cell]:
    """How many answers or items of answers of a row are of a kind, over all its runs."""
    return lambda ranked: sum(r.answers.get(name, 0) for r in ranked.row.finished)


def _of_one_device(runs: Sequence[Result]) -> Sequence[Result]:
    """The runs if their seconds can be compared, else none."""
    return runs if len({r.device for r in runs}) == 1 else []


def _names(names: Sequence[str], between: str = ", ") -> Several:
    """Names in their order, each once."""
    return Several(list(dict.fromkeys(names)), between)


def _runs(show: Callable[[Sequence[Result]], Cell]) -> Callable[[Ranked], Cell]:
    """What is shown of runs; a hole where nothing ran here, because somebody brought predictions."""
    return lambda ranked: show(ranked.row.made) if ranked.row.made else Hole()


def _usages(show: Callable[[Sequence[Usage]], Cell]) -> Callable[[Ranked], Cell]:
    return lambda ranked: show(ranked.row.usages) if ranked.row.usages else Hole()


METHOD: Column[Ranked] = Column("Method", "left", lambda ranked: ranked.label, 9)

MODEL: Sequence[Column[Ranked]] = (
    Column("Backbone", "left", lambda ranked: ranked.backbone, 6),
    Column("Preset", "left", lambda ranked: ranked.row.preset or Hole(), 3),
)

PARAMETERS: Column[Ranked] = Column("Trained / total", "right", _runs(show_parameters))

TRAINED: Column[Ranked] = Column("Train s", "right", _runs(show_seconds_of_training), 1)

DEVICE: Column[Ranked] = Column(
    "Device", "left", _runs(lambda runs: _names(sorted(r.device or HOLE for r in runs), "; "))
)

COST: Sequence[Column[Ranked]] = (
    PARAMETERS,
    Column("Learnt from", "left", _runs(show_learnt)),
    Column("Train s/epoch", "right", _runs(show_seconds_per_epoch)),
    TRAINED,
    Column("Dev s", "right", _runs(show_seconds_of_judging)),
    Column("s/sentence", "right", _runs(show_seconds_per_sentence)),
    Column(
        "Peak memory", "right", _runs(lambda runs: Fixed(max(r.peak_memory for r in runs) / 2**30, 2, after=" GiB"))
    ),
    Column("Precision", "left", _runs(lambda runs: _names(sorted(r.model.precision or HOLE for r in runs)))),
    DEVICE,
)

ANSWERS: Sequence[Column[Ranked]] = (
    Column("Answers", "right", _count("read")),
    Column("Cut at the limit", "right", _count(f"{Cut.ANSWER} cut")),
    Column("Prompts cut", "right", _count(f"{Cut.PROMPT} cut")),
    *(Column(reason.value.capitalize(), "right", _count(reason.value)) for reason in Reason),
)

CUT_OFF: Sequence[Column[Ranked]] = (
    Column("Sentences", "right", _count("unseen sentences")),
    Column("Tokens", "right", _count("unseen tokens")),
    Column("Gold entities", "right", _count("unseen entities")),
)

LATER = "later"
"""The mark of a backbone that is younger than the test sentences."""


def show_published(ranked: Ranked) -> Cell:
    """The month in which the backbone was published, marked if it may have read the test sentences."""
    month = ranked.row.published
    return Remarked(Several([month], ""), LATER) if ranked.younger else month or Hole()


FAIRNESS: Sequence[Column[Ranked]] = (
    Column("Was given", "left", show_given),
    Column("Published", "left", show_published),
    Column("Without known", "right", _average(Result.f1_without_repeated), key="f1_without_known"),
    Column("Seen in train", "right", _average(lambda r: r.f1_by_train(SEEN)), key="f1_seen"),
    Column("Unseen", "right", _average(lambda r: r.f1_by_train(UNSEEN)), key="f1_unseen"),
    Column("Read in part", "right", show_share_read_in_part),
)

PRICE: Column[Ranked] = Column("Cost", "right", _usages(show_price))

ASKED: Sequence[Column[Ranked]] = (
    Column("Model", "left", _usages(show_models)),
    Column("Asked (UTC)", "left", _usages(show_days)),
    Column("Prompt", "left", _usages(lambda usages: _names([u.prompt for u in usages]))),
    Column("Requests", "right", _usages(lambda usages: sum(u.sent for u in usages))),
    Column("Not plain answers", "left", _usages(show_odd_answers)),
    Column("Tokens in", "right", _usages(lambda usages: sum(u.read for u in usages))),
    Column("Tokens out", "right", _usages(lambda usages: sum(u.written for u in usages))),
    PRICE,
    Column("Latency p50 / p90 / p99", "right", _usages(show_latency)),
    Column("Waiting", "right", lambda ranked: show_waiting(ranked.row)),
)
