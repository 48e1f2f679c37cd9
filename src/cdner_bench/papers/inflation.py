"""What a score of the released scorer means in strict F1: an estimate, in a closed form and by simulation.

The released scorer weighs a found entity by its words (w), and so a wrong prediction (v), if its text is in the
sentence; it does not see a share h of the wrong ones; and it counts u for a missed entity, 1 if nothing is said twice.
So with the strict counts

    released F1 = 2 w tp / (2 w tp + v (1 - h) fp + u fn),    strict F1 = 2 tp / (2 tp + fp + fn),

and with r = fp / fn wrong predictions for each missed entity, the odds of error (1 - F1) / F1 of the strict score are
`k = w (1 + r) / (v (1 - h) r + u)` times those of the released one, however good the method is.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from ..data import Benchmark
from ..errors import DataError, ResultError
from ..records import Result
from ..reporting import HOLE, Cell, Column, Fixed, Hole, Several, Table
from ..scoring import HEADLINE, PROTOCOLS, RELEASED, Counts, sentence_counts, total
from ..types import Corpus, Entity, Prediction, Reason, Rejected, Sentence
from .printed import Paper, show_percent

LEAST_F1 = 30.0
"""Strict F1 in percent below which a run says nothing of how a good one errs."""

LEVELS = [step / 4 for step in range(1, 13)]
"""How often the simulation errs, in multiples of the `SHARES`."""

SHARES = {"dropped": 0.12, "retyped": 0.10, "moved": 0.08, "spurious": 0.06}
"""Of gold entities: dropped, given another type, one end moved by a token; and predictions where there is nothing."""

ABSENT = "text that no sentence has"


@dataclass(frozen=True)
class Errors:
    """How a method errs: words of a found entity and of a wrong prediction that the released scorer sees, the share of
    wrong predictions that it does not see, wrong predictions for each missed entity, and how many the released scorer
    counts for each of these.
    """

    found: float
    wrong: float
    unseen: float
    per_missed: float
    missed: float = 1.0

    @classmethod
    def of_counts(cls, strict: Counts, released: Counts, projected: Counts) -> Errors:
        """What the counts of one run say: unseen are those that are not in their sentence, which `bio-projected`
        forgets.
        """
        seen = projected.fp
        return cls(
            released.tp / strict.tp,
            released.fp / seen if seen else 1.0,
            1 - seen / strict.fp if strict.fp else 0.0,
            strict.fp / strict.fn,
            released.fn / strict.fn,
        )

    @property
    def odds(self) -> float:
        """The odds of error of the strict score by those of the released one: the k above."""
        seen = self.wrong * (1 - self.unseen) * self.per_missed
        return self.found * (1 + self.per_missed) / (seen + self.missed)


def estimate_strict(released: float, odds: float) -> float:
    """The strict F1 in percent behind a released one, by the odds of error of the one by those of the other."""
    return 100 / (1 + odds * (100 / released - 1)) if released > 0 else 0.0


def measure_errors(results: Iterable[Result]) -> dict[str, list[Errors]]:
    """How the finished runs of a benchmark err, by target domain: all that miss something, and whose score is neither
    doubtful nor below `LEAST_F1`.
    """
    found: dict[str, list[Errors]] = {}
    for result in results:
        needed = [result.scores.get(name) for name in (HEADLINE, RELEASED, "bio-projected")]
        strict, released, projected = (total((per_type or {}).values()) for per_type in needed)
        if all(needed) and strict.f1 >= LEAST_F1 and min(strict.fn, released.fn) > 0 and not result.doubts:
            errors = Errors.of_counts(strict, released, projected)
            found.setdefault(result.scenario.target, []).append(errors)
    return found


def draw_errors(
    sentences: Iterable[Sentence], types: Sequence[str], level: float, unseen: float, seed: int = 0
) -> Iterator[tuple[Sentence, Prediction]]:
    """Gold with errors drawn into it: `SHARES` of it times `level`; of what is wrong, the share `unseen` is a text that
    is not in the sentence.
    """
    rng = random.Random(seed)
    dropped, retyped, moved, spurious = (share * level for share in SHARES.values())
    for sentence in sentences:
        size, said, wrong = len(sentence.tokens), [], []
        for entity in sentence.entities:
            luck = rng.random()
            if luck >= dropped + retyped + moved:
                said.append(entity)
            elif luck >= dropped + moved:
                others = [kind for kind in types if kind != entity.type]
                wrong.append(Entity(entity.start, entity.end, rng.choice(others or [ABSENT])))
            elif luck >= dropped:
                ends = ((entity.start - 1, entity.end), (entity.start + 1, entity.end),
                        (entity.start, entity.end - 1), (entity.start, entity.end + 1))  # fmt: skip
                start, end = rng.choice([(a, b) for a, b in ends if 0 <= a < b <= size] or [(0, size)])
                wrong.append(Entity(start, end, entity.type))
            if rng.random() < spurious:
                length = min(entity.end - entity.start, size)
                start = rng.randrange(size - length + 1)
                wrong.append(Entity(start, start + length, rng.choice(types)))
        made_up = [rng.random() < unseen for _ in wrong]
        placed = {*said, *(e for e, away in zip(wrong, made_up, strict=True) if not away)}
        rejected = (
            Rejected(e.type, f"{ABSENT} {n}", Reason.NOT_IN_SENTENCE)
            for n, (e, away) in enumerate(zip(wrong, made_up, strict=True))
            if away
        )
        yield sentence, Prediction(sentence.id, tuple(sorted(placed)), tuple(rejected))


def simulate(corpus: Corpus, unseen: float, levels: Sequence[float] = LEVELS) -> list[tuple[float, float]]:
    """Released and strict F1 in percent of errors drawn into the test split, from few errors to many."""
    points = [(100.0, 100.0)]
    for seed, level in enumerate(levels):
        pairs = list(draw_errors(corpus.test, corpus.types, level, unseen, seed))
        strict = total(sentence_counts(sentence, prediction) for sentence, prediction in pairs)
        points.append((total(PROTOCOLS[RELEASED](pairs, corpus.types).values()).f1, strict.f1))
    return points


def read_off(points: Sequence[tuple[float, float]], released: float) -> float | None:
    """The strict F1 between the two simulated points that a released one lies between; None if it lies beyond them."""
    for (high, above), (low, below) in pairwise(points):
        if low <= released <= high:
            return below + (above - below) * (released - low) / (high - low) if high > low else below
    return None


@dataclass(frozen=True)
class Estimated:
    """A printed score, and the least and the greatest strict F1 that it may stand for. `domain` is None of an average:
    the mean of the ends over all domains.
    """

    table: str
    setting: str
    method: str
    domain: str | None
    printed: float
    closed: tuple[float, float]
    simulated: tuple[float, float] | None


@dataclass(frozen=True)
class InflationPage:
    """The scores that a paper prints and most likely had from the released scorer, in strict F1. An estimate."""

    paper: Paper
    benchmark: Benchmark
    errors: Mapping[str, Sequence[Errors]]
    rows: Sequence[Estimated]

    @property
    def title(self) -> str:
        """The page is about one paper."""
        return f"What the scores of {self.paper.called} are in {HEADLINE}: an estimate"

    @property
    def lead(self) -> str:
        """Where the page comes from."""
        return "Written by `cdner-bench protocols --paper`; docs/scoring.md states the assumptions."

    def tables(self) -> list[Table]:
        """The estimates, and what they are taken from."""
        return [self._tabulate_rows(), self._tabulate_errors()]

    def records(self) -> list[dict[str, Any]]:
        """One record a printed score."""
        return [
            {
                "paper": self.paper.name,
                "table": row.table,
                "benchmark": self.benchmark.name,
                "setting": row.setting,
                "method": row.method,
                "target": row.domain or "average",
                "printed": row.printed,
                "strict_low": row.closed[0],
                "strict_high": row.closed[1],
                "simulated_low": row.simulated and row.simulated[0],
                "simulated_high": row.simulated and row.simulated[1],
                "estimate": True,
            }
            for row in self.rows
        ]

    def _tabulate_rows(self) -> Table:
        note = (
            f"An estimate, nothing measured: strict span micro-F1 if the printed score is {RELEASED}'s and the errors "
            "are like those below. Closed form: for every run there. Simulated: errors drawn into gold, with the least "
            "and the greatest share unseen."
        )
        columns = [
            Column[Estimated]("Table", "left", lambda row: row.table),
            Column[Estimated]("Setting", "left", lambda row: row.setting, 5),
            Column[Estimated]("Method", "left", lambda row: row.method, 9),
            Column[Estimated]("Domain", "left", lambda row: row.domain or "average", 8),
            Column[Estimated]("Printed", "right", lambda row: show_percent(row.printed), 7),
            Column[Estimated]("Strict, closed form", "right", lambda row: _show_range(row.closed, 1), 7, "strict"),
            Column[Estimated]("Strict, simulated", "right", lambda row: _show_range(row.simulated, 1), 6, "simulated"),
        ]
        return Table(self.title, columns, self.rows, note)

    def _tabulate_errors(self) -> Table:
        note = (
            f"Of every finished run of {self.benchmark.name} with {HEADLINE} of at least {LEAST_F1:.0f}, least to "
            "greatest: words of a found entity and of a wrong span, share of wrong predictions that are not in their "
            "sentence, wrong predictions for each missed entity, missed ones that the released scorer counts for each, "
            "and how many times as high the odds of error are in strict F1."
        )
        columns = [
            Column[str]("Domain", "left", lambda domain: domain, 9),
            Column[str]("Runs", "right", lambda domain: len(self.errors[domain]), 5),
            *(
                _show_measured(self.errors, title, name)
                for title, name in (
                    ("Words found", "found"), ("Words wrong", "wrong"), ("Unseen", "unseen"),
                    ("Wrong / missed", "per_missed"), ("Counted", "missed"), ("Odds", "odds"),
                )
            ),
        ]  # fmt: skip
        return Table("How the runs here err", columns, list(self.errors), note)


def estimate_printed(paper: Paper, benchmark: Benchmark, results: Iterable[Result]) -> InflationPage:
    """Every row that the paper most likely had from the released scorer. Without the data nothing is simulated; raises
    `ResultError` where a domain has no run that tells how methods err.
    """
    errors = measure_errors(results)
    rows: list[Estimated] = []

    @cache
    def points(domain: str) -> list[list[tuple[float, float]]]:
        shares = [each.unseen for each in errors[domain]]
        return [simulate(benchmark.corpus(domain), unseen) for unseen in (max(shares), min(shares))]

    for setting in benchmark.settings:
        for table, row in paper.list_rows(benchmark.name, setting):
            if row["method"] not in paper.released:
                continue
            made = []
            for domain, printed in row["f1"].items():
                if domain not in errors:
                    raise ResultError(
                        f"no finished run on {domain} has {HEADLINE} of {LEAST_F1:.0f} or more: nothing tells how "
                        "methods err there",
                        hint="name the folder of results with --out",
                    )
                closed = [estimate_strict(printed, each.odds) for each in errors[domain]]
                try:
                    read = [read_off(each, printed) for each in points(domain)]
                except DataError:
                    read = [None]
                simulated = [value for value in read if value is not None]
                whole = (min(simulated), max(simulated)) if len(simulated) == len(read) else None
                place = (table, setting, row["method"], domain)
                made.append(Estimated(*place, printed, (min(closed), max(closed)), whole))
            rows += [*made, *_average(made, row.get("average"))]
    domains = {row.domain for row in rows}
    return InflationPage(paper, benchmark, {d: errors[d] for d in errors if d in domains}, rows)


def _average(rows: Sequence[Estimated], printed: float | None) -> Iterator[Estimated]:
    """The mean over all domains, where the paper prints one."""
    if printed is None:
        return
    first = rows[0]
    ends = [row.simulated for row in rows if row.simulated]
    simulated = _mean(ends) if len(ends) == len(rows) else None
    yield Estimated(first.table, first.setting, first.method, None, printed, _mean([r.closed for r in rows]), simulated)


def _mean(ranges: Sequence[tuple[float, float]]) -> tuple[float, float]:
    low, high = (sum(ends) / len(ranges) for ends in zip(*ranges, strict=True))
    return low, high


def _show_range(ends: tuple[float, float] | None, digits: int) -> Cell:
    return Hole() if ends is None else Several([Fixed(end, digits) for end in ends], HOLE)


def _show_measured(errors: Mapping[str, Sequence[Errors]], title: str, name: str) -> Column[str]:
    def cell(domain: str) -> Cell:
        values = [getattr(each, name) for each in errors[domain]]
        return _show_range((min(values), max(values)), 2)

    return Column(title, "right", cell, 3, name)
