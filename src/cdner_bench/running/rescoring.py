"""Results brought to today: the schema of their files, the names of options, and the scorer with all its protocols."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..data import Benchmark, audit
from ..errors import DataError, PredictionError, ResultError
from ..plugins import Method, Registered, Registry, options
from ..records import (
    MethodFacts,
    Result,
    describe_comparable,
    keep_again,
    keep_predictions,
    locate_predictions,
    move_predictions,
    refuse,
    results,
)
from ..scoring import encode, read_kept


class Change(StrEnum):
    """What became of a result."""

    RESCORED = "scored again from its predictions"
    LIFTED = "its file brought to today's form, its scores as they were"
    NOTHING = "as it was"


@dataclass(frozen=True)
class Rescored:
    """A result as it is now, its file, and what changed."""

    result: Result
    path: Path
    change: Change


def rescore(out: Path, benchmark: Benchmark, registry: Registry) -> Iterator[Rescored]:
    """Go through the results of a benchmark below `out/leaderboards` and write those that change.

    Predictions come from `leaderboards/predictions` or from the run's folder. A result whose name on the disk follows
    from options that are called otherwise today moves to its new name. What is no result, what has predictions that are
    none, and what would take the place of another result stay as they are, with a `RefusedWarning`.
    """
    boards = out / "leaderboards"
    for before in results.load_all(boards / "results", benchmark):
        path, lifted = boards / "results" / before.path, rename_options(before, registry)
        place = boards / "results" / lifted.path
        if place != path and place.exists():
            said = f"{path} belongs at {place} by today's options of its method, and another result is there"
            refuse(ResultError(said, hint=f"remove the one that is not wanted: rm {shlex.quote(str(path))}"))
            continue
        move_predictions(boards, before, lifted)
        try:
            after = _find_and_score(lifted, out, benchmark)
        except PredictionError as error:
            refuse(error)
            continue
        if place == path and path.read_text(encoding="utf-8") == results.to_text(after):
            yield Rescored(after, place, Change.NOTHING)
            continue
        results.save(after, place)
        if place != path:
            path.unlink()
        counted = [(r.scores, r.by_train, r.answers, r.doubts) for r in (before, after)]
        yield Rescored(after, place, Change.LIFTED if counted[0] == counted[1] else Change.RESCORED)


def rename_options(result: Result, registry: Registry) -> Result:
    """The result with today's names of its method's options, in today's order. An option that there was not when it was
    made has the default, which leaves runs as they were, or the method's revision would be another. The result of a
    method that is not installed stays as it is.
    """
    entry = next((entry for entry in registry if entry.spec.name == result.method.name), None)
    if entry is None or result.predictions_only:
        return result
    method = replace(result.method, **modernise(entry, result.method.options))
    given = entry.spec.list_given(method.options)
    return replace(result, method=method, departures=find_departures(entry, method), given=given)


def find_departures(entry: Registered, method: MethodFacts) -> tuple[str, ...]:
    """The options that are not what the preset says; of a preset that there is no more, not the defaults."""
    preset = method.preset if method.preset in entry.spec.presets else None
    own = options.as_dict(entry.spec.resolve(preset, {}))
    return tuple(name for name, value in method.options.items() if own.get(name) != value)


def modernise(entry: Registered, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of the options of a method, from options as an older record has them."""
    formerly: Mapping[str, str] = getattr(entry.spec.load(Method).Options, "formerly", {})
    renamed = {formerly.get(name, name): value for name, value in recorded.items()}
    today = entry.spec.resolve(None, {})
    named = {**options.as_dict(today), **renamed}
    backbone = next(iter(options.names_with_role(today, options.backbone)), None)
    return {
        "options": named,
        "backbone": named.get(backbone) if backbone else None,
        "knowledge_options": options.names_with_role(today, options.chooses_knowledge),
    }


def _find_and_score(result: Result, out: Path, benchmark: Benchmark) -> Result:
    """The result under today's scorer, if its predictions are there and answer the test split that is here."""
    if not result.finished:
        return result
    kept = locate_predictions(out / "leaderboards", result)
    plain = out / "runs" / result.run / "predictions.jsonl"
    place = kept if kept.exists() else plain
    try:
        if result.comparable != describe_comparable(benchmark, result.scenario):
            return result
        if not place.exists():
            return replace(result, repeated=audit.list_repeated(benchmark, result.scenario))
    except DataError:
        return result
    if place == plain:
        keep_predictions(plain.read_bytes(), kept)
    return score_again(result, place, benchmark)


def score_again(result: Result, place: Path, benchmark: Benchmark) -> Result:
    """The result of a finished run under today's scorer, from its predictions for the test split of its target; as it
    is, if they are not there. Where a text is read otherwise today, so are the predictions in their file.

    Raises `PredictionError` for predictions that do not answer the test split.
    """
    if not os.path.lexists(place):
        return result
    target = benchmark.corpus(result.scenario.target)
    predictions = read_kept(place, target.test, target.types)
    keep_again("".join(f"{encode(prediction)}\n" for prediction in predictions).encode(), place)
    return results.put_scores(result, benchmark, predictions)
