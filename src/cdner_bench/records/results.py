"""The record of one run: schema first, counts rather than ratios, and where it all came from. Files stay readable.

`docs/results-schema.md` describes every field. A change of meaning raises `SCHEMA` and adds a migration.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, PlainSerializer, PlainValidator, TypeAdapter
from pydantic_core import to_json

from ..data import Benchmark, audit
from ..errors import ResultError
from ..foreign import redact_all
from ..hashing import digest
from ..io import Phase, write_atomic
from ..llm import Usage
from ..plugins import ModelFacts
from ..scoring import FROM_PREDICTIONS, Counts, count_by_train, score, total
from ..types import Doubt, Given, Prediction, Scenario
from .comparable import Comparable, find_other_gold, know_gold
from .faults import find_faults
from .migrations import MIGRATIONS, SCHEMA
from .reading import Form, find_repeated, read, read_all, refuse, show

PREDICTIONS_ONLY = "predictions only"
"""The revision and the preset of a row that somebody's predictions were brought for, and that no run has made."""


class Status(StrEnum):
    """How a run ended that left a record: with scores; without what only the user can give; with answers missing."""

    FINISHED = "finished"
    NOT_RUN = "not-run"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class BenchmarkFacts:
    """Which data: name, version, and the hash over the files that the run could see."""

    name: str
    version: str
    data: str


@dataclass(frozen=True)
class MethodFacts:
    """Which method or analysis, of which revision, with which resolved options. `backbone` is what its options name as
    such, None if it has no such option; `knowledge_options` are those that choose what corpus it learns from.
    """

    name: str
    revision: str
    preset: str | None
    options: Mapping[str, Any]
    backbone: str | None = None
    knowledge_options: tuple[str, ...] = ()

    @cached_property
    def row(self) -> str:
        """Eight hex digits that are equal for runs of one leaderboard row: the method and its options."""
        return digest([self.name, dict(self.options)])[:8]

    @property
    def named_row(self) -> str:
        """What the row is called on the command line and in the names of files."""
        return f"{self.name}-{self.row}"


_COUNTS = re.compile(r"(0|[1-9]\d{0,8})/(0|[1-9]\d{0,8})/(0|-?[1-9]\d{0,8})")


def _read_counts(text: object) -> Counts:
    if not isinstance(text, str):
        raise ValueError(f'{show(text)} is not the text "tp/fp/fn"')
    return _parse_counts(text)


@lru_cache(1 << 16)  # few are different: a thousand results have half a million
def _parse_counts(text: str) -> Counts:
    match = _COUNTS.fullmatch(text)
    if match is None:
        raise ValueError(f'{show(text)} is not "tp/fp/fn", three whole numbers of at most nine digits')
    return Counts(*map(int, match.groups()))


def _read_all_counts(text: object) -> Sequence[Counts]:
    if not isinstance(text, str):
        raise ValueError('not a text of "tp/fp/fn", separated by spaces')
    return list(map(_parse_counts, text.split(" "))) if text else []


FileCounts = Annotated[Counts, PlainValidator(_read_counts), PlainSerializer(str)]
"""In a file: "tp/fp/fn"."""

SentenceCounts = Annotated[
    Sequence[Counts],
    PlainValidator(_read_all_counts),
    PlainSerializer(lambda counts: " ".join(map(str, counts))),
]
"""In a file: the counts of each sentence, separated by spaces."""


