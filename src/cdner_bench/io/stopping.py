"""Signals that ask a process to end: it stops where it is, and leaves what it has done."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_REASONS = {"SIGKILL": ", perhaps for want of memory", "SIGILL": ", code that this processor cannot run"}
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def describe_end(status: int) -> str:
    """How a process has ended, by its status as `subprocess` gives it: "was ended by SIGSEGV", "ended with exit status
    3".
    """
    if status >= 0:
        return f"ended with exit status {status}"
    name = signal.Signals(-status).name if -status in list(signal.Signals) else f"signal {-status}"
    return f"was ended by {name}{_REASONS.get(name, '')}"


class Stopped(KeyboardInterrupt):
    """Somebody asks this process to end: ctrl-C, SIGTERM, or SIGHUP of a terminal that is gone."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status of a process that was stopped so, as shells give it."""
        return 128 + self.number


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` in the block when a signal asks this process to end. One that is ignored, as under nohup, or has
    a handler of its own, is left alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in ENDING if signal.getsignal(number) in usual}
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)


def is_own(error: KeyboardInterrupt) -> bool:
    """Whether an interrupt came from outside, and not from a method that raises it: within `stoppable`, none but
    `Stopped` does.
    """
    return isinstance(error, Stopped) or signal.getsignal(signal.SIGINT) is not _stop


def die_with_parent(number: int) -> None:
    """Have the system send this process a signal when its parent ends, where it can (Linux)."""
    if sys.platform == "linux":
        _control(1, number)  # PR_SET_PDEATHSIG


def adopt_orphans() -> None:
    """Become the parent of what descendants leave behind, where the system can do that (Linux)."""
    if sys.platform == "linux":
        _control(36, 1)  # PR_SET_CHILD_SUBREAPER


def keep_niceness() -> None:
    """Be as nice in a session of one's own as before it: Linux shares the processor out among sessions, and gives a new
    one its full share, however nice its processes are.
    """
    if hasattr(os, "nice") and (niceness := os.nice(0)) > 0:
        with suppress(OSError), open("/proc/self/autogroup", "w") as group:
            group.write(str(niceness))


def _control(option: int, value: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
