"""Time and memory as data: named phases on a monotonic clock, the device synchronised at their ends."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUIET = 0.25
"""How many cores others may keep busy while seconds are measured that stand for the work alone."""
_SHORTEST = 0.1
"""Seconds in which the system's account of others says nothing: it counts in hundredths."""


@dataclass
class Phase:
    """A named piece of a run. A method adds the `epochs` and `sentences` it went through; `waiting` is the part of
    `seconds` spent waiting for somebody else's machine. `reused` marks work taken over from an earlier run. `others` is
    how many cores other processes kept busy meanwhile, on average; None where the system does not tell.
    """

    name: str
    seconds: float = 0.0
    epochs: int = 0
    sentences: int = 0
    waiting: float = 0.0
    reused: bool = False
    others: float | None = None

    @property
    def quiet(self) -> bool:
        """Whether its seconds stand for the work alone, as far as is known."""
        return self.seconds < _SHORTEST or (self.others or 0) <= QUIET


@contextmanager
def time_phase(phase: Phase) -> Iterator[Phase]:
    """Add the time the block takes to `phase.seconds`, and note how busy the machine was in all blocks of the phase."""
    synchronise()
    start, before = time.perf_counter(), _read_seconds_of_others()
    try:
        yield phase
    finally:
        synchronise()
        elapsed, after = time.perf_counter() - start, _read_seconds_of_others()
        earlier = max(0.0, phase.seconds)  # below 0: what was no part of this block was taken off already
        phase.seconds += elapsed
        if before is not None and after is not None:
            taken = (phase.others or 0.0) * earlier + max(0.0, after - before)
            phase.others = round(taken / max(earlier + elapsed, 0.01), 2)


def synchronise() -> None:
    """Wait for the GPU, if this process uses one."""
    cuda = _find_cuda()
    if cuda is not None:
        cuda.synchronize()


def _read_seconds_of_others() -> float | None:
    """Core seconds that all processes but this one and its children have used since the machine was started; None
    where the system does not tell, or counts cores that this process may not use.
    """
    try:
        busy = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:
        return None
    if count_cores() != os.cpu_count() or not hasattr(os, "sysconf"):
        return None
    user, nice, system, _idle, _waiting, *interrupts = map(int, busy)
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def find_device() -> str:
    """Either "cuda", if torch is imported and sees a GPU, or "cpu"."""
    torch = sys.modules.get("torch")
    return "cuda" if torch is not None and torch.cuda.is_available() else "cpu"


def name_device() -> str:
    """What the seconds were measured on: the GPU's name if one was used, else the processor and its usable cores."""
    cuda = _find_cuda()
    if cuda is not None:
        return str(cuda.get_device_name())
    return f"{_read_processor()}, {count_cores()} cores"


def settle_threads() -> None:
    """Have idle threads of whatever is loaded later sleep, unless the user says otherwise. By default those of OpenMP
    spin for a while, and where others use the same cores, that makes a training step many times as long.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def count_cores() -> int:
    """How many cores this process may use; where the system keeps no such account (macOS, Windows), all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count_threads() -> int:
    """With how many threads to compute, for what does not ask OpenMP: as many as that was told, `OMP_NUM_THREADS`, by
    which workers get their share of the cores, too; else one a core.
    """
    told = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(told) if told.isdecimal() and int(told) else count_cores()


def reset_peak_memory() -> None:
    """Start a new measurement of peak memory."""
    cuda = _find_cuda()
    if cuda is not None:
        cuda.reset_peak_memory_stats()
    with suppress(OSError):  # then the peak is the process's, which the results schema says
        Path("/proc/self/clear_refs").write_text("5")


def read_peak_memory() -> int:
    """Bytes since the reset, at their highest: the GPU's allocations if one is used, else the resident set. 0 on a
    system that does not tell (Windows).
    """
    cuda = _find_cuda()
    if cuda is not None:
        return int(cuda.max_memory_allocated())
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return _read_peak_of_process()


def _find_cuda() -> Any:
    """torch.cuda if this process has started it. The core itself never imports torch."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None


def _read_peak_of_process() -> int:
    """The resident set at its highest since the process began, which nobody can reset; for systems without /proc."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _read_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