@dataclass(frozen=True)
class Result:
    """One line of the record. A run that could not be made (`not-run`), or that lacks answers (`incomplete`), has a
    `reason` and no scores. `comparable` is what it shares with the results that it may be ranked with. `learnt_from`
    names the corpus of explanations that it learnt from, as `analyze` calls it; None: none, or one of the user's own.
    `answers` counts what was odd about generated texts, and what the method could not see (`scoring.count_answers`).
    `doubts` say why the score may say nothing about the method. `departures` names the options whose values are not
    those of the preset, or without one not the defaults. `given` is what the method may learn from, None if it does not
    say. `repeated` are the test sentences that it could know (`audit.list_repeated`), None if nobody has looked;
    `by_train` are the headline's counts by what the target's train split has of an entity (`count_by_train`), empty if
    nobody has counted.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)  # and of what it holds

    status: Status
    run: str
    benchmark: BenchmarkFacts
    scenario: Scenario
    method: MethodFacts
    seed: int
    departures: tuple[str, ...] = ()
    given: tuple[Given, ...] | None = None
    comparable: Comparable | None = None
    model: ModelFacts = field(default_factory=ModelFacts)
    learnt_from: str | None = None
    scores: Mapping[str, Mapping[str, FileCounts]] = field(default_factory=dict)
    sentences: SentenceCounts = ()
    repeated: Mapping[str, tuple[int, ...]] | None = None
    by_train: Mapping[str, FileCounts] = field(default_factory=dict)
    answers: Mapping[str, int] = field(default_factory=dict)
    doubts: Sequence[Doubt] = ()
    phases: Sequence[Phase] = ()
    usage: Usage | None = None
    device: str = ""
    peak_memory: int = 0
    reason: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the run was finished, and so has scores."""
        return self.status is Status.FINISHED

    @property
    def predictions_only(self) -> bool:
        """Whether somebody brought the predictions, so that nothing is known of what made them."""
        return self.method.revision == PREDICTIONS_ONLY

    @property
    def backbone(self) -> str:
        """The model behind the result, known also for a run that was not made; "none" for a method without one."""
        return (self.model.backbone if self.finished else self.method.backbone) or "none"

    @property
    def parameters(self) -> int | None:
        """How many parameters the model has, 0 without a model; None where the record does not say."""
        return self.model.total or (0 if self.backbone == "none" else None)

    def f1(self, protocol: str) -> float | None:
        """Micro-F1 in percent; None under a protocol that the run was not scored with."""
        counts = self.scores.get(protocol)
        return None if counts is None else total(counts.values()).f1

    def f1_without_repeated(self) -> float | None:
        """Micro-F1 in percent over the test sentences that the run could not know; None if it is not known which, or if
        they have no entities.
        """
        return None if self.repeated is None else _f1_of(self._counts_without_repeated)

    @cached_property
    def _counts_without_repeated(self) -> Counts:
        known = frozenset(n for positions in (self.repeated or {}).values() for n in positions)
        return total(counts for n, counts in enumerate(self.sentences) if n not in known)

    def f1_by_train(self, novelty: str) -> float | None:
        """Micro-F1 in percent over the entities of one of `NOVELTIES`; None if they are not counted, or are none."""
        return _f1_of(self.by_train.get(novelty, Counts()))

    def recall_by_train(self, novelty: str) -> float | None:
        """The share in percent of the gold entities of one of `NOVELTIES` that were found; None as above."""
        counts = self.by_train.get(novelty, Counts())
        return counts.recall if counts.tp + counts.fn else None

    @property
    def path(self) -> Path:
        """Where the file lies below a `results` folder."""
        name = f"{self.method.named_row}-{self.seed}.json"
        return Path(self.benchmark.name, self.scenario.setting, self.scenario.target, name)

    @property
    def order(self) -> tuple[str, ...]:
        """A total order over results, for whoever needs one."""
        return (self.method.name, self.method.row, self.scenario.target, f"{self.seed:09d}")


def _f1_of(counts: Counts) -> float | None:
    return counts.f1 if counts.tp + counts.fn else None


def put_scores(result: Result, benchmark: Benchmark, predictions: Sequence[Prediction]) -> Result:
    """The result with the scores of these predictions for its target's test split, and with the doubts that they give
    rise to in place of earlier scores'.
    """
    target = benchmark.corpus(result.scenario.target)
    scores = score(target.test, predictions, target.types)
    kept = [doubt for doubt in result.doubts if doubt not in FROM_PREDICTIONS]
    return replace(
        result,
        scores=scores.protocols,
        sentences=scores.sentences,
        repeated=audit.list_repeated(benchmark, result.scenario),
        by_train=count_by_train(target.train, target.test, predictions),
        answers=scores.answers,
        doubts=[*kept, *scores.doubts],
    )


def to_text(result: Result) -> str:
    """The text of a result file; no key is in it."""
    record = redact_all({"schema": SCHEMA, **make_adapter().dump_python(result, mode="json")})
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def save(result: Result, path: Path) -> None:
    """Write a result file, whole or not at all."""
    write_atomic(path, to_text(result))


def load(path: Path) -> Result:
    """Read a result file of this schema or an older one. Raises `ResultError` naming the file, and the field, for what
    is none, or cannot be right.
    """
    return read(path, FORM)


def load_all(root: Path, of: Benchmark | str = "") -> list[Result]:
    """Every result below a folder `results`, or those of a benchmark, in a fixed order. What cannot be right is left
    out with a `RefusedWarning`: what `load` refuses, files that do not lie where their content says, several results of
    one run, and, where the benchmark is given and its data are here, what was counted over other gold.
    """
    if isinstance(of, str):
        found = read_all(root, of, FORM)
    else:
        found = read_all(root, of.name, FORM, partial(find_other_gold, cache(partial(know_gold, of))))
    repeated = find_repeated(result.run for result in found)
    for run in sorted(repeated):
        one, other, *_ = [root / result.path for result in found if result.run == run]
        refuse(ResultError(f"{one} and {other} are both of run {run}", hint="rm the one that is a copy"))
    return [result for result in found if result.run not in repeated]


def _build(record: dict[str, Any]) -> Result:
    return make_adapter().validate_json(to_json(record))


@cache
def make_adapter() -> TypeAdapter[Result]:
    """What turns a result into plain data and back; it is made once, which takes some milliseconds."""
    return TypeAdapter(Result)


FORM = Form("result", MIGRATIONS, _build, find_faults, "remove it and run again")
