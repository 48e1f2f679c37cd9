"""Runs in processes of their own: a job goes in as data, what it does comes out as lines of JSON.

`Workers.make` starts `python -m cdner_bench.running` for each method. That process imports the method once and then
forks a copy of itself for each run, so that no run waits for the import of torch again, and none has what another left.
Where processes cannot be forked safely, each run is started anew.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import math
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Any, get_type_hints

from pydantic import TypeAdapter

from .. import plugins
from ..data import Benchmark
from ..environments import Environment
from ..errors import CdnerError, find_hint, in_words
from ..io import Stopped, adopt_orphans, describe_end, die_with_parent, keep_niceness, list_children, stoppable
from ..plugins import Method, Observer, Registered, Registry, options
from ..records import describe_provenance, results
from ..types import Scenario
from . import runner
from .runner import Ending, Job, Outcome

FORKS = sys.platform == "linux"
"""Whether a process that has imported much can be forked: elsewhere, libraries of the system forbid it."""
POLL = 0.02
"""Seconds between two looks at a process."""
KEPT = 4
"""How many methods stay imported: with torch, each holds 300 MB."""
PATIENCE = 10.0
"""Seconds within which a run that is stopped should have ended."""
HEARING = 0.5
"""Seconds within which whoever asks for runs hears that it should end, if their processes were told at once."""
DRAIN = 0.005
"""Seconds within which what a run has printed should have come when its end has."""
BETWEEN = 0.05
"""Seconds between two steps of progress that are told."""
Data = dict[str, Any]

_adapt: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
_adapt_options: Callable[[type], Mapping[str, TypeAdapter[Any]]] = cache(
    lambda kind: {name: TypeAdapter(hint) for name, hint in options.list_options(kind).items()}
)
_BENCHMARK = {name: hint for name, hint in get_type_hints(Benchmark).items() if not name.startswith("_")}


def describe(job: Job, out: Path, plugin_files: Sequence[Path] = (), disabled: Sequence[str] = ()) -> Data:
    """A job as plain data, from which any process that sees the same files can make it below `out`. In an environment
    of its own there is no plugin but that of the job.
    """
    if job.entry.environment:
        plugin_files, disabled = [path for path in plugin_files if path.stem == job.entry.plugin], ()
    return {
        "id": job.id,
        "out": str(out.absolute()),
        "plugins": [str(path.absolute()) for path in plugin_files],
        "disabled": list(disabled),
        "benchmark": {
            name: _adapt(hint).dump_python(getattr(job.benchmark, name), mode="json")
            for name, hint in _BENCHMARK.items()
        },
        "scenario": [job.scenario.setting, job.scenario.sources, job.scenario.target],
        "method": job.entry.spec.name,
        "preset": job.preset,
        "options": {
            name: adapter.dump_python(options.read_option(job.options, name), mode="json")
            for name, adapter in _adapt_options(type(job.options)).items()
        },
        "seed": job.seed,
        "room": job.room,
        "patient": job.patient,
    }


def restore(data: Data, registry: Registry, benchmark: Benchmark | None = None) -> Job:
    """The job that data describes, on its benchmark, which may be read already. Raises `CdnerError` if it comes out as
    another, because files are others now.
    """
    benchmark = benchmark or _restore_benchmark(data)
    setting, sources, target = data["scenario"]
    entry = registry.get(data["method"])
    chosen = entry.spec.resolve(None, data["options"])
    scenario = Scenario(setting, tuple(sources), target)
    how = data["room"], data["patient"]
    job = Job(benchmark, scenario, entry, data["preset"], chosen, data["seed"], *how)
    if job.id != data["id"]:
        raise CdnerError(
            f"in a process of its own the run is another ({job.id}, not {data['id']}): a file was changed meanwhile",
            hint="type the same command again; if it stays so, add --no-isolate",
        )
    return job


def _restore_benchmark(data: Data) -> Benchmark:
    return Benchmark(**{key: _adapt(hint).validate_python(data["benchmark"][key]) for key, hint in _BENCHMARK.items()})


def discover(data: Data) -> Registry:
    """The methods that a job was planned with."""
    return plugins.discover(map(Path, data["plugins"]), data["disabled"])


# --- the process of a run --------------------------------------------------------------------------------------------


class Channel:
    """An observer that writes what it is told as lines of JSON."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._writing = threading.Lock()
        self._last = 0.0

    def send(self, event: str, **values: object) -> None:
        """Write one event."""
        line = json.dumps({"event": event, **values}, default=str).encode("ascii") + b"\n"
        with self._writing:
            while line:
                line = line[os.write(self.descriptor, line) :]

    def phase(self, name: str) -> None:
        """Tell that a phase begins."""
        self.send("phase", name=str(name))

    def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
        """Tell how far the phase has come, if that was not told just now."""
        now = time.monotonic()
        if step == total or now - self._last > BETWEEN:
            self._last = now
            told = {name: float(value) for name, value in numbers.items()}
            self.send("progress", step=int(step), total=None if total is None else int(total), numbers=told)

    def note(self, text: str) -> None:
        """Tell something that the user should read."""
        self.send("note", text=str(text))


