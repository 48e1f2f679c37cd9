"""What a process has one of, and any code in it may change: kept, put back, and named where it was changed."""

from __future__ import annotations

import gc
import operator
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

STREAMS = (0, 1, 2)
"""Standard input, output and error."""
TORCH_DRAWS = "random state of torch"
"""What a method may well change: dropout draws from it alone, so it must be seeded."""


@dataclass(frozen=True)
class Part:
    """How a part is read (None: this process does not have it yet) and put back, and whether what it was differs from
    what it is.
    """

    read: Callable[[], Any]
    write: Callable[[Any], object]
    differ: Callable[[Any, Any], bool] = operator.ne

    def look(self) -> Any:
        """The part as it is now; None where it cannot be read."""
        with suppress(Exception):
            return self.read()

    def differs(self, was: Any) -> bool:
        """Whether it is not as it was."""
        now = self.look()
        return was is not None and (now is None or bool(self.differ(was, now)))


def _miss(was: dict[Any, Any], now: dict[Any, Any]) -> bool:
    """Whether entries are not as they were. Others may have been added."""
    return any(now.get(key) is not value and now.get(key) != value for key, value in was.items())


def _set_environment(was: dict[str, str]) -> None:
    for name in os.environ.keys() - was.keys():
        del os.environ[name]
    os.environ.update(was)
    time = sys.modules.get("time")
    if time is not None and hasattr(time, "tzset"):
        time.tzset()


def _get_locale() -> str:
    import locale

    return locale.setlocale(locale.LC_ALL)


def _set_locale(was: str) -> None:
    import locale

    locale.setlocale(locale.LC_ALL, was)


def _set_warnings(was: list[Any]) -> None:
    warnings.simplefilter("default", append=True)  # so that what was decided by other filters is forgotten
    warnings.filters[:] = was  # type: ignore[index]


def _get_draws() -> dict[str, Any]:
    """The states of the random generators of Python and numpy, if they are loaded."""
    found: dict[str, Any] = {}
    if "random" in sys.modules:
        found["random"] = sys.modules["random"].getstate()
    if "numpy.random" in sys.modules:
        kind, keys, *rest = sys.modules["numpy.random"].get_state()
        found["numpy"] = (kind, tuple(keys.tolist()), *rest)
    return found


def _set_draws(was: dict[str, Any]) -> None:
    if "random" in was:
        sys.modules["random"].setstate(was["random"])
    if "numpy" in was:
        sys.modules["numpy.random"].set_state(was["numpy"])


def _get_torch_draws() -> list[Any] | None:
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    there = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return [state.tolist() for state in (torch.get_rng_state(), *there)]


def _set_torch_draws(was: list[Any]) -> None:
    torch = sys.modules["torch"]
    here, *there = (torch.tensor(state, dtype=torch.uint8) for state in was)
    torch.set_rng_state(here)
    if there:
        torch.cuda.set_rng_state_all(there)


def stir(seed: int) -> None:
    """Leave the random generators in another state, as anybody may have left them."""
    for module, name in (("random", "seed"), ("numpy.random", "seed"), ("torch", "manual_seed")):
        if module in sys.modules:
            getattr(sys.modules[module], name)(seed)


def _get_torch() -> tuple[Any, ...] | None:
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    certain = torch.are_deterministic_algorithms_enabled()
    return torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled(), certain


def _set_torch(was: tuple[Any, ...]) -> None:
    torch = sys.modules["torch"]
    torch.set_num_threads(was[0])
    torch.set_default_dtype(was[1])
    torch.set_grad_enabled(was[2])
    torch.use_deterministic_algorithms(was[3])


