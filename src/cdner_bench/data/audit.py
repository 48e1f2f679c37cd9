"""What is in a benchmark's data: counts, duplicates, conflicting labels, and how much of the test split was seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations

from ..errors import DataError
from ..types import Corpus, Scenario, Sentence
from .benchmark import SPLITS, Benchmark


@dataclass(frozen=True)
class SplitStats:
    """Counts of one split, as in Table 8 of the TOPT paper."""

    domain: str
    split: str
    sentences: int
    tokens: int
    entities: int
    types: int
    words_per_entity: float
    without_entities: int


@dataclass(frozen=True)
class Overlap:
    """How many sentences of one split also stand, token for token, in another."""

    one: str
    other: str
    sentences: int


@dataclass(frozen=True)
class Conflict:
    """The same tokens with different labels: the ids that disagree."""

    text: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """Share of a test split's mentions whose (type, text), and whose text, also occurs in the domain's train split."""

    domain: str
    with_type: float
    text_only: float


LONG = 300
"""A sentence of more tokens is hardly one: the longest of CrossNER has half as many."""


def describe_long(corpus: Corpus, splits: Sequence[str] = SPLITS) -> list[str]:
    """The splits of a domain that have sentences of more than `LONG` tokens, in a sentence each: whoever leaves out the
    empty lines of a file makes one sentence of it.
    """
    remarks = []
    for split in splits:
        sizes = [len(sentence.tokens) for sentence in getattr(corpus, split)]
        long = sum(size > LONG for size in sizes)
        if long:
            remarks.append(
                f"{corpus.name} {split}: {long:,} of {len(sizes):,} sentences have more than {LONG} tokens, the "
                f"longest {max(sizes):,}: blank lines between sentences may be missing"
            )
    return remarks


FEW = 5
"""Of a type with fewer mentions little can be learnt, and its F1 says little."""


def describe_splits(corpus: Corpus) -> list[str]:
    """What makes a score on a domain doubtful, in a sentence each: dev that is test, sentences in two splits, types of
    which there are too few.
    """
    tokens = {split: [s.tokens for s in getattr(corpus, split)] for split in SPLITS}
    remarks = []
    same = set(tokens["dev"]) == set(tokens["test"])
    if same:
        remarks.append(f"{corpus.name}: dev and test are the same sentences, so the epoch is chosen on what is scored")
    for one, other in combinations(SPLITS, 2):
        shared = _count_shared(tokens[one], tokens[other])
        if shared and not (same and (one, other) == ("dev", "test")):
            remarks.append(f"{corpus.name}: {shared:,} of {len(tokens[other]):,} {other} sentences stand in {one} too")
    for split in ("train", "test"):
        counts = Counter(e.type for s in getattr(corpus, split) for e in s.entities)
        if not counts:
            remarks.append(f"{corpus.name}: {split} has no entity at all, so that a score says nothing")
        if few := [f"{kind} ({counts[kind]})" for kind in corpus.types if counts[kind] < FEW]:
            remarks.append(f"{corpus.name}: {split} has fewer than {FEW} mentions of {', '.join(few)}")
    return remarks


def describe_own(benchmark: Benchmark, domains: Iterable[str]) -> list[str]:
    """What is to be said of those of some domains that are somebody's own, and that can be read."""
    remarks = []
    for name in domains:
        if benchmark.domain(name).is_own:
            with suppress(DataError):  # what cannot be read is said where it is needed
                remarks += describe_splits(benchmark.corpus(name))
    return remarks


def count_splits(benchmark: Benchmark) -> list[SplitStats]:
    """Counts of every split of every domain."""
    return [_count_split(benchmark.corpus(name), split) for name in benchmark.domains for split in SPLITS]


def _count_split(corpus: Corpus, split: str) -> SplitStats:
    sentences: Sequence[Sentence] = getattr(corpus, split)
    entities = [entity for s in sentences for entity in s.entities]
    words = sum(e.end - e.start for e in entities)
    return SplitStats(
        corpus.name,
        split,
        len(sentences),
        sum(len(s.tokens) for s in sentences),
        len(entities),
        len({e.type for e in entities}),
        words / len(entities) if entities else 0.0,
        sum(not s.entities for s in sentences),
    )


def find_overlaps(benchmark: Benchmark) -> list[Overlap]:
    """Every pair of splits, within and across domains, that shares sentences."""
    texts = {
        f"{name}/{split}": [s.tokens for s in getattr(benchmark.corpus(name), split)]
        for name in benchmark.domains
        for split in SPLITS
    }
    overlaps = []
    for one, other in combinations(texts, 2):
        if shared := _count_shared(texts[one], texts[other]):
            overlaps.append(Overlap(one, other, shared))
    return overlaps


def _count_shared(one: Iterable[tuple[str, ...]], other: Iterable[tuple[str, ...]]) -> int:
    """How many sentences of the other split stand in the one, too."""
    known = frozenset(one)
    return sum(tokens in known for tokens in other)


def list_repeated(benchmark: Benchmark, scenario: Scenario) -> dict[str, tuple[int, ...]]:
    """Which test sentences of a scenario's target, counted from 0, also stand, token for token, in a split that a run
    of it can learn from; by domain/split, where there are any.
    """
    test = benchmark.corpus(scenario.target).test
    found = {}
    for name in (*scenario.sources, scenario.target):
        corpus = benchmark.corpus(name)
        for split in ("train", "dev"):
            known = frozenset(s.tokens for s in getattr(corpus, split))
            found[f"{name}/{split}"] = tuple(n for n, s in enumerate(test) if s.tokens in known)
    return {place: positions for place, positions in found.items() if positions}


def find_conflicts(benchmark: Benchmark) -> list[Conflict]:
    """Groups of identical sentences, within and across domains, that carry different labels."""
    groups: dict[tuple[str, ...], list[Sentence]] = defaultdict(list)
    for name in benchmark.domains:
        corpus = benchmark.corpus(name)
        for sentence in (*corpus.train, *corpus.dev, *corpus.test):
            groups[sentence.tokens].append(sentence)
    return [
        Conflict(group[0].text, tuple(s.id for s in group))
        for group in groups.values()
        if len({s.entities for s in group}) > 1
    ]


def measure_seen(benchmark: Benchmark) -> list[Seen]:
    """The share of test mentions seen in training, per domain."""
    shares = []
    for name in benchmark.domains:
        corpus = benchmark.corpus(name)
        train = {(e.type, s.surface(e)) for s in corpus.train for e in s.entities}
        texts = {text for _, text in train}
        mentions = [(e.type, s.surface(e)) for s in corpus.test for e in s.entities]
        if mentions:
            with_type = sum(m in train for m in mentions) / len(mentions)
            shares.append(Seen(name, with_type, sum(text in texts for _, text in mentions) / len(mentions)))
    return shares
