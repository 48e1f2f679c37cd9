"""Fetching a benchmark's files: resumed where they broke off, kept only if their SHA-256 is the pinned one."""

from __future__ import annotations

import http.client
import os
import shlex
import time
import urllib.error
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from ..errors import DataError, FetchError
from ..io import DATA_REMEDY, find_below, find_data_dir, lock, sha256, write_atomic, writing
from . import dictionaries
from .addresses import open_address
from .benchmark import Benchmark, DataFile, Origin

CHUNK = 1 << 16
LARGEST = 2**31
"""How many bytes a fetched file may have."""
Progress = Callable[[str, int, int | None], None]
"""Called with the file's path, the bytes there are, and the bytes there will be (None if the server does not say)."""


def fetch(
    benchmark: Benchmark, progress: Progress, *, attempts: int = 5, timeout: float = 30.0
) -> Iterator[tuple[str, bool]]:
    """Download what is missing or altered, first what lies below an address, then what is made from packages. Yields
    each file's path and whether it had to be downloaded.

    Everything is written below the folder of the data, and no file is replaced but those that an earlier fetch of the
    benchmark has left as it wrote them. Raises `DataError` otherwise, before anything is downloaded, and `FetchError`
    after `attempts` failures of one file; what has come so far is kept and resumed next time.
    """
    if not benchmark.origins:
        raise DataError(
            f"the data of {benchmark.given} is not fetched: it comes with its benchmark file",
            hint=f"type: cdner-bench data verify --benchmark {benchmark.given}",
        )
    found = [
        (file, file.sha256, origin)
        for file in benchmark.list_files()
        for origin in [o for o in benchmark.origins if file.path.startswith(o.prefix)][:1]
        if file.sha256 is not None and file.root == find_data_dir()
    ]
    for file, pinned, _ in found:
        if not _is_there(file, pinned):
            _check_place(benchmark, file)
    for file, pinned, origin in sorted(found, key=lambda each: each[2].package is not None):
        if _is_there(file, pinned):
            yield file.path, False
            continue
        guard = file.location.with_name(f".{file.location.name}.lock")
        with writing(file.location.parent, DATA_REMEDY), lock(guard, wait=True):
            new = not _is_there(file, pinned)  # somebody else may have fetched it by now
            if new:
                _check_place(benchmark, file)
                _make(file, pinned, origin, progress, attempts, timeout)
                write_atomic(_locate_note(file), f"{benchmark.name} {pinned}\n")
        yield file.path, new


def _make(file: DataFile, pinned: str, origin: Origin, progress: Progress, attempts: int, timeout: float) -> None:
    if origin.package:
        part = file.location.with_name(f"{file.location.name}.part")
        dictionaries.fetch(origin.package, part)
        replace(file, root=part.parent, path=part.name).hash()
        part.replace(file.location)
    else:
        url = origin.url + quote(file.path.removeprefix(origin.prefix))
        _fetch(url, file, pinned, progress, attempts, timeout)


def _is_there(file: DataFile, pinned: str) -> bool:
    return file.is_present() and sha256(file.location) == pinned


def _check_place(benchmark: Benchmark, file: DataFile) -> None:
    """Raises `DataError` for a place outside of the folder, or where something lies that is not ours to replace."""
    folder, slash, name = file.path.rpartition("/")  # beside the file lie what has come, a lock, and a note
    for beside in (name, f"{name}.part", f".{name}.lock", f".{name}.fetched"):
        find_below(file.root, f"{folder}{slash}{beside}", f"{benchmark.name} cannot be fetched")
    place, note = file.location, _locate_note(file)
    if not os.path.lexists(place):
        return
    written = note.read_text(encoding="utf-8").split() if note.is_file() else []
    if not place.is_file() or written != [benchmark.name, sha256(place)]:
        raise DataError(
            f"{place} is there, and neither the file that {benchmark.name} declares nor one that a fetch of it wrote",
            hint=f"move it away, then fetch again: mv {shlex.quote(str(place))} {shlex.quote(f'{place}.mine')}",
        )


def _locate_note(file: DataFile) -> Path:
    """Beside a fetched file, which benchmark it was fetched for and what was written."""
    return file.location.with_name(f".{file.location.name}.fetched")


def _fetch(url: str, file: DataFile, pinned: str, progress: Progress, attempts: int, timeout: float) -> None:
    part = file.location.with_name(f"{file.location.name}.part")
    problem = ""
    for attempt in range(attempts):
        if attempt:
            time.sleep(min(0.2 * 2**attempt, 5))
        try:
            _transfer(url, part, lambda have, of: progress(file.path, have, of), timeout)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            problem = str(getattr(error, "reason", error)) or type(error).__name__
            if isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404, 410):
                break
            continue
        if sha256(part) == pinned:
            part.replace(file.location)
            return
        part.unlink()
        problem = f"the server sends something else than the pinned file (SHA-256 {pinned[:12]}…)"
    raise FetchError(
        f"cannot fetch {file.path} from {url}: {problem}",
        hint="try again later (it resumes), or set CDNER_DATA to a directory that holds the files",
    )


def _transfer(url: str, part: Path, progress: Callable[[int, int | None], None], timeout: float) -> None:
    """Append to `part` what is missing of it. Raises `ConnectionError` if the server stops short."""
    have = part.stat().st_size if part.exists() else 0
    try:
        response = open_address(url, {"Range": f"bytes={have}-"} if have else {}, timeout)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return  # all of it is here already
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0
        length = response.headers.get("Content-Length")
        size = have + int(length) if length and length.isdecimal() else None
        with part.open("ab") as sink:
            sink.truncate(have)
            while chunk := response.read(CHUNK):
                have += len(chunk)
                if have > LARGEST:
                    sink.truncate(0)
                    raise FetchError(f"{url} sends more than the {LARGEST:,} bytes that a file may have")
                sink.write(chunk)
                progress(have, size)
    if size is not None and have < size:
        raise ConnectionError(f"the connection broke off after {have} of {size} bytes")
