"""What two results must share to be ranked together, as one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..data import SPLITS, Benchmark, audit
from ..errors import DataError, OptionError
from ..scoring import HEADLINE, know_train
from ..types import Scenario
from .reading import Fault

if TYPE_CHECKING:
    from .results import Result


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
    target, shots = benchmark.corpus(scenario.target), benchmark.setting(scenario.setting).shots
    train, dev = len(target.train), len(target.dev)
    if shots:
        train, dev = shots.count(train, dev)
    return Comparable(
        benchmark.name,
        benchmark.version,
        benchmark.fingerprint(scenario),
        target.types,
        (train, dev, len(target.test)),
    )


@dataclass(frozen=True)
class Gold:
    """What the results of a scenario were counted over: the size of gold, and where its files are here, of each type,
    in each sentence, and by what train has of it; and which test sentences stand in the target's other splits.
    """

    scenario: Scenario
    comparable: Comparable
    size: int
    per_type: Mapping[str, int] | None = None
    per_sentence: tuple[int, ...] | None = None
    by_train: Mapping[str, int] | None = None
    repeated: Mapping[str, tuple[int, ...]] | None = None


def know_gold(benchmark: Benchmark, setting: str, target: str) -> Gold | None:
    """The gold of a scenario as its files say, else as the benchmark pins it; None if nobody says."""
    try:
        (scenario,) = benchmark.list_scenarios(setting, [target])
    except OptionError:
        return None
    try:
        comparable, corpus = describe_comparable(benchmark, scenario), benchmark.corpus(target)
    except DataError:
        return _know_pinned(benchmark, scenario)
    place, entities = know_train(corpus.train), [(s, e) for s in corpus.test for e in s.entities]
    return Gold(
        scenario,
        comparable,
        len(entities),
        per_type=Counter(entity.type for _, entity in entities),
        per_sentence=tuple(len(sentence.entities) for sentence in corpus.test),
        by_train=Counter(place(sentence.surface(entity), entity.type) for sentence, entity in entities),
        repeated=audit.list_repeated(benchmark, replace(scenario, sources=())),
    )


def _know_pinned(benchmark: Benchmark, scenario: Scenario) -> Gold | None:
    domain = benchmark.domain(scenario.target)
    sizes = [domain.splits[name].sentences for name in SPLITS]
    size = domain.splits["test"].entities
    if (
        benchmark.limit
        or domain.types is None
        or size is None
        or None in (*sizes, *benchmark.pinned_hashes(scenario).values())
    ):
        return None
    types = tuple(domain.labels.get(kind, kind) for kind in domain.types)
    train, dev, test = (number or 0 for number in sizes)
    if shots := benchmark.setting(scenario.setting).shots:
        train, dev = shots.count(train, dev)
    data = benchmark.pinned_fingerprint(scenario)
    return Gold(scenario, Comparable(benchmark.name, benchmark.version, data, types, (train, dev, test)), size)


def find_other_gold(know: Callable[[str, str], Gold | None], result: Result) -> Iterator[Fault]:
    """The fields of a result that were counted over other gold than the data have which it names, if these are here."""
    gold = know(result.scenario.setting, result.scenario.target)
    if gold is None or not result.finished or result.comparable != gold.comparable:
        return
    if result.scenario != gold.scenario:
        yield "scenario.sources", f"the sources are {', '.join(gold.scenario.sources)}"
    found = {kind: counts.tp + counts.fn for kind, counts in result.scores[HEADLINE].items()}
    if sum(found.values()) != gold.size:
        yield f"scores.{HEADLINE}", f"counted over {sum(found.values())} entities, gold has {gold.size}"
    for kind, size in gold.per_type.items() if gold.per_type else ():
        if found.get(kind) != size:
            yield f"scores.{HEADLINE}.{kind}", f"counted over {found.get(kind, 0)} entities, gold has {size}"
    if gold.per_sentence and tuple([counts.tp + counts.fn for counts in result.sentences]) != gold.per_sentence:
        yield "sentences", "some have other numbers of entities than gold has"
    sizes = gold.by_train or {}
    for novelty, counts in result.by_train.items() if sizes else ():
        here, there = counts.tp + counts.fn, sizes.get(novelty, 0)
        if here != there:
            yield f"by_train.{novelty}", f"counted over {here} entities, gold has {there}"
    own = {place: n for place, n in (result.repeated or {}).items() if place.startswith(f"{gold.scenario.target}/")}
    if None not in (gold.repeated, result.repeated) and own != gold.repeated:
        yield "repeated", f"other test sentences stand in the other splits of {gold.scenario.target}"
