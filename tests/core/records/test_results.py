from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench.errors import ResultError
from cdner_bench.records import SCHEMA, results
from samples import RESULT

HISTORY = Path(__file__).parent / "history"


def test_saving_and_loading_is_the_identity(tmp_path: Path) -> None:
    results.save(RESULT, tmp_path / "r.json")
    assert results.load(tmp_path / "r.json") == RESULT
    assert next(iter(json.loads((tmp_path / "r.json").read_text()))) == "schema"


def test_a_row_is_a_method_with_its_options() -> None:
    other = replace(RESULT.method, revision="9", preset="cpu")
    assert other.row == RESULT.method.row
    assert replace(other, options={"backbone": "c", "epochs": 3}).row != RESULT.method.row
    assert RESULT.path == Path(f"mini/single/ai/m-{RESULT.method.row}-0.json")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t[: len(t) // 2], "is not JSON"),
        (lambda t: "", "is not JSON"),
        (lambda t: "[]", "is no result: it has no schema"),
        (lambda t: t.replace('"schema": 7', '"schema": 99'), "has schema 99, this version reads up to 7"),
        (lambda t: t.replace('"seed"', '"sed"'), "is not a result of schema 7"),
        (lambda t: t.replace("1/0/3", "1/0"), "is not a result of schema 7"),
        (lambda t: t.replace('"doubts": []', '"doubts": ["it rained"]'), "is not a result of schema 7: doubts.0"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, damage: object, message: str) -> None:
    path = tmp_path / "r.json"
    results.save(RESULT, path)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(ResultError, match=rf"r\.json {message}"):
        results.load(path)


def test_old_files_load_for_ever() -> None:
    """One file per schema number that was ever released."""
    files = sorted(HISTORY.glob("schema-*.json"))
    assert len(files) == SCHEMA
    for path in files:
        assert results.load(path).f1("span-f1") == pytest.approx(RESULT.f1("span-f1"))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.json"
    results.save(RESULT, path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        results.save(replace(RESULT, seed=1), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]
