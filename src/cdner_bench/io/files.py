"""Files that are whole or not there, their hashes, and where things lie on this machine."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from ..errors import BusyError
from ..hashing import digest


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write `content` so that a reader, or a crash, sees the old file or the new one and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def content(path: Path) -> str:
    """SHA-256 of a file, or of every file in a folder with its name."""
    if path.is_dir():
        return digest({str(p.relative_to(path)): sha256(p) for p in sorted(path.rglob("*")) if p.is_file()})
    return sha256(path)


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold an exclusive lock on `path`; the kernel drops it with its holder, however that ends.

    Raises `BusyError` if another process holds it, unless told to `wait`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise BusyError(f"another process is working on {path.parent}", hint="wait for it, or stop it") from None
        yield


def cache_dir() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/cdner-bench`, by default under `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cdner-bench"


def data_dir() -> Path:
    """Where fetched corpora lie: `$CDNER_DATA`, else `data` in the cache directory."""
    named = os.environ.get("CDNER_DATA")
    return Path(named).expanduser().absolute() if named else cache_dir() / "data"


def benchmarks_dir() -> Path:
    """The folder `benchmarks/`: inside an installed wheel, else at the top of the source tree."""
    inside = Path(str(files("cdner_bench"))) / "benchmarks"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3] / "benchmarks"
