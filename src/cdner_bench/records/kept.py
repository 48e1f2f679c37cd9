"""What is kept of a run beside its result: its test predictions, so that everything after the run can be computed
again, and its learning curve.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..errors import PredictionError, ResultError
from ..io import parse_json, read_bytes, read_text, write_atomic
from ..plugins import Epoch
from .results import Result

CURVE = "curve.jsonl"
"""The learning curve in a run's folder, a line an epoch."""
_LARGEST = 2**30  # bytes


def locate_predictions(leaderboards: Path, result: Result) -> Path:
    """Where the predictions of a result are kept: `predictions/`, by the path of the result below `results/`."""
    return (leaderboards / "predictions" / result.path).with_suffix(".jsonl.gz")


def locate_curve(leaderboards: Path, result: Result) -> Path:
    """Where the learning curve of a result is kept: beside its predictions."""
    return place_curve(locate_predictions(leaderboards, result))


def place_curve(kept: Path) -> Path:
    """The place beside the kept predictions of a run where its learning curve is kept."""
    return kept.with_name(f"{kept.name.removesuffix('.jsonl.gz')}.{CURVE}")


def encode_curve(curve: Sequence[Epoch]) -> str:
    """A learning curve as JSONL."""
    return "".join(f"{json.dumps(asdict(epoch))}\n" for epoch in curve)


def read_curve(place: Path) -> list[Epoch]:
    """The learning curve in a file. Raises `ResultError` naming the line that is no epoch."""
    found = []
    hint = f"remove it: rm {place}"
    for number, line in enumerate(read_text(place, ResultError, hint).splitlines(), start=1):
        try:
            found.append(_read_epoch(parse_json(line)))
        except (ValueError, TypeError) as error:
            raise ResultError(f"{place}:{number}: {error}", hint=hint) from None
    return found


def _read_epoch(record: object) -> Epoch:
    if not isinstance(record, dict):
        raise ValueError("an epoch is an object")
    epoch = Epoch(**record)
    numbers = epoch.numbers
    if not (isinstance(epoch.phase, str) and type(epoch.epoch) is int and isinstance(numbers, dict)):
        raise ValueError("an epoch has the name of a phase, a number and an object of numbers")
    for name, value in numbers.items():
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"{name} is no number")
    return epoch


def keep_predictions(lines: bytes, place: Path) -> None:
    """Write JSONL compressed, the same bytes for the same lines; nothing is written if they are there already."""
    packed = gzip.compress(lines, mtime=0)
    if not place.exists() or _read(place) != packed:
        write_atomic(place, packed)


def keep_again(lines: bytes, place: Path) -> None:
    """Bring a file of predictions, compressed or a run's own, to today's form."""
    if place.suffix == ".gz":
        keep_predictions(lines, place)
    elif _read(place) != lines:
        write_atomic(place, lines)


def _read(place: Path) -> bytes:
    """What a file of predictions holds. Raises `PredictionError` for what is no file."""
    return read_bytes(place, PredictionError, f"remove it: rm {place}", largest=_LARGEST)


def move_predictions(leaderboards: Path, before: Result, after: Result) -> None:
    """Let what is kept beside a result go with it where its path is another now, because options have changed names."""
    for locate in (locate_predictions, locate_curve):
        old, new = locate(leaderboards, before), locate(leaderboards, after)
        if old != new and old.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            old.replace(new)
