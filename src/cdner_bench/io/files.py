"""Files that are whole or not there, and their hashes."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO

from ..hashing import digest
from .volumes import LACKS, warn_unflushed

DRAFT = ".draft"
IN_USE = (5, 32, 33)
"""What Windows answers to a rename while another program has the file open: a virus scanner, a reader."""
PATIENCE = 2.0
"""Seconds within which such a program should have closed it."""


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write `content` so that a reader, or a crash, sees the old file or the new one and nothing between. A device or
    a pipe is written to as it is, and a link stays a link.

    Raises `OSError` naming `path`, whichever step the system refuses.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    try:
        if path.exists() and not path.is_file():  # a rename would put a file in its place; a folder refuses
            path.write_bytes(data)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(Path(os.path.realpath(path))) as stream:
                stream.write(data)
    except OSError as error:
        if error.filename is None or Path(error.filename).suffix == DRAFT:
            error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A stream of what shall be at `path`, which is put there when the block has ended, and not if it raises."""
    draft = name_draft(path)
    try:
        with draft.open("xb") as stream:  # with the permissions that the user's mask leaves
            yield stream
            reach_disk(stream)
        _rename(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def name_draft(path: Path) -> Path:
    """A name beside a path that no other process gives a file, and that `sweep` knows by this one."""
    mark = f"{name_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    return path.with_name(f".{path.name[:50]}.{mark}{DRAFT}")  # short enough for any file system


@cache
def name_machine() -> str:
    """Eight hex digits for where process ids mean what they do here: the host, and the container on it."""
    try:
        numbers = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbers = ""
    return digest([socket.gethostname(), numbers])[:8]


def sweep(folder: Path) -> None:
    """Remove what killed processes of this machine have left of files that they were writing anywhere in a folder."""
    ours = re.compile(rf"\..*\.{name_machine()}-(\d+)-[0-9a-f]{{8}}{re.escape(DRAFT)}", re.DOTALL)
    for place, _, names in os.walk(folder):
        for name in names:
            found = ours.fullmatch(name)
            if found and not is_alive(int(found[1])):
                with suppress(OSError):
                    os.unlink(os.path.join(place, name))


def is_alive(process: int) -> bool:
    """Whether a process of an id runs; where that cannot be asked without ending it (Windows), it is taken to."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def reach_disk(stream: IO[bytes]) -> None:
    """Flush what was written to a file, as far as its file system can."""
    stream.flush()
    try:
        os.fsync(stream.fileno())
    except OSError as error:
        if error.errno not in LACKS:
            raise
        warn_unflushed(Path(stream.name), error)


def _rename(draft: Path, path: Path) -> None:
    """Put a file in its place; on Windows, as soon as nobody has the place open."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            os.replace(draft, path)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in IN_USE or time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def measure(place: Path) -> int:
    """Bytes of a file, or of all files in a folder; links are not followed."""
    if place.is_dir() and not place.is_symlink():
        return sum(
            os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(place) for name in names
        )
    return os.lstat(place).st_size


def hash_content(path: Path) -> str:
    """SHA-256 of a file, or of every file in a folder with its name."""
    if path.is_dir():
        return digest({str(p.relative_to(path)): sha256(p) for p in sorted(path.rglob("*")) if p.is_file()})
    return sha256(path)
