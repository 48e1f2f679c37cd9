"""Locks between processes: each dies with its holder, however that ends. Where the file system has none, or the user
says so (`CDNER_LEASE`), a lease takes its place.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import BusyError
from .leases import SECONDS, Lease, describe_holder, find_seconds, is_held
from .volumes import LACKS

POLL = 0.01
"""Seconds between two attempts at a lock that another process holds."""
MANDATORY = sys.platform == "win32"
"""Whether nobody, not even the holder, can read the file itself while it is locked; a file beside it is locked then."""
_held: set[int] = set()
"""The descriptors of files that are locked."""


def _let_go() -> None:
    """In a forked copy of this process: the lock is the original's alone, and does not outlive it."""
    for descriptor in _held:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, descriptor, inheritable=False)
        os.close(nowhere)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


@contextmanager
def lock(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold an exclusive lock on `path`, which is made if need be and stays; the system drops the lock with its holder.
    Where it is a lease, `fence` tells whether it is still held.

    Raises `BusyError` if another process holds it, unless told to `wait`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream, _hold(stream, wait):
        yield


@contextmanager
def lock_stream(stream: IO[str] | IO[bytes]) -> Iterator[None]:
    """Hold an exclusive lock on a file that is open for writing, and nobody who locks the same file gets in between.
    Waits for another process that holds it.
    """
    if MANDATORY:
        path = Path(stream.name)
        with lock(path.with_name(f".{path.name}.lock"), wait=True):
            yield
    else:
        with _hold(stream, wait=True):
            yield


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock on a path, which need not be there, and is not made."""
    from filelock import lock_descriptor, unlock_descriptor

    try:
        if is_held(path):
            return True
        if find_seconds() is not None:
            return False
        with path.open("r+b") as stream:
            if not lock_descriptor(stream.fileno(), blocking=False):
                return True
            unlock_descriptor(stream.fileno())
    except FileNotFoundError:
        return False
    except OSError as error:  # in a folder that may only be read, who knows
        return error.errno not in LACKS
    return False


@contextmanager
def _hold(stream: IO[str] | IO[bytes], wait: bool) -> Iterator[None]:
    from filelock import lock_descriptor, unlock_descriptor  # a third of what `cdner-bench list` may take

    handle, path = stream.fileno(), Path(stream.name)
    seconds, held = find_seconds(), False
    if seconds is None:
        try:
            held = lock_descriptor(handle, blocking=wait, poll_interval=POLL)
        except OSError as error:
            if error.errno not in LACKS:
                raise
            seconds = SECONDS
    if seconds is not None:
        with _hold_lease(path, wait, seconds):
            yield
        return
    if not held:
        raise _tell_busy(path, "")
    _held.add(handle)
    try:
        yield
    finally:
        _held.discard(handle)
        unlock_descriptor(handle)


@contextmanager
def _hold_lease(path: Path, wait: bool, seconds: float) -> Iterator[None]:
    pause = POLL
    while (lease := Lease.take(path, seconds)) is None:
        if not wait:
            raise _tell_busy(path, describe_holder(path))
        time.sleep(pause)
        pause = min(2 * pause, seconds / 4, 1.0)
    try:
        yield
    finally:
        lease.release()


def _tell_busy(path: Path, who: str) -> BusyError:
    named = f" ({who})" if who else ""
    return BusyError(f"another process{named} is working on {path.parent}", hint="wait for it, or stop it")
