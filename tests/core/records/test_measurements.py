"""The record of a measurement: files of every form that there ever was, and what an interval may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdner_bench import Interval, Measurement
from cdner_bench.errors import ResultError
from cdner_bench.records import measurements
from samples import measured

HISTORY = Path(__file__).parent / "history"


def test_old_files_load_for_ever() -> None:
    """One file per schema number that was ever released, all of the same measurement."""
    files = sorted(HISTORY.glob("measurement-*.json"))
    assert len(files) == measurements.SCHEMA
    first, *others = map(measurements.load, files)
    assert all(other == first for other in others)
    assert first.measurement.intervals == {"variance": Interval(0.07897893889526676, 0.22028140351007108)}
    assert first.measurement.numbers["sample_variance"] is None
    assert not [name for name in first.measurement.numbers if name.endswith(("_low", "_high"))]


def test_intervals_survive_their_file(tmp_path: Path) -> None:
    made = measured("gtok", "ai", 0.1)
    assert made.measurement.intervals
    measurements.save(made, tmp_path / "m.json")
    assert measurements.load(tmp_path / "m.json").measurement.intervals == made.measurement.intervals


def test_a_file_of_a_newer_version_is_named(tmp_path: Path) -> None:
    text = (HISTORY / f"measurement-{measurements.SCHEMA}.json").read_text()
    (tmp_path / "m.json").write_text(text.replace(f'"schema": {measurements.SCHEMA}', '"schema": 99'))
    with pytest.raises(ResultError, match="has schema 99") as caught:
        measurements.load(tmp_path / "m.json")
    assert caught.value.hint == "pip install --upgrade cdner-bench"


def test_an_interval_is_of_a_number_and_has_two_ends() -> None:
    with pytest.raises(ValueError, match="not an interval"):
        Interval(2, 1)
    with pytest.raises(ValueError, match="no such number"):
        Measurement({"mean": None}, intervals={"mean": Interval(0, 1)})
    with pytest.raises(ValueError, match="the interval of mean"):
        Measurement({"mean": 1}, intervals={"mean": Interval(0, float("inf"))})
