"""Fetching a benchmark's files: resumed where they broke off, kept only if their SHA-256 is the pinned one."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from ..errors import DataError, FetchError
from ..io import DATA_REMEDY, lock, sha256, writing
from . import dictionaries
from .benchmark import Benchmark, DataFile

CHUNK = 1 << 16
Progress = Callable[[str, int, int | None], None]
"""Called with the file's path, the bytes there are, and the bytes there will be (None if the server does not say)."""


def fetch(
    benchmark: Benchmark, progress: Progress, *, attempts: int = 5, timeout: float = 30.0
) -> Iterator[tuple[str, bool]]:
    """Download what is missing or altered, first what lies below an address, then what is made from packages. Yields
    each file's path and whether it had to be downloaded.

    Raises `FetchError` after `attempts` failures of one file; what has come so far is kept and resumed next time.
    """
    if not benchmark.origins:
        raise DataError(f"the data of {benchmark.name} is not fetched: it comes with its benchmark file")
    found = [
        (file, file.sha256, origin)
        for file in benchmark.list_files()
        for origin in [o for o in benchmark.origins if file.path.startswith(o.prefix)][:1]
        if file.sha256 is not None
    ]
    for file, pinned, origin in sorted(found, key=lambda each: each[2].package is not None):
        if file.is_present() and sha256(file.location) == pinned:
            yield file.path, False
            continue
        guard = file.location.with_name(f".{file.location.name}.lock")
        with writing(file.location.parent, DATA_REMEDY), lock(guard, wait=True):
            if origin.package:
                dictionaries.fetch(origin.package, file.location)
                file.hash()
            else:
                url = origin.url + quote(file.path.removeprefix(origin.prefix))
                _fetch(url, file, pinned, progress, attempts, timeout)
        yield file.path, True


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
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return  # all of it is here already
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0
        length = response.headers.get("Content-Length")
        size = have + int(length) if length else None
        with part.open("ab") as sink:
            sink.truncate(have)
            while chunk := response.read(CHUNK):
                sink.write(chunk)
                have += len(chunk)
                progress(have, size)
    if size is not None and have < size:
        raise ConnectionError(f"the connection broke off after {have} of {size} bytes")
