"""A study as one archive: every file of it, after a manifest that says what each must be. Equal files make equal bytes.

The manifest is the first member, `manifest.json`: the version of this form, of cdner-bench and of the schemas, and of
every file its path below the output folder, its size and its SHA-256.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import OptionError, ResultError
from ..io import check_relative, replacing, sha256, writing
from ..plugins import SHARED_STAGES, read_stages
from ..records import BEGUN, CURVE, MODEL, SCHEMA, measurements
from ..version import __version__
from .stored import State, Stored

FORM = 1
"""The version of the form of an archive."""
SCHEMAS = {"results": SCHEMA, "measurements": measurements.SCHEMA}
MANIFEST = "manifest.json"
MOST_FILES = 100_000
RECORDS = ("run.json", BEGUN)
_OF_RUN = (*RECORDS, "log.txt", "error.txt", "predictions.jsonl", CURVE, SHARED_STAGES)
_HEX = re.compile(r"[0-9a-f]{64}")
_PLACES = re.compile(
    r"leaderboards/(results/.+\.json|measurements/.+\.json|predictions/.+\.(jsonl\.gz|curve\.jsonl)|answers/[^/]+\.jsonl)"
    rf"|runs/([0-9a-f]{{16}}/({'|'.join(map(re.escape, _OF_RUN))}|(stages|{MODEL})/.+)|shared/.+-[0-9a-f]{{16}}/.+"
    r"|answers/[^/]+\.jsonl)"
)


@dataclass(frozen=True)
class Listed:
    """A file of an archive, as the manifest has it."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive holds, and which cdner-bench has made it."""

    files: Sequence[Listed]
    cdner_bench: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def export(
    place: Path, runs: Sequence[Stored], out: Path, measured: Sequence[str] = (), *, whole: bool, weights: bool
) -> Manifest:
    """Write an archive of runs, of the measurements of the benchmarks `measured`, and, of a `whole` study, of all
    measurements and answers of language models; weights only if they are asked for. Runs that somebody makes are left
    out. Raises `OptionError` for a file that is called otherwise than .tar.gz.
    """
    if not place.name.endswith(".tar.gz"):
        raise OptionError(f"{place} does not end in .tar.gz", hint=f"name it {place.name.partition('.')[0]}.tar.gz")
    paths = set[Path]()
    for stored in runs:
        if stored.state is not State.BUSY:
            paths.update(_list_files(stored, out, weights=weights))
    boards = out / "leaderboards"
    if whole or measured:
        found = [m.path for m in measurements.load_all(boards / "measurements")]
        paths.update(boards / "measurements" / path for path in found if whole or path.parts[0] in measured)
    if whole:
        paths.update(path for root in (boards, out / "runs") for path in (root / "answers").glob("*.jsonl"))
    named = sorted((path.relative_to(out).as_posix(), path) for path in paths if os.path.isfile(path))
    listed = [Listed(name, path.stat().st_size, sha256(path)) for name, path in named]
    for file in listed:
        check_path(file.path, str(out))
    if not listed:
        raise ResultError(f"there is nothing to export below {out}", hint="--out FOLDER says where it lies")
    manifest = Manifest(listed, __version__)
    with writing(place.parent, "name another file"):
        _write(place, manifest, [path for _, path in named])
    return manifest


def _list_files(stored: Stored, out: Path, *, weights: bool) -> Iterator[Path]:
    for what, place in stored.paths.items():
        if what != "folder":
            yield place
            continue
        yield from (place / name for name in _OF_RUN)
        if weights:
            kept = (path for part in ("stages", MODEL) for path in (place / part).rglob("*"))
            yield from (path for path in kept if path.suffix not in (".lock", ".lease"))
            for stage in read_stages(place) or ():
                named = check_relative(stage, str(place / SHARED_STAGES))
                yield from (out / "runs" / "shared" / named).rglob("*")


