"""One run in full: what it was, how it learnt, what it cost, what it got wrong, and where it lies."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..data import Benchmark, benchmark
from ..errors import CdnerError
from ..io import Phase
from ..marking import Piece, cut_pieces
from ..plugins import Epoch
from ..records import Result, describe_comparable, read_curve
from ..scoring import HEADLINE, OUTSIDE, PROTOCOLS, diagnosis, pair, read_kept, total
from ..types import Prediction, Sentence
from .stored import Stored


@dataclass(frozen=True)
class Wrong:
    """A test sentence that was answered wrongly, with the answer and the errors in it."""

    sentence: Sentence
    prediction: Prediction
    mistakes: Sequence[diagnosis.Mistake]

    @property
    def errors(self) -> str:
        """How many errors it has of each class, in words."""
        return ", ".join(f"{number} {kind}" for kind, number in Counter(m.kind for m in self.mistakes).items())

    @property
    def lines(self) -> dict[str, list[Piece]]:
        """Gold and what was said, in pieces."""
        gold, said = self.sentence.entities, self.prediction.entities
        unplaced = [mistake.said for mistake in self.mistakes if isinstance(mistake.said, tuple)]
        return {"gold": cut_pieces(self.sentence, gold), "said": cut_pieces(self.sentence, said, gold, unplaced)}


@dataclass(frozen=True)
class Portrait:
    """What can be said of a run. `wrong` has the sentences with errors, most errors first; None where they cannot be
    had. `notes` say what cannot be shown, and why.
    """

    stored: Stored
    curve: Sequence[Epoch]
    wrong: Sequence[Wrong] | None
    notes: Sequence[str]

    @property
    def errors(self) -> Counter[str]:
        """How many errors there are of each class."""
        return diagnosis.count_errors(mistake for wrong in self.wrong or () for mistake in wrong.mistakes)

    def to_data(self, most: int) -> dict[str, Any]:
        """It as values of JSON, with at most so many sentences."""
        stored, result = self.stored, self.stored.result
        said: dict[str, Any] = {
            "run": stored.id,
            "name": stored.name,
            "state": stored.state,
            "reason": stored.reason,
            "stale": stored.stale,
            "made": stored.made,
            "seconds": stored.seconds,
            "where": stored.where,
            "paths": {what: str(place) for what, place in stored.paths.items()},
            "bytes": stored.size,
        }
        if result is not None:
            said |= _describe(result)
        said["curve"] = [asdict(epoch) for epoch in self.curve]
        if self.wrong is not None:
            said["errors"] = dict(self.errors)
            said["sentences"] = [_to_data(wrong) for wrong in self.wrong[:most]]
        if result is None or not result.finished:
            said["log"] = stored.log_tail
        return {**said, "notes": list(self.notes)}


def portray(stored: Stored, data: Benchmark | None = None, most: int | None = None) -> Portrait:
    """Gather what can be said of a run: its errors only where its predictions and the `data` that it answered are here;
    without `data`, those of the shipped benchmark of its name are looked for. With `most`, the errors are those of that
    many sentences, the ones that its record says have the most, and the answers to others are not read.
    """
    notes, curve, wrong = [], [], None
    result = stored.result
    if stored.run and stored.run.curve:
        try:
            curve = read_curve(stored.run.curve)
        except CdnerError as error:
            notes.append(f"no learning curve: {_tell(error)}")
    elif result and any(phase.epochs for phase in result.phases):
        notes.append("no learning curve was kept")
    if stored.run and result and result.finished:
        try:
            wrong = _find_wrong(stored, data or benchmark.load_recorded(result.benchmark.name), most)
        except CdnerError as error:
            notes.append(f"no errors with their sentences: {_tell(error)}")
    elif stored.folder and os.path.isfile(said := stored.folder / "predictions.jsonl"):
        with said.open("rb") as stream:
            notes.append(f"{sum(1 for _ in stream):,} test sentences were answered before it ended")
    return Portrait(stored, curve, wrong, notes)


def list_facts(stored: Stored) -> list[tuple[str, str]]:
    """What a run was, how it stands and what is odd about it, as names and what they stand for."""
    return [*_tell_state(stored), *(_tell_facts(stored.result, stored.changes) if stored.result else ())]


def tell_phase(phase: Phase) -> str:
    """What a reader has to know of the seconds of a phase."""
    busy = f"busy: others kept {phase.others:.1f} cores" if not phase.quiet else ""
    waited = f"{phase.waiting:.0f} s of waiting" if phase.waiting else ""
    return ", ".join(filter(None, ("reused" if phase.reused else "", busy, waited)))


def _tell_state(stored: Stored) -> Iterator[tuple[str, str]]:
    score = stored.result.f1(HEADLINE) if stored.result else None
    yield "state", ", ".join([str(stored.state), *([f"F1 {score:.2f}"] if score is not None else [])])
    if stored.reason:
        yield "reason", stored.reason
    if stored.stale:
        yield "stale", f"on no board: {stored.stale}"
    yield "made", stored.made


def _tell_facts(result: Result, changes: str) -> Iterator[tuple[str, str]]:
    """What the run was, and what is odd about it, as far as there is something to say."""
    method, model, scenario = result.method, result.model, result.scenario
    yield "benchmark", f"{result.benchmark.name} version {result.benchmark.version}, data {result.benchmark.data[:8]}"
    yield "transfer", f"{scenario.setting}: {', '.join(scenario.sources)} → {scenario.target}"
    yield "method", f"{method.name} revision {method.revision}, preset {method.preset or 'none'}, seed {result.seed}"
    yield "options", changes or f"as {'the preset says' if method.preset else 'by default'}"
    trained = f": {model.trained / 1e6:,.1f}M of {model.total / 1e6:,.1f}M parameters trained" if model.total else ""
    yield "backbone", f"{result.backbone}{trained}{f', {model.precision}' if model.precision else ''}"
    if result.learnt_from:
        yield "learnt from", result.learnt_from
    if result.device:
        memory = f", {result.peak_memory / 2**30:.2f} GiB at most" if result.peak_memory else ""
        yield "device", f"{result.device}{memory}"
    if plugin := result.provenance.get("plugin"):
        packages = result.provenance.get("packages", {})
        harness = f", cdner-bench {packages.get('cdner-bench', '?')} at {str(result.provenance.get('commit'))[:8]}"
        yield "code", f"{plugin.get('name')} {plugin.get('release') or ''} {plugin.get('code')}{harness}"
    if usage := result.usage:
        cost = "price not known" if usage.cost is None else f"${usage.cost:.2f}"
        tokens = f"{usage.read:,} tokens in, {usage.written:,} out"
        yield "asked", f"{usage.model} at {usage.server}: {usage.sent:,} requests, {tokens}, {cost}"
    for doubt in result.doubts:
        yield "doubt", str(doubt)
    if odd := [f"{number:,} {name}" for name, number in result.answers.items()]:
        yield "answers", ", ".join(odd)


def _tell(error: CdnerError) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)


def _find_wrong(stored: Stored, data: Benchmark, most: int | None) -> list[Wrong]:
    """Raises `CdnerError` if data or predictions are not here, or are others."""
    assert stored.run is not None
    result, place = stored.run.result, stored.run.predictions
    if describe_comparable(data, result.scenario) != result.comparable:
        raise CdnerError(f"the data of {data.given} here are not those of the run")
    target = data.corpus(result.scenario.target)
    only = None
    if most is not None:
        counts = [c.fp + c.fn for c in result.sentences]
        only = {n for n in sorted(range(len(counts)), key=lambda n: (-counts[n], n))[:most] if counts[n]}
    predictions = read_kept(place, target.test, target.types, only)
    asked = [sentence for n, sentence in enumerate(target.test) if only is None or n in only]
    found = []
    for sentence, prediction in pair(asked, predictions):
        if mistakes := list(diagnosis.list_errors([(sentence, prediction)])):
            found.append(Wrong(sentence, prediction, mistakes))
    return sorted(found, key=lambda wrong: -len(wrong.mistakes))


def _describe(result: Result) -> dict[str, Any]:
    method = result.method
    said = {
        "benchmark": asdict(result.benchmark),
        "setting": result.scenario.setting,
        "sources": list(result.scenario.sources),
        "target": result.scenario.target,
        "method": method.name,
        "revision": method.revision,
        "preset": method.preset,
        "row": method.row,
        "options": dict(method.options),
        "departures": list(result.departures),
        "seed": result.seed,
        "model": {**asdict(result.model), "backbone": result.backbone},
        "learnt_from": result.learnt_from,
        "device": result.device,
        "peak_memory": result.peak_memory,
        "phases": [asdict(phase) for phase in result.phases],
        "usage": asdict(result.usage) if result.usage else None,
        "doubts": list(map(str, result.doubts)),
        "answers": dict(result.answers),
        "provenance": dict(result.provenance),
    }
    if result.finished:
        said["f1"] = {name: result.f1(name) for name in PROTOCOLS if name in result.scores}
        said["types"] = {
            kind: {**asdict(c), "precision": c.precision, "recall": c.recall, "f1": c.f1}
            for kind, c in [*result.scores[HEADLINE].items(), ("micro", total(result.scores[HEADLINE].values()))]
            if kind != OUTSIDE or c.fp
        }
    return said


def _to_data(wrong: Wrong) -> dict[str, Any]:
    sentence = wrong.sentence
    return {
        "id": sentence.id,
        "text": sentence.text,
        "gold": [[e.start, e.end, e.type] for e in sentence.entities],
        "predicted": [[e.start, e.end, e.type] for e in wrong.prediction.entities],
        "errors": [
            {key: value for key, value in mistake.to_data().items() if key not in ("id", "text")}
            for mistake in wrong.mistakes
        ],
    }
