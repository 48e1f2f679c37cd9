"""An archive that somebody sent, checked as a whole before anything of it is put in its place."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import CdnerError, ResultError
from ..io import LARGEST, find_below, lock, open_regular, parse_json, reach_disk, sha256, writing
from ..names import check_name
from ..records import BEGUN, CURVE, load_runs, measurements, read_curve, results
from .archive import MANIFEST, RECORDS, Listed, Manifest, read_manifest

LIMIT = 4
"""GiB that an archive may hold unless more is allowed."""
_NAMED = 10
"""How many faults are named."""
_CHUNK = 2**20
_HEAD = 4096
"""More bytes than the headers of a file take, and what fills its last block."""


@dataclass
class Imported:
    """What became of the files of an archive: new here; equal to those here; in the place of others; or left, with the
    files here that are others, each with why.
    """

    new: list[str] = field(default_factory=list)
    equal: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    conflicts: dict[str, str] = field(default_factory=dict)


class _BrokenError(Exception):
    """The archive cannot be read on."""


class _Bounded:
    """A stream that gives no more than `left` in all and `soon` before that is set again: what a few bytes unpack to
    has no end otherwise, and a header is read into memory as a whole.
    """

    def __init__(self, stream: gzip.GzipFile, most: int) -> None:
        self.stream, self.left, self.soon = stream, most, most

    def read(self, size: int) -> bytes:
        """Read at most so many bytes, and what there is before a fault."""
        try:
            content = self.stream.read1(min(size, self.left + 1, self.soon + 1))
        except (OSError, EOFError, zlib.error) as error:
            raise _BrokenError(f"it is damaged or cut off: {error}") from None
        self.left, self.soon = self.left - len(content), self.soon - len(content)
        if min(self.left, self.soon) < 0:
            raise _BrokenError("it holds more than its manifest says")
        return content


def import_archive(place: Path, out: Path, *, replace: bool = False, limit: float = LIMIT) -> Imported:
    """Put the files of an archive where they belong below `out`. What is equal stays; where a run or a measurement is
    another here, all of it stays and is named, unless the archive's shall `replace` it.

    Raises `CdnerError` before anything is written: for an archive that cannot be read or holds more than `limit` GiB;
    for files that are damaged, altered, missing, or not in the manifest; for members that are no files; for records
    that cannot be believed; for a run that another process is making.
    """
    with (
        writing(out, "name another folder: --out FOLDER"),
        TemporaryDirectory(prefix=".import-", dir=out) as folder,
    ):
        staged = Path(folder)
        manifest = _unpack(place, staged, limit)
        _check_records(place, manifest, staged)
        groups: dict[str, list[Listed]] = {}
        for file in manifest.files:
            groups.setdefault(_name_group(file.path), []).append(file)
        places = {file.path: find_below(out, file.path, str(place)) for file in manifest.files}
        _refuse(place, [fault for there in places.values() for fault in _find_obstacles(there, out)])
        for name in groups:
            with _hold(out / name):  # not together: a process may have so many files open
                pass
        known = {run.result.run: run.file for run in load_runs(out)}
        made = Imported()
        for name, files in groups.items():
            with _hold(out / name):
                _merge(files, places, known, staged, made, replace=replace)
        return made


def _hold(folder: Path) -> AbstractContextManager[None]:
    """Hold the folder of a run, if somebody may be making that."""
    place = folder / "lock"
    return lock(place) if folder.parent.name == "runs" and place.exists() else nullcontext()


def _unpack(place: Path, staged: Path, limit: float) -> Manifest:
    """Put every file below `staged`, and return the manifest that they all are as."""
    faults: list[str] = []
    with open_regular(place, ResultError, "name the file that runs export has written") as plain:
        bounded = _Bounded(gzip.GzipFile(fileobj=plain), LARGEST + _CHUNK)
        found = set[str]()
        manifest = None
        try:
            with _open(bounded) as tar:
                for member in _list_members(tar, bounded):
                    if manifest is None:
                        bounded.soon = LARGEST + _CHUNK
                        manifest = _read_first(tar, member, place, limit)
                        listed = {file.path: file for file in manifest.files}
                        bounded.left = manifest.size + _HEAD * (len(listed) + 1) + tarfile.RECORDSIZE
                        continue
                    file = listed.get(member.name)
                    fault = _find_fault(member, file, found)
                    if fault or file is None:
                        faults.append(fault)
                        continue
                    bounded.soon = member.size + _CHUNK
                    if not _stage(tar, member, file, find_below(staged, file.path, str(place))):
                        faults.append(f"{file.path} is damaged: it has another SHA-256 than the manifest says")
                    found.add(member.name)
            bounded.soon = bounded.left
            while bounded.read(_CHUNK):
                pass  # to where its own check stands
        except _BrokenError as error:
            faults.append(str(error))
        if manifest is None:
            faults = faults or ["it is empty"]
        else:
            faults += [f"{file.path} is missing, or not whole" for file in manifest.files if file.path not in found]
    _refuse(place, faults)
    assert manifest is not None
    return manifest


def _open(bounded: _Bounded) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=bounded, mode="r|")  # type: ignore[call-overload, no-any-return]
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise _BrokenError(f"it is no archive of runs export: {error}") from None


def _list_members(tar: tarfile.TarFile, bounded: _Bounded) -> Iterator[tarfile.TarInfo]:
    member: tarfile.TarInfo | None = None
    while True:
        bounded.soon = _CHUNK + (member.size if member else 0)  # the last may not have been read
        try:
            member = tar.next()
        except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
            raise _BrokenError(f"it is damaged: {error}") from None
        if member is None:
            return
        yield member


def _read_first(tar: tarfile.TarFile, member: tarfile.TarInfo, place: Path, limit: float) -> Manifest:
    where = f"{place}: {MANIFEST}"
    if member.name != MANIFEST or not _is_file(member) or member.size > LARGEST:
        raise _BrokenError(f"it does not begin with {MANIFEST}")
    try:
        record = parse_json(b"".join(_read(tar, member)).decode("utf-8"))
    except ValueError as error:
        raise ResultError(f"{where} is not JSON: {error}", hint="ask for the archive again") from None
    manifest = read_manifest(record, where)
    if manifest.size > limit * 2**30:
        raise ResultError(
            f"{place} holds {manifest.size / 2**30:.1f} GiB, and {limit:g} are allowed",
            hint=f"if it may, allow it: --limit {int(manifest.size / 2**30) + 1}",
        )
    return manifest


def _is_file(member: tarfile.TarInfo) -> bool:
    return member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()


def _find_fault(member: tarfile.TarInfo, file: Listed | None, found: set[str]) -> str:
    """What is wrong with a member, before it is read; "" if nothing is."""
    if not _is_file(member):
        return f"{member.name!r} is a link, a folder or a device, and no file"
    if file is None:
        return f"{member.name!r} is not in the manifest"
    if member.name in found:
        return f"{member.name} is there twice"
    if member.size != file.size:
        return f"{member.name} was altered: it has {member.size:,} bytes, and {file.size:,} in the manifest"
    return ""


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    try:
        stream = tar.extractfile(member)
        while stream and (content := stream.read(_CHUNK)):
            yield content
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise _BrokenError(f"it is damaged in {member.name}: {error}") from None


def _stage(tar: tarfile.TarFile, member: tarfile.TarInfo, file: Listed, place: Path) -> bool:
    """Write a member, and say whether it is what the manifest says."""
    hashed, size = hashlib.sha256(), 0
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as stream:
        for content in _read(tar, member):
            hashed.update(content)
            size += len(content)
            stream.write(content)
        reach_disk(stream)
    return size == file.size and hashed.hexdigest() == file.sha256


def _check_records(place: Path, manifest: Manifest, staged: Path) -> None:
    """Raises `ResultError` for records that cannot be believed, or that do not lie where their content says."""
    faults = []
    for file in manifest.files:
        try:
            problem = _check_record(file.path, staged / file.path)
        except CdnerError as error:
            problem = str(error).replace(f"{staged}{os.sep}", "").removeprefix(file.path).lstrip(": ")
        if problem:
            faults.append(f"{file.path}: {problem}")
    _refuse(place, faults)


def _check_record(path: str, file: Path) -> str:
    parts = path.split("/")
    below = "/".join(parts[2:])
    if parts[1] == "results" and results.load(file).path.as_posix() != below:
        return "its content belongs elsewhere"
    if parts[1] == "measurements" and measurements.load(file).path.as_posix() != below:
        return "its content belongs elsewhere"
    if parts[1] in ("results", "predictions"):
        for name in parts[2:-1]:
            check_name(name, path, ResultError)
    if parts[0] == "runs" and parts[-1] in RECORDS and len(parts) == 3 and results.load(file).run != parts[1]:
        return "it is of another run"
    if parts[-1] == CURVE or path.endswith(f".{CURVE}"):
        read_curve(file)
    return ""


def _refuse(place: Path, faults: Sequence[str]) -> None:
    if faults:
        more = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
        raise ResultError(
            f"{place} is refused, and nothing was written: {'; '.join(faults[:_NAMED])}{more}",
            hint="ask for the archive again; cdner-bench runs export makes one",
        )


def _find_obstacles(place: Path, out: Path) -> Iterator[str]:
    """What is in the way of a file: a folder, or a file where there must be a folder."""
    if place.is_dir():
        yield f"{place} is a folder here"
    for folder in place.parents:
        if folder == out:
            return
        if folder.exists() and not folder.is_dir():
            yield f"{folder} is a file here"


def _name_group(path: str) -> str:
    """What a file belongs to, of which all is put in its place or nothing: a result with its predictions, a folder."""
    parts = path.split("/")
    if parts[1] in ("results", "predictions"):
        stem = parts[-1]
        for ending in (f".{CURVE}", ".jsonl.gz", ".json"):
            stem = stem.removesuffix(ending)
        return "/".join(["leaderboards/results", *parts[2:-1], stem])
    if parts[0] == "runs" and parts[1] != "answers":
        return "/".join(parts[: 3 if parts[1] == "shared" else 2])
    return path


def _merge(
    files: Sequence[Listed],
    places: dict[str, Path],
    known: dict[str, Path],
    staged: Path,
    made: Imported,
    *,
    replace: bool,
) -> None:
    """Put the files of a group in their places, or none of them."""
    equal = [f.path for f in files if _is_equal(places[f.path], f)]
    others = [f.path for f in files if os.path.lexists(places[f.path]) and f.path not in equal]
    conflict = dict.fromkeys(others, "another file is here")
    for file in files:
        if file.path.startswith("leaderboards/results/") and file.path not in (*equal, *others):
            there = known.get(results.load(staged / file.path).run, places[file.path])
            if there != places[file.path]:
                conflict[file.path] = f"the same run is at {there}"
                others = []  # nothing that could be replaced
    made.equal += equal
    if conflict and not (replace and others):
        made.conflicts |= conflict
        return
    made.replaced += others
    made.replaced += _remove_companions(others, places)
    made.new += [file.path for file in files if file.path not in (*equal, *others)]
    moves = [file.path for file in files if file.path not in equal]
    for path in sorted(moves, key=lambda path: (path.split("/")[1] == "results" or path.endswith(RECORDS), path)):
        places[path].parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged / path, places[path])  # what says that something is there comes last
        if path.endswith("/run.json"):
            places[path].with_name(BEGUN).unlink(missing_ok=True)


def _remove_companions(others: Sequence[str], places: dict[str, Path]) -> Iterator[str]:
    """Remove the predictions and the curve here of each result that is replaced, where the archive has none of its own:
    they are of another run. Their paths.
    """
    for path in others:
        if path.startswith("leaderboards/results/"):
            stem = path.removesuffix(".json").replace("results", "predictions", 1)
            root = places[path].parents[len(Path(path).parts) - 1]
            for companion in (f"{stem}.jsonl.gz", f"{stem}.{CURVE}"):
                if companion not in places and (root / companion).is_file():
                    (root / companion).unlink()
                    yield companion


def _is_equal(place: Path, file: Listed) -> bool:
    return place.is_file() and place.stat().st_size == file.size and sha256(place) == file.sha256
