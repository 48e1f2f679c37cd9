"""Leases: locks for file systems that have none. A lease is a file that its holder renews, and that others follow up by
one of the next number when it was not renewed for too long.

Whether it was is told by times of the file system alone, so clocks of hosts may differ. Numbers only grow, a file of
the next number is made by one process only, and the highest holds. A holder that was stopped for so long that others
may have followed goes on only if it can make the next number itself.
"""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import BusyError, CdnerError
from .files import is_alive, name_draft, name_machine
from .volumes import LACKS

VARIABLE = "CDNER_LEASE"
SECONDS = 60.0
"""How long a lease is good for that is not renewed."""
RENEWALS = 4
"""How often it is renewed in that time."""
LATE = 0.7
"""The part of that time after which a holder no longer trusts its lease: it is less than what others wait."""
_FREE = b"free"
_NO_LINKS = LACKS | {errno.EPERM, errno.EMLINK}
_held: set[Lease] = set()


def find_seconds() -> float | None:
    """How long a lease is to be good for, where the user wants leases though there may be locks. Raises `CdnerError`
    for what is no such number.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    with suppress(ValueError):
        if 0 < float(named) < 1e6:
            return float(named)
    raise CdnerError(f"{VARIABLE} is {named}, which is no number of seconds", hint=f"type: export {VARIABLE}=60")


def fence() -> None:
    """Raises `BusyError` if this process has lost a lease that it held: another works there now. To be called before
    anything is written that the other may write too; it takes less than a microsecond.
    """
    for lease in tuple(_held):
        lease.check()


class Lease:
    """A lease that this process holds, from `take` till `release`."""

    def __init__(self, path: Path, number: int, seconds: float, renewed: float) -> None:
        self.path, self.number, self.seconds = path, number, seconds
        self._process, self._renewed, self._lost = os.getpid(), renewed, False
        self._guard, self._ended = threading.Lock(), threading.Event()
        threading.Thread(target=self._keep, daemon=True).start()
        _held.add(self)

    @classmethod
    def take(cls, path: Path, seconds: float) -> Lease | None:
        """The lease on a path, or None if another holds it."""
        start = _read_clock()
        newest = max(_list_numbers(path), default=0)
        draft = _write_draft(path, seconds)
        try:
            now = draft.stat().st_mtime
            if newest and not _is_over(_place(path, newest), now):
                return None
            if not _create(draft, _place(path, newest + 1)):
                return None
        finally:
            draft.unlink()
        numbers = _list_numbers(path)
        if max(numbers, default=0) != newest + 1:  # others were two steps ahead
            _place(path, newest + 1).unlink(missing_ok=True)
            return None
        _drop(path, numbers, newest + 1)
        return cls(path, newest + 1, seconds, start)

    def check(self) -> None:
        """Raises `BusyError` if it is lost."""
        if os.getpid() != self._process:
            return  # a copy of the holder
        if not self._lost and _read_clock() - self._renewed > LATE * self.seconds:
            self.renew()
        if self._lost:
            raise BusyError(
                f"another process has taken over {self.path.parent}, because this one was stopped for too long",
                hint="the other goes on with it; type the same command when it has ended",
            )

    def renew(self) -> None:
        """Make it good for its time again, or note that it is lost."""
        with self._guard:
            start = _read_clock()
            try:
                numbers = _list_numbers(self.path)
                if max(numbers, default=0) != self.number:
                    self._lost = True
                elif start - self._renewed <= LATE * self.seconds:
                    os.utime(_place(self.path, self.number))
                else:
                    self._follow_itself(numbers)
            except FileNotFoundError:
                self._lost = True
            if not self._lost:
                self._renewed = start

    def _follow_itself(self, numbers: list[int]) -> None:
        draft = _write_draft(self.path, self.seconds)
        try:
            if not _create(draft, _place(self.path, self.number + 1)):
                self._lost = True
                return
        finally:
            draft.unlink()
        self.number += 1
        _drop(self.path, numbers, self.number)

    def release(self) -> None:
        """Give it back."""
        _held.discard(self)
        if os.getpid() != self._process:
            return
        self._ended.set()
        with self._guard, suppress(FileNotFoundError):
            if not self._lost:
                with _place(self.path, self.number).open("r+b") as stream:
                    stream.truncate(0)
                    stream.write(_FREE)

    def _keep(self) -> None:
        while not self._ended.wait(self.seconds / RENEWALS) and not self._lost:
            with suppress(OSError):  # the network may come back in time
                self.renew()


def is_held(path: Path) -> bool:
    """Whether somebody holds the lease on a path."""
    newest = max(_list_numbers(path), default=0)
    if not newest:
        return False
    try:
        draft = _write_draft(path, SECONDS)
    except OSError:  # a folder that may only be read
        return not _is_over(_place(path, newest), time.time())
    try:
        return not _is_over(_place(path, newest), draft.stat().st_mtime)
    finally:
        draft.unlink()


def describe_holder(path: Path) -> str:
    """Who holds the lease on a path: "process 7 on host"; "" if that is not known."""
    found = _read(_place(path, max(_list_numbers(path), default=0)))
    return f"process {found['process']} on {found['host']}" if {"process", "host"} <= found.keys() else ""


def _read_clock() -> float:
    """Seconds that go on while this process, or the machine, is stopped."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _place(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}.lease")


def _list_numbers(path: Path) -> list[int]:
    named = re.compile(rf"{re.escape(path.name)}\.(\d+)\.lease")
    return [int(found[1]) for name in os.listdir(path.parent) if (found := named.fullmatch(name))]


def _drop(path: Path, numbers: list[int], below: int) -> None:
    """Remove leases that were followed."""
    for number in numbers:
        if number < below:
            _place(path, number).unlink(missing_ok=True)


def _write_draft(path: Path, seconds: float) -> Path:
    """A file of this process alone. Its time is what the file system calls now."""
    draft = name_draft(path)
    held_by = {
        "host": socket.gethostname(),
        "machine": name_machine(),
        "process": os.getpid(),
        "seconds": seconds,
    }
    draft.write_text(json.dumps(held_by), encoding="utf-8")
    return draft


def _create(draft: Path, place: Path) -> bool:
    """Give a file its place, if there is none; whether that was done. A link is atomic on network file systems too."""
    try:
        os.link(draft, place)
    except FileExistsError:
        return draft.stat().st_nlink == 2  # it was done, and the answer came twice
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            with place.open("xb") as stream:
                stream.write(draft.read_bytes())
        except FileExistsError:
            return False
    return True


def _is_over(place: Path, now: float) -> bool:
    """Whether a lease was given back, was not renewed for too long, or its holder on this machine is dead."""
    try:
        with place.open("rb") as stream:  # open, or a network file system might tell an old time
            renewed, said = os.fstat(stream.fileno()).st_mtime, stream.read()
    except FileNotFoundError:
        return False  # another has just followed it
    if said == _FREE:
        return True
    found = _parse(said)
    if found.get("machine") == name_machine() and not is_alive(found["process"]):
        return True
    return bool(now - renewed > found.get("seconds", SECONDS))


def _read(place: Path) -> dict[str, Any]:
    try:
        return _parse(place.read_bytes())
    except OSError:
        return {}


def _parse(said: bytes) -> dict[str, Any]:
    """What a lease says; nothing if it is just being written."""
    try:
        found = json.loads(said)
        return {"process": int(found["process"]), "seconds": float(found["seconds"]), **found}
    except (ValueError, TypeError, KeyError):
        return {}