def _write(place: Path, manifest: Manifest, paths: Sequence[Path]) -> None:
    with (
        replacing(place) as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        text = to_text(manifest).encode()
        tar.addfile(_head(MANIFEST, len(text)), io.BytesIO(text))
        for file, path in zip(manifest.files, paths, strict=True):
            _add(tar, file, path)


def _add(tar: tarfile.TarFile, file: Listed, path: Path) -> None:
    with path.open("rb") as stream:
        read = _Hashing(stream)
        try:
            tar.addfile(_head(file.path, file.size), read)
        except OSError as error:
            if error.errno is not None or not str(error).startswith("unexpected end"):
                raise
        if read.hash.hexdigest() != file.sha256 or stream.read(1):
            raise ResultError(f"{path} was changed while it was read", hint="wait for what writes it, and export again")


class _Hashing:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.hash = stream, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read, and hash what was read."""
        content = self.stream.read(size)
        self.hash.update(content)
        return content


def _head(name: str, size: int) -> tarfile.TarInfo:
    """The header of a file: nobody's, of no time."""
    head = tarfile.TarInfo(name)
    head.size = size
    return head


def to_text(manifest: Manifest) -> str:
    """The text of a manifest."""
    files = [asdict(file) for file in manifest.files]
    record = {"archive": FORM, "cdner_bench": manifest.cdner_bench, "schemas": SCHEMAS, "files": files}
    return json.dumps(record, indent=1, ensure_ascii=True) + "\n"


def read_manifest(record: Any, where: str) -> Manifest:
    """The manifest that a value of JSON is. Raises `ResultError` or `DataError` that says what is wrong with it: paths
    that lead elsewhere, or that are two of one name on some file system; sizes and hashes that are none.
    """
    hint = "ask for the archive again"
    if not isinstance(record, dict) or type(record.get("archive")) is not int:
        raise ResultError(f"{where} is no manifest of cdner-bench runs export", hint=hint)
    schemas = record.get("schemas")
    if not isinstance(schemas, dict) or not all(type(number) is int for number in schemas.values()):
        raise ResultError(f"{where}: schemas are numbers by name", hint=hint)
    newer = [name for name, number in schemas.items() if number > SCHEMAS.get(name, 0)]
    if record["archive"] > FORM or newer:
        said = f"schema {schemas[newer[0]]} of {newer[0]}" if newer else f"form {record['archive']}"
        raise ResultError(f"{where} is of {said}, which is newer", hint="pip install --upgrade cdner-bench")
    files = record.get("files")
    if not isinstance(files, list) or not 0 < len(files) <= MOST_FILES:
        raise ResultError(f"{where}: files are a list of at most {MOST_FILES:,}", hint=hint)
    listed = [_read_listed(file, where, hint) for file in files]
    known: dict[str, str] = {}
    for file in listed:
        folded = unicodedata.normalize("NFC", file.path).casefold()
        if folded in known:
            raise ResultError(f"{where}: {known[folded]} and {file.path} are one file on some systems", hint=hint)
        known[folded] = file.path
    for folded, path in known.items():
        parts = folded.split("/")
        if above := next((known[a] for n in range(1, len(parts)) if (a := "/".join(parts[:n])) in known), None):
            raise ResultError(f"{where}: {above} is a file, and the folder of {path}", hint=hint)
    return Manifest(listed, str(record.get("cdner_bench", "")))


def _read_listed(file: object, where: str, hint: str) -> Listed:
    if not isinstance(file, dict) or file.keys() != {"path", "size", "sha256"}:
        raise ResultError(f"{where}: a file has a path, a size and a sha256", hint=hint)
    path, size, digest = file["path"], file["size"], file["sha256"]
    if not isinstance(path, str):
        raise ResultError(f"{where}: a path is a text", hint=hint)
    check_path(path, where)
    if type(size) is not int or size < 0:
        raise ResultError(f"{where}: the size of {path} is none", hint=hint)
    if not isinstance(digest, str) or not _HEX.fullmatch(digest):
        raise ResultError(f"{where}: the sha256 of {path} is none", hint=hint)
    return Listed(path, size, digest)


def check_path(path: str, where: str) -> None:
    """Raises `DataError` for a path that leads elsewhere, and `ResultError` for one of no file of a study."""
    if not _PLACES.fullmatch(check_relative(path, where)):
        raise ResultError(f"{where}: {path!r} is no file of a study", hint="leave it out: runs export writes no such")
