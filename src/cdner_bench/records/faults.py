"""What a result may not say: counts that contradict one another, names that are no names, numbers that cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..errors import did_you_mean
from ..llm import Usage
from ..scoring import HEADLINE, NOVELTIES, OUTSIDE, OWN_GOLD, PROTOCOLS, RELEASED, Counts, total
from ..types import Cut, Reason
from .reading import Fault, find_bad_names, find_bad_provenance, find_long_names, show

if TYPE_CHECKING:
    from .results import Result

_RUN = re.compile(r"[0-9a-f]{16}")
_ANSWERS = sorted(
    ["read", "unseen sentences", "unseen tokens", "unseen entities", *Reason, *(f"{cut} cut" for cut in Cut)]
)
SEEN_SPLITS = ("train", "dev")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def find_faults(result: Result) -> Iterator[Fault]:
    """What contradicts itself in a result, or cannot be."""
    if not _RUN.fullmatch(result.run):
        yield "run", f"{show(result.run)} is not sixteen hex digits"
    place = result.scenario
    named = {f"scenario.sources.{n}": source for n, source in enumerate(place.sources)}
    named |= {"scenario.setting": place.setting, "scenario.target": place.target}
    yield from find_bad_names({"benchmark.name": result.benchmark.name, "method.name": result.method.name, **named})
    if place.target in place.sources or len(set(place.sources)) < len(place.sources):
        yield "scenario.sources", "a domain stands twice, or is the target"
    yield from find_long_names({"learnt_from": result.learnt_from})
    for name in sorted(set(result.departures) - result.method.options.keys()):
        yield "departures", f"{show(name)} is not among the options"
    yield from find_bad_provenance(result.provenance)
    if not result.finished:
        for field in ("scores", "sentences", "repeated", "by_train", "answers"):
            if getattr(result, field):
                yield field, f"a run that is {result.status} has none"
        if not result.reason:
            yield "reason", f"a run that is {result.status} says why"
        return
    if result.reason:
        yield "reason", "a finished run has none"
    yield from _find_wrong_counts(result)
    yield from _find_wrong_sizes(result)
    yield from _find_wrong_fairness(result)
    if result.usage:
        yield from _find_wrong_usage(result.usage)


def _find_wrong_counts(result: Result) -> Iterator[Fault]:
    headline = result.scores.get(HEADLINE)
    if headline is None:
        yield f"scores.{HEADLINE}", "a finished run has this score"
        return
    gold = _count_gold(headline)
    for protocol, per_type in result.scores.items():
        where = f"scores.{protocol}"
        if protocol not in PROTOCOLS:
            yield where, f"no protocol is called so: {did_you_mean(protocol, PROTOCOLS)}"
        for kind, counts in per_type.items():
            if counts.tp + counts.fn < 0 or (counts.fn < 0 and protocol != RELEASED):
                yield f"{where}.{kind}", f"{counts} has a negative count"
        other = gold if protocol in OWN_GOLD else _count_gold(per_type)
        for kind in sorted(gold.keys() | other.keys()) if gold != other else ():
            if gold.get(kind) != other.get(kind):
                sizes = f"{other.get(kind, 0)}, and {gold.get(kind, 0)} under {HEADLINE}"
                yield f"{where}.{kind}", f"tp + fn is {sizes}; it is the size of gold"


def _find_wrong_sizes(result: Result) -> Iterator[Fault]:
    number, headline = len(result.sentences), result.scores[HEADLINE]
    if not number:
        yield "sentences", "a finished run has the counts of every test sentence"
    if negative := [counts for counts in result.sentences if counts.fn < 0]:
        yield "sentences", f"{negative[0]} has a negative count"
    here, there = total(result.sentences), total(headline.values())
    if here != there:
        yield "sentences", f"they add up to {here}, and scores.{HEADLINE} to {there}"
    yield from _find_other_data(result)
    limits = {"read": number, "unseen sentences": number, "unseen entities": here.tp + here.fn}
    for name, count in result.answers.items():
        if name not in _ANSWERS:
            yield f"answers.{name}", f"nothing is counted under this name: {did_you_mean(name, _ANSWERS)}"
        if count > limits.get(name, count):
            yield f"answers.{name}", f"{count} of {limits[name]}"


def _find_wrong_fairness(result: Result) -> Iterator[Fault]:
    seen = [f"{name}/{split}" for name in (*result.scenario.sources, result.scenario.target) for split in SEEN_SPLITS]
    for place, positions in (result.repeated or {}).items():
        where = f"repeated.{place}"
        if place not in seen:
            yield where, f"the run could not see this split: {did_you_mean(place, seen)}"
        if not positions or list(positions) != sorted(set(positions)):
            yield where, "these are no positions, each once and in order"
        if positions and positions[-1] >= len(result.sentences):
            yield where, f"{positions[-1]} is beyond the {len(result.sentences)} test sentences, counted from 0"
    if not result.by_train:
        return
    if result.by_train.keys() != set(NOVELTIES):
        yield "by_train", f"it has {', '.join(NOVELTIES)}"
    for novelty, counts in result.by_train.items():
        if counts.fn < 0:
            yield f"by_train.{novelty}", f"{counts} has a negative count"
    here, there = total(result.by_train.values()), total(result.scores[HEADLINE].values())
    if here != there:
        yield "by_train", f"they add up to {here}, and scores.{HEADLINE} to {there}"


def _find_other_data(result: Result) -> Iterator[Fault]:
    known = result.comparable
    if known is None:
        return
    if (known.benchmark, known.version) != (result.benchmark.name, result.benchmark.version):
        yield "comparable", f"{known.benchmark} version {known.version} is not the benchmark of the result"
    if known.sentences[2] != len(result.sentences):
        yield (
            "comparable.sentences",
            f"the test split has {known.sentences[2]}, and sentences counts {len(result.sentences)}",
        )
    strange = result.scores[HEADLINE].keys() - {*known.types, OUTSIDE} if known.types else ()
    if strange:
        yield f"scores.{HEADLINE}.{min(strange)}", "this is none of comparable.types"


def _find_wrong_usage(usage: Usage) -> Iterator[Fault]:
    for field in ("first", "last"):
        if usage.requests and not _DAY.fullmatch(getattr(usage, field)):
            yield f"usage.{field}", f"{show(getattr(usage, field))} is no day (2026-01-31)"
    if usage.requests and not usage.latency.keys() >= {"p50", "p90", "p99"}:
        yield "usage.latency", "it has p50, p90 and p99"
    if sum(usage.states.values()) > usage.requests:
        yield "usage.states", f"{sum(usage.states.values())} of {usage.requests} requests"


def _count_gold(per_type: Mapping[str, Counts]) -> dict[str, int]:
    """The size of gold by type, of those that it has."""
    return {kind: size for kind, counts in per_type.items() if (size := counts.tp + counts.fn)}