def serve() -> None:
    """Make the runs whose jobs come in on standard input, a line each, until it ends. What methods print goes to
    standard error; standard output is for events. SIGTERM is for the runs: a cluster sends it to every process, and a
    run that outlives who asked for it is killed.
    """
    keep_niceness()
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # Ray's processes hold ctrl-C back, and theirs inherit that
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel, jobs = Channel(os.dup(1)), os.dup(0)
    os.dup2(2, 1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    registry: Registry | None = None
    read = _ReadBenchmark()
    for line in _read_lines(jobs):
        data = json.loads(line)
        if not FORKS:
            os._exit(_work(data, None, None, channel))
        registry = registry or _import_method(data)
        benchmark = read.get(data)
        adopt_orphans()
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            os.close(jobs)
            os.setpgid(0, 0)
            die_with_parent(signal.SIGKILL)
            os._exit(_work(data, registry, benchmark, channel))
        _attend(process, jobs, channel)


def _read_lines(descriptor: int) -> Iterator[bytes]:
    """The lines of a pipe; the next block is read when the lines of the last one are used up."""
    rest = b""
    while block := os.read(descriptor, 1 << 16):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines


def _import_method(data: Data) -> Registry | None:
    """The methods, that of the job imported, and what all runs need. None if that fails: the run will say why."""
    try:
        registry = discover(data)
        entry = registry.get(data["method"])
        entry.spec.load(Method)
        describe_provenance(entry.facts)
        import_module("filelock")
        results.make_adapter()
        for hint in _BENCHMARK.values():
            _adapt(hint)
    except BaseException:
        return None
    return registry


class _ReadBenchmark:
    """The benchmark of the runs, with the corpora that were read: the copies of this process need not read them again.
    No method runs in this process, so none can change them.
    """

    def __init__(self) -> None:
        self._known: tuple[Data, Benchmark] | None = None

    def get(self, data: Data) -> Benchmark | None:
        """The benchmark of a job, with its corpora read. None if that fails: the run will say why."""
        try:
            if self._known is None or self._known[0] != data["benchmark"]:
                self._known = data["benchmark"], _restore_benchmark(data)
            _, sources, target = data["scenario"]
            for name in (*sources, target):
                self._known[1].corpus(name)
        except Exception:
            return None
        gc.freeze()  # or the copies would have every page for themselves
        return self._known[1]


def _work(data: Data, registry: Registry | None, benchmark: Benchmark | None, channel: Channel) -> int:
    """Make a run, tell how it ended, and return the exit status of its process."""
    faulthandler.enable(channel.descriptor)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with stoppable():
            channel.send("began", process=os.getpid())
            out = Path(data["out"])
            job = restore(data, registry or discover(data), benchmark)
            outcome = runner.attempt(job, out, channel)
        result = outcome.result and results.make_adapter().dump_python(outcome.result, mode="json")
        said = {"status": outcome.status, "message": outcome.message, "hint": outcome.hint, "awaits": outcome.awaits}
        channel.send("outcome", **said, result=result)
    except Stopped as error:
        signal.signal(error.number, signal.SIG_DFL)
        signal.raise_signal(error.number)
    except BrokenPipeError:
        return 1
    except BaseException as error:
        channel.send("refused", message=in_words(error), hint=find_hint(error))
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    return 0


def _attend(process: int, jobs: int, channel: Channel) -> None:
    """Wait for a run's process, and end what it leaves behind; if whoever asked for it is gone, end it too."""
    end = _watch(process)
    while True:
        ended, status, usage = os.wait4(process, os.WNOHANG)
        if ended:
            break
        heard = select.select([jobs, *end], [], [], None if end else POLL)[0]
        if jobs in heard:  # nothing is said while a run goes on: this is its end
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
    for descriptor in end:
        os.close(descriptor)
    left = _end_children()
    with suppress(BrokenPipeError):
        channel.send("ended", status=os.waitstatus_to_exitcode(status), peak=usage.ru_maxrss * 1024, left=left)


def _watch(process: int) -> list[int]:
    """What can be read of when a process ends, where the system has such a thing."""
    with suppress(OSError, AttributeError):
        return [os.pidfd_open(process)]
    return []


def _end_children() -> int:
    """End every child of this process, and say how many there were."""
    count = 0
    while children := list_children():
        count += len(children)
        for child in children:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return count


# --- the process that asks for it ------------------------------------------------------------------------------------


class Workers:
    """Processes that make runs, one for each method that was asked for, of which the newest few are kept; their
    `environment` is what differs from ours. `make` is for `runner.run`.
    """

    again = 1 if FORKS else 0
    """How often a run is made again that was lost because the process that forks the runs was ended from outside."""

    def __init__(
        self,
        plugin_files: Sequence[Path] = (),
        disabled: Sequence[str] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
        kept: int = KEPT,
    ) -> None:
        self.plugin_files = [path.absolute() for path in plugin_files]
        self.disabled = disabled
        self.environment, self.kept = environment, kept
        self.stopped: int | None = None
        self._workers: dict[tuple[str, Environment | None], _Worker] = {}

    def __enter__(self) -> Workers:
        """Nothing is started before it is needed."""
        return self

    def __exit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.close()

    def make(self, job: Job, out: Path, observer: Observer) -> Outcome:
        """Make one run in a process of its own. It is made again if the process that forks the runs is ended from
        outside, and not if its own is. Raises `CdnerError` if nothing can be kept in its folder.
        """
        data = describe(job, out, self.plugin_files, self.disabled)
        said = self.ask(job.entry, data, observer)
        for _ in range(self.again):
            if not said["ended"]["lost"] or "outcome" in said:
                break
            observer.note("the process that makes it was ended from outside; it goes on in another")
            said = self.ask(job.entry, data, observer)
        return _read_outcome(job, out / "runs" / job.id, said, observer)

    def ask(self, entry: Registered, data: Data, observer: Observer) -> dict[str, Data]:
        """Everything that was said at the end of a run of a method, by event."""
        key = entry.spec.factory, entry.environment
        worker = self._workers.pop(key, None)
        if worker is None or not worker.alive:
            while len(self._workers) >= self.kept:
                self._workers.pop(next(iter(self._workers))).close()
            worker = _Worker(entry.environment, self.environment, lambda: self.stopped)
        try:
            said = worker.make(data, observer)
        except BaseException:
            worker.close()
            raise
        if FORKS and worker.alive:
            self._workers[key] = worker  # the newest is the last
        else:
            worker.close()
        return said

    def stop(self, number: int) -> None:
        """From another thread: have `make` raise `Stopped` now and later, and its run end where it is."""
        self.stopped = number


class _Worker:
    """A process of `serve`, seen from outside: of this interpreter, or of another. `variables` are what differs from
    ours; `find_stop` says which signal should end its runs, once one should.
    """

    def __init__(
        self, other: Environment | None, variables: Mapping[str, str], find_stop: Callable[[], int | None]
    ) -> None:
        self._find_stop = find_stop
        python, usual = other.describe_process() if other else (sys.executable, os.environ)
        here = (
            [] if not other and sys.path[:1] in ([""], [os.getcwd()]) else ["-P"]
        )  # the same modules are found as here
        self._process = subprocess.Popen(
            [python, *here, "-m", "cdner_bench.running"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**usual, **variables},
            start_new_session=True,  # ctrl-C comes here first, and is passed on
        )
        self._said: queue.Queue[tuple[str, bytes]] = queue.Queue(1000)
        self._run: int | None = None
        for name in ("stdout", "stderr"):
            threading.Thread(target=self._listen, args=(name,), daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it can make another run."""
        return self._process.poll() is None

    def make(self, data: Data, observer: Observer) -> dict[str, Data]:
        """Everything that was said at the end of a run, by event; what is no event, as `words`."""
        self._run = None
        with suppress(BrokenPipeError):
            self._input.write(json.dumps(data).encode("ascii") + b"\n")
            self._input.flush()
        try:
            said = self._attend(observer)
            if said["ended"]["status"] == -signal.SIGTERM:
                self._hear()
            return said
        except KeyboardInterrupt as error:
            self._stop(error.number if isinstance(error, Stopped) else signal.SIGINT)
            raise

    def close(self) -> None:
        """End the process and what it has started."""
        with suppress(OSError):
            self._input.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def _input(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _listen(self, name: str) -> None:
        stream = getattr(self._process, name)
        with stream:
            for said in stream if name == "stdout" else iter(lambda: stream.read1(1 << 16), b""):
                self._said.put((name, said))
        self._said.put((f"end of {name}", b""))

    def _attend(self, observer: Observer) -> dict[str, Data]:
        found: dict[str, Data] = {}
        words: list[str] = []
        tell: dict[str, Callable[..., None]] = {
            "phase": observer.phase,
            "progress": observer.progress,
            "note": observer.note,
            "began": self._begin,
        }
        give_up = math.inf
        while time.monotonic() < give_up:
            if "ended" not in found:
                self._check_stop()
            try:
                kind, said = self._said.get(timeout=DRAIN if "ended" in found else POLL)
            except queue.Empty:
                if "ended" in found:  # and all that was printed before has come
                    break
                kind, said = "", b""
            if kind == "stderr":
                print(said.decode("utf-8", "replace"), end="", file=sys.stderr, flush=True)
            elif kind == "stdout" and (event := _read_event(said)):
                name = event.pop("event")
                if name in tell:
                    tell[name](**event)
                else:
                    found[name] = {"lost": False, **event} if name == "ended" else event
                    give_up = time.monotonic() + 1 if name == "ended" else give_up
            elif kind == "stdout":
                words.append(said.decode("utf-8", "replace"))
            elif kind == "end of stdout" or (not kind and not self.alive):
                found.setdefault("ended", {"status": self._process.wait(), "peak": 0, "left": 0, "lost": True})
                break
        return found | {"words": {"text": "".join(words)}}

    def _hear(self) -> None:
        """Raise `Stopped` if not the run alone was asked to end."""
        give_up = time.monotonic() + HEARING
        while time.monotonic() < give_up:
            self._check_stop()
            time.sleep(POLL)

    def _check_stop(self) -> None:
        if (number := self._find_stop()) is not None:
            raise Stopped(number)

    def _begin(self, process: int) -> None:
        self._run = process

    def _stop(self, number: int) -> None:
        """Have the run end where it is; if it takes too long, or the user asks again, end it at once."""
        if self._run is None:
            self._process.kill()
            return
        with suppress(ProcessLookupError, KeyboardInterrupt):
            os.kill(self._run, number)
            give_up = time.monotonic() + PATIENCE
            while time.monotonic() < give_up:
                with suppress(queue.Empty):
                    kind, said = self._said.get(timeout=POLL)
                    if kind == "end of stdout" or b'"event": "ended"' in said[:30]:
                        return


def _read_event(line: bytes) -> Data | None:
    """The event of a line; None for one that the interpreter has written when it crashed."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _read_outcome(job: Job, folder: Path, said: Mapping[str, Data], observer: Observer) -> Outcome:
    if refused := said.get("refused"):
        raise CdnerError(refused["message"], hint=refused["hint"])
    if left := said["ended"]["left"]:
        observer.note(f"{left} {'processes were' if left > 1 else 'process was'} left behind by the run, and ended")
    if told := said.get("outcome"):
        result = told["result"] and results.make_adapter().validate_json(json.dumps(told["result"]))
        awaits = told["awaits"] and Path(told["awaits"])
        return Outcome(job, Ending(told["status"]), result or None, told["message"], told["hint"], awaits)
    words = said["words"]["text"]
    kept = runner.keep_words(folder, words) if words else None
    status, peak = said["ended"]["status"], said["ended"]["peak"]
    held = f"; it held {peak / 1e6:,.0f} MB at its most" if status < 0 and peak else ""
    message = f"the process of the run {describe_end(status)}{held}"
    return Outcome(job, Ending.FAILED, message=message, hint=f"what it said last is in {kept}" if kept else None)
