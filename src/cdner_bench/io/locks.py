"""Locks between processes: each dies with its holder, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import BusyError

POLL = 0.01
"""Seconds between two attempts at a lock that another process holds."""


@contextmanager
def lock(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold an exclusive lock on `path`, which is made if need be and stays; the system drops the lock with its holder.

    Raises `BusyError` if another process holds it, unless told to `wait`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream, lock_stream(stream, wait=wait):
        yield


@contextmanager
def lock_stream(stream: IO[str] | IO[bytes], *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on a file that is open for writing, and nobody who locks the same file gets in between.

    Raises `BusyError` if another process holds it, unless told to `wait`.
    """
    from filelock import lock_descriptor, unlock_descriptor  # a third of what `cdner-bench list` may take

    handle = stream.fileno()
    if not lock_descriptor(handle, blocking=wait, poll_interval=POLL):
        folder = Path(stream.name).parent
        raise BusyError(f"another process is working on {folder}", hint="wait for it, or stop it")
    try:
        yield
    finally:
        unlock_descriptor(handle)
