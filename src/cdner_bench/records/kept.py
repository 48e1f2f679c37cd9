"""The test predictions of a run, kept beside its result so that everything after the run can be computed again."""

from __future__ import annotations

import gzip
from pathlib import Path

from ..errors import PredictionError
from ..io import read_bytes, write_atomic
from .results import Result

_LARGEST = 2**30  # bytes


def locate_predictions(leaderboards: Path, result: Result) -> Path:
    """Where the predictions of a result are kept: `predictions/`, by the path of the result below `results/`."""
    return (leaderboards / "predictions" / result.path).with_suffix(".jsonl.gz")


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
    """Let the predictions of a result go with it where its path is another now, because options have changed names."""
    old, new = locate_predictions(leaderboards, before), locate_predictions(leaderboards, after)
    if old != new and old.exists():
        new.parent.mkdir(parents=True, exist_ok=True)
        old.replace(new)