def _get_signals() -> dict[int, Any]:
    """What is done at each signal; a handler that was not set from Python cannot be put back, and is left out."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    return {number: handler for number, handler in handlers.items() if handler is not None}


def _set_signals(was: dict[int, Any]) -> None:
    for number, handler in was.items():
        if signal.getsignal(number) is not handler:
            with suppress(OSError, ValueError):  # SIGKILL and SIGSTOP
                signal.signal(number, handler)


def _get_timer() -> bool:
    """Whether a signal is to come that ends the process."""
    return signal.getitimer(signal.ITIMER_REAL)[0] > 0 if hasattr(signal, "getitimer") else False


def _get_mask() -> Any:
    return signal.pthread_sigmask(signal.SIG_BLOCK, ()) if hasattr(signal, "pthread_sigmask") else None


def _get_logging() -> dict[str, Any]:
    import logging

    loggers: dict[str, logging.Logger] = {"": logging.root}
    loggers |= {n: x for n, x in list(logging.root.manager.loggerDict.items()) if isinstance(x, logging.Logger)}
    found: dict[str, Any] = {
        name: (x.level, list(x.handlers), list(x.filters), x.propagate, x.disabled) for name, x in loggers.items()
    }
    return {"of all": (logging.root.manager.disable, logging.raiseExceptions, logging.getLoggerClass())} | found


def _set_logging(was: dict[str, Any]) -> None:
    import logging

    for name, values in was.items():
        if name == "of all":
            logging.root.manager.disable, logging.raiseExceptions = values[:2]
            logging.setLoggerClass(values[2])
        else:
            logger = logging.getLogger(name)
            logger.setLevel(values[0])
            logger.handlers[:], logger.filters[:] = values[1:3]
            logger.propagate, logger.disabled = values[3:]


def _get_limits() -> dict[int, tuple[int, int]] | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    return {kind: resource.getrlimit(kind) for kind in (getattr(resource, n) for n in dir(resource) if "RLIMIT_" in n)}


def _set_limits(was: dict[int, tuple[int, int]]) -> None:
    import resource

    for kind, limits in was.items():
        if resource.getrlimit(kind) != limits:
            with suppress(OSError, ValueError):
                resource.setrlimit(kind, limits)


def _get_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _set_collection(was: tuple[bool, tuple[int, int, int]]) -> None:
    (gc.enable if was[0] else gc.disable)()
    gc.set_threshold(*was[1])


def _get_sys() -> dict[str, Any]:
    names = (
        "stdin",
        "stdout",
        "stderr",
        "excepthook",
        "unraisablehook",
        "displayhook",
        "argv",
        "meta_path",
        "path_hooks",
    )
    found = {name: getattr(sys, name) for name in names}
    return {name: list(value) if isinstance(value, list) else value for name, value in found.items()}


def _set_sys(was: dict[str, Any]) -> None:
    for name, value in was.items():
        if isinstance(value, list):
            getattr(sys, name)[:] = value
        else:
            setattr(sys, name, value)


def _copy_modules() -> dict[str, dict[str, Any]]:
    """What the modules of the standard library and of the harness hold."""
    ours = sys.stdlib_module_names | {"cdner_bench"}
    return {
        name: dict(vars(module))
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in ours and name not in ("sys", "__main__") and isinstance(module, ModuleType)
    }


def _list_replaced(
    was: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """The functions and classes that were in the place of others, by module and name."""
    for module, held in was.items():
        holds = now.get(module, {})
        if list(held) == list(holds) and all(map(operator.is_, held.values(), holds.values())):
            continue  # nearly always, and told fast
        for name, value in held.items():
            if callable(value) and holds.get(name) is not value and holds.get(name) != value:
                yield module, name, value


def _set_functions(was: dict[str, dict[str, Any]]) -> None:
    for module, name, value in _list_replaced(was, _copy_modules()):
        setattr(sys.modules[module], name, value)  # the module was put back before


PARTS: dict[str, Part] = {
    "sys.modules": Part(lambda: dict(sys.modules), sys.modules.update, _miss),
    "functions of the standard library or of the harness": Part(
        _copy_modules, _set_functions, lambda was, now: any(_list_replaced(was, now))
    ),
    "the working folder": Part(os.getcwd, os.chdir),
    "the environment": Part(lambda: dict(os.environ), _set_environment),
    "the locale": Part(_get_locale, _set_locale),
    "filters of warnings": Part(lambda: list(warnings.filters), _set_warnings),
    "random state": Part(_get_draws, _set_draws, _miss),
    TORCH_DRAWS: Part(_get_torch_draws, _set_torch_draws),
    "settings of torch": Part(_get_torch, _set_torch),
    "handlers of signals": Part(_get_signals, _set_signals, _miss),
    "signals held back": Part(_get_mask, lambda was: signal.pthread_sigmask(signal.SIG_SETMASK, was)),
    "a timer": Part(_get_timer, lambda was: None if was else signal.setitimer(signal.ITIMER_REAL, 0)),
    "logging": Part(_get_logging, _set_logging, _miss),
    "sys.path": Part(lambda: list(sys.path), lambda was: sys.path.__setitem__(slice(None), was)),
    "streams and hooks of sys": Part(_get_sys, _set_sys),
    "limits of the process": Part(_get_limits, _set_limits),
    "the mask of new files": Part(_get_umask, os.umask),
    "the depth of recursion": Part(sys.getrecursionlimit, sys.setrecursionlimit),
    "garbage collection": Part(lambda: (gc.isenabled(), gc.get_threshold()), _set_collection),
    "cores": Part(
        lambda: os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None,
        lambda was: os.sched_setaffinity(0, was),
    ),
}
"""Each by what a sentence calls it that says what was changed."""


class Surroundings:
    """Everything of `PARTS`, and where the standard streams lead, as it was when this was made."""

    def __init__(self) -> None:
        self._was = {name: part.look() for name, part in PARTS.items()}
        self._streams = {number: os.dup(number) for number in STREAMS if _identify(number)}

    def list_changes(self) -> list[str]:
        """What is not as it was, but for what a method may well change."""
        found = [name for name, part in PARTS.items() if name != TORCH_DRAWS and part.differs(self._was[name])]
        return [*found, *(["where standard streams lead"] if self._list_moved() else ())]

    def restore(self) -> None:
        """Put everything back, once."""
        for name, part in PARTS.items():
            if part.differs(self._was[name]):
                with suppress(Exception):  # a folder that is gone, a limit that cannot be raised again
                    part.write(self._was[name])
        for number in self._list_moved():
            os.dup2(self._streams[number], number)
        for number, name in ((1, "stdout"), (2, "stderr")):
            if getattr(getattr(sys, name), "closed", False) and number in self._streams:
                setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False))
        for saved in self._streams.values():
            with suppress(OSError):
                os.close(saved)

    def _list_moved(self) -> list[int]:
        pairs = ((number, _identify(saved)) for number, saved in self._streams.items())
        return [number for number, file in pairs if file and file != _identify(number)]


def _identify(descriptor: int) -> tuple[int, int] | None:
    """Which file is open; None if none is."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def contained() -> Iterator[Callable[[], None]]:
    """For a block of somebody else's code: what it changes of the process is put back, `os._exit` ends the block alone,
    and a copy of the process that it forks ends with the block, or earlier where the block calls what it is given.
    """
    process, leave = os.getpid(), os._exit

    def end_copies() -> None:
        if os.getpid() != process:
            leave(1)

    def end_block(status: int) -> None:
        if os.getpid() != process or threading.current_thread() is not threading.main_thread():
            leave(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = end_block  # type: ignore[assignment]
    was = Surroundings()
    try:
        yield end_copies
    finally:
        end_copies()
        was.restore()
        os._exit = leave


def list_children() -> set[int]:
    """The ids of this process's children, as far as the system tells."""
    found = set()
    with suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as stream:
                state, parent = stream.read().rpartition(b")")[2].split()[:2]
                if int(parent) == os.getpid() and state != b"Z":
                    found.add(int(name))
    return found
