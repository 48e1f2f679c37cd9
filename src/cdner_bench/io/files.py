"""Files that are whole or not there, and their hashes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

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


def hash_content(path: Path) -> str:
    """SHA-256 of a file, or of every file in a folder with its name."""
    if path.is_dir():
        return digest({str(p.relative_to(path)): sha256(p) for p in sorted(path.rglob("*")) if p.is_file()})
    return sha256(path)
