"""Runs on a Ray cluster, or on a Ray of this machine that ends with the command.

Each worker is an actor that holds what is declared for a run: on its node it does what a worker does on this machine,
and tells this one of it. What goes to it is a job as data; the runs lie in the store, which its node must see.
"""

from __future__ import annotations

import math
import os
import queue
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import CdnerError, OptionError, PluginError, count, did_you_mean, find_hint, in_words
from ...io import ENDING, Stopped, meter, name_draft, writing
from ...plugins import Observer, Registered, Registry
from ..process import PATIENCE, Channel, Data, Workers, discover
from ..runner import ELSEWHERE
from .codes import check_core, check_plugin, hash_codes, hash_core
from .local import Crew, Study
from .shares import THREADS, check_some, list_gpus

RESOURCES = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}
"""What can be declared for a run, and what nodes of Ray call it."""
STORE = 80 << 20
"""Bytes of the object store of a Ray of one's own: hardly anything goes through it, and Ray takes no less."""
ANSWER = 120.0
"""Seconds within which a node says whether it can make runs."""
START = "start one with `ray start --head`, or leave out the address for a Ray of this machine"
LISTEN = 0.2
"""Seconds that a worker waits for something to tell."""
POLL = 0.05
"""Seconds between two looks at whether this should stop."""
PENDING = 15.0
"""Seconds after which a worker that the cluster has not started yet is said to wait."""


@contextmanager
def hire(study: Study, asked: int | None, parameters: Mapping[str, str]) -> Iterator[Crew]:
    """Workers on a Ray cluster: as many as asked for, by default as it has room for. Raises `CdnerError` for what
    cannot be, and then nothing is made.
    """
    check_some(asked)
    address, wanted = _settle(parameters)
    environment = _take_environment(wanted)
    with _connect(address, 1 if "num_cpus" in parameters else min(asked or 1, len(study.jobs))) as ray:
        nodes = [node for node in ray.nodes() if node["Alive"]]
        gpus = any(node["Resources"].get("GPU") for node in nodes)
        wanted.setdefault("num_gpus", float(gpus))
        fit = [(node, room) for node in nodes if (room := _count_room(node["Resources"], wanted))]
        if not fit:
            raise _describe_lack(nodes, wanted)
        room = sum(each for _, each in fit)
        if asked is not None and asked > room:
            raise OptionError(
                f"--workers {asked}: the cluster has room for {room} with {_name(wanted)} each",
                hint=f"type --workers {room}, or declare less for each",
            )
        number = max(1, min(asked or room, len(study.jobs)))
        with _mark(study) as mark:
            none = {} if wanted["num_gpus"] else {"CUDA_VISIBLE_DEVICES": ""}
            terms = {**_describe(study), "mark": mark, "environment": {**environment, **none}}
            _check_nodes(ray, [node for node, _ in fit], terms)
            workers = [_Remote(study, ray, wanted, terms) for _ in range(number)]
            words = f"Ray: {count(number, 'worker')} on {count(len(fit), 'node')}, each with {_name(wanted)}"
            yield Crew(workers, words)


def _describe(study: Study) -> Data:
    """What all workers get: whose methods they are, and which code they must have."""
    plugins = [str(path.absolute()) for path in study.plugin_files]
    out = str(study.out.absolute())
    where = {"out": out, "folder": os.getcwd()}
    return {**where, "plugins": plugins, "disabled": list(study.disabled), **hash_codes(study.jobs)}


def _settle(parameters: Mapping[str, str]) -> tuple[str, dict[str, float]]:
    """The address, and what is declared for a run. Raises `OptionError` for what Ray does not know or is nonsense."""
    known = ["address", *RESOURCES]
    wanted = {"num_cpus": 1.0}
    for name, value in parameters.items():
        if name not in known:
            raise OptionError(f"-x {name}: a run on Ray has no such parameter", hint=did_you_mean(name, known))
        if name != "address":
            wanted[name] = _read(name, value)
    address = parameters.get("address") or os.environ.get("RAY_ADDRESS") or "local"
    host, _, port = address.rpartition(":")
    if address not in ("auto", "local") and not (host and port.isdecimal() and "/" not in host):
        raise OptionError(
            f"-x address={address}: this is no address of a cluster",
            hint="on one of its nodes, type -x address=auto, or -x address=HOST:6379",
        )
    return address, wanted


def _read(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    least = "more than 0" if name == "num_cpus" else "0 or more"
    if not math.isfinite(value) or value < 0 or (name == "num_cpus" and not value):
        raise OptionError(f"-x {name}={text}: a run has a number of them, {least}", hint=f"write it as -x {name}=2")
    if (value > 1 or name == "memory") and value != int(value):
        raise OptionError(
            f"-x {name}={text}: above one, Ray has whole ones only", hint=f"type -x {name}={math.ceil(value)}"
        )
    return value


def _name(wanted: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={value:.15g}" for name, value in wanted.items() if value)


def _take_environment(wanted: Mapping[str, float]) -> dict[str, str]:
    """The environment of runs: ours, as jobs of SLURM have it too, but for what Ray and a node set themselves."""
    meter.settle_threads()
    ours = {n: v for n, v in os.environ.items() if not n.startswith("RAY_") and not n.endswith("VISIBLE_DEVICES")}
    threads = dict.fromkeys(THREADS, str(max(1, int(wanted["num_cpus"]))))
    return {"PYTHONBREAKPOINT": "", **threads, **ours}  # Ray's would wait for its debugger


@contextmanager
def _connect(address: str, cpus: int) -> Iterator[Any]:
    """Ray, connected to a cluster, or one of this machine with its cores, or so many if it has less."""
    try:
        os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # or threads that come too late start another
        import ray
    except ImportError:
        raise PluginError("--executor ray needs the package ray", hint="pip install 'cdner-bench[ray]'") from None
    before, handlers = dict(os.environ), {number: signal.getsignal(number) for number in ENDING}
    short = os.environ.get("RAY_TMPDIR") or ("/tmp" if os.path.isdir("/tmp") else None)  # sockets have short paths
    folder = tempfile.TemporaryDirectory(prefix="ray-", dir=short, ignore_cleanup_errors=True)
    options: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        cores = max(meter.count_cores(), cpus)
        options |= {"num_cpus": cores, "num_gpus": len(list_gpus()), "object_store_memory": STORE}
        options |= {"include_dashboard": False, "_temp_dir": folder.name}
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nobody is told
        if hasattr(os, "nice"):
            os.environ.setdefault("RAY_worker_niceness", str(os.nice(0)))  # as nice as the command, and not 15
        os.environ.setdefault("RAY_AUTH_TOKEN_PATH", _write_token(Path(folder.name)))
    with folder:
        try:
            _reach(address)
            try:
                ray.init(**options)
            except (ConnectionError, OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
                raise _describe_refusal(address, error) from None
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)  # Ray has its own for SIGTERM
            yield ray
        finally:
            ray.shutdown()
            os.environ.clear()
            os.environ.update(before)


def _write_token(folder: Path) -> str:
    """A secret that the processes of a Ray of one's own know each other by, and nobody else."""
    place = folder / "token"
    place.touch(mode=0o600)
    place.write_text(secrets.token_hex(32))
    return str(place)


def _reach(address: str) -> None:
    """Raises `OptionError` if nobody listens at an address: Ray would wait for a minute."""
    if address in ("auto", "local"):
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise OptionError(f"-x address={address}: no cluster answers there ({in_words(error)})", hint=START) from None


def _describe_refusal(address: str, error: Exception) -> CdnerError:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if address == "local":
        return CdnerError(f"Ray does not start: {said}", hint="mend what it names, or leave out --executor ray")
    if isinstance(error, ConnectionError):
        return OptionError(f"-x address={address}: there is no cluster", hint=START)
    return CdnerError(f"the Ray cluster at {address} refuses: {said}", hint="mend what it names")


def _count_room(there: Mapping[str, float], wanted: Mapping[str, float]) -> int:
    """How many runs a node has room for at once."""
    return min(int(there.get(RESOURCES[name], 0) / value + 1e-9) for name, value in wanted.items() if value)


def _describe_lack(nodes: Sequence[Mapping[str, Any]], wanted: Mapping[str, float]) -> OptionError:
    """What no node has."""
    for name, value in wanted.items():
        most = max((node["Resources"].get(RESOURCES[name], 0) for node in nodes), default=0)
        if value > most:
            what = f"-x {name}={value:.15g}: no node of the cluster has more than {most:.15g}"
            other = f"leave out {name}, or start a node that has some: ray start --address=…"
            return OptionError(what, hint=f"type -x {name}={most:.15g}" if most else other)
    return OptionError(f"no node of the cluster has {_name(wanted)} together", hint="declare less with -x")


@contextmanager
def _mark(study: Study) -> Iterator[str]:
    """The path of a file in the store that no other store has: who does not see it sees another store, or none."""
    place = name_draft(study.out.absolute() / "runs" / "ray")
    with writing(place.parent, ELSEWHERE):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    try:
        yield str(place)
    finally:
        with suppress(OSError):
            place.unlink()


def _check_nodes(ray: Any, nodes: Sequence[Mapping[str, Any]], terms: Data) -> None:
    """Raises `CdnerError` if a node on which runs would be made cannot make them."""
    remote = ray.remote(find_fault)
    near = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    there = [near(node_id=node["NodeID"], soft=False) for node in nodes]
    asked = [remote.options(num_cpus=0, max_retries=0, scheduling_strategy=each).remote(terms) for each in there]
    for answer, host in zip(asked, (node["NodeManagerHostname"] for node in nodes), strict=True):
        try:
            fault = ray.get(answer, timeout=ANSWER)
        except ray.exceptions.RayError as error:
            last = str(error).strip().splitlines()[-1]
            raise CdnerError(
                f"the node {host} cannot make runs: {last}",
                hint="install the same cdner-bench there, for the Python that its Ray was started with",
            ) from None
        if fault:
            raise CdnerError(f"the node {host} cannot make runs: {fault['message']}", hint=fault["hint"])


class _Remote(Workers):
    """Workers that are one, in an actor of Ray's, which holds what is declared for a run. If it is lost, another takes
    its place.
    """

    again = 5

    def __init__(self, study: Study, ray: Any, wanted: Mapping[str, float], terms: Data) -> None:
        super().__init__(study.plugin_files, study.disabled)
        self._ray, self._terms = ray, terms
        self._wanted = {n: int(v) if v == int(v) else v for n, v in wanted.items() if v or n == "num_gpus"}
        self._hand: Any = None

    def __exit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        """End it."""
        if self._hand is not None:
            with suppress(self._ray.exceptions.RayError):
                self._ray.kill(self._hand)
        self._hand = None

    def ask(self, entry: Registered, data: Data, observer: Observer) -> dict[str, Data]:
        """Everything that was said at the end of a run, wherever it is made."""
        try:
            if self._hand is None:
                self._hand = self._ray.remote(Hand).options(max_restarts=0, **self._wanted).remote()
            self._hand.begin.remote(data, self._terms)
            return self._listen(observer)
        except self._ray.exceptions.RayError as error:
            self.__exit__()
            ended = {"status": -signal.SIGKILL, "peak": 0, "left": 0, "lost": True}
            return {"ended": ended, "words": {"text": in_words(error)}}

    def _listen(self, observer: Observer) -> dict[str, Data]:
        tell: dict[str, Callable[..., None]] = {
            "phase": observer.phase,
            "progress": observer.progress,
            "note": observer.note,
            "print": lambda text: print(text, end="", file=sys.stderr, flush=True),
        }
        began, waits, give_up = False, time.monotonic() + PENDING, math.inf
        answer = self._hand.listen.remote()
        while time.monotonic() < give_up:
            if self.stopped is not None and give_up == math.inf:
                self._hand.stop.remote(self.stopped)
                give_up = time.monotonic() + (2 * PATIENCE if began else 0)
            if not self._ray.wait([answer], timeout=POLL)[0]:
                if not began and time.monotonic() > waits:
                    observer.note("waits for the cluster, which has not started its worker yet")
                    waits = math.inf
                continue
            began = True
            for event in self._ray.get(answer):
                name = event.pop("event")
                if name == "stopped":
                    give_up = 0
                elif name == "said":
                    said: dict[str, Data] = event
                    return said
                else:
                    tell[name](**event)
            answer = self._hand.listen.remote()
        raise Stopped(self.stopped or signal.SIGTERM)


# --- on a node -------------------------------------------------------------------------------------------------------


def find_fault(terms: Data) -> Data | None:
    """On a node: why it cannot make runs; None if it can."""
    try:
        _enter(terms)
    except Exception as error:
        return {"message": in_words(error), "hint": find_hint(error)}
    return None


def _enter(terms: Data) -> Registry:
    """Go where the command was typed, and find its methods. Raises `CdnerError` if this node does not see what the
    command saw there.
    """
    if not os.path.exists(terms["mark"]):
        raise CdnerError(
            f"it does not see {terms['out']}",
            hint="name a folder that all nodes see under one path: --out FOLDER",
        )
    if not os.path.isdir(terms["folder"]):
        raise CdnerError(f"it does not see {terms['folder']}", hint="type the command in a folder that it sees")
    os.chdir(terms["folder"])
    check_core(terms, hash_core())
    registry = discover(terms)
    for name in terms["codes"]:
        check_plugin(terms, registry.get(name))
    return registry


class Hand(Channel):
    """On a node: makes one run after the other, and tells what they do to whoever listens."""

    def __init__(self) -> None:
        super().__init__(-1)
        self._told: queue.Queue[Data] = queue.Queue()
        self._workers = Workers(kept=1)
        self._registry: Registry | None = None

    def send(self, event: str, **values: object) -> None:
        """Keep one event to be told."""
        self._told.put({"event": event, **values})

    def write(self, text: str) -> int:
        """Keep what a method prints."""
        self.send("print", text=text)
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""

    def begin(self, data: Data, terms: Data) -> None:
        """Begin a run."""
        threading.Thread(target=self._make, args=(data, terms), daemon=True).start()

    def listen(self) -> list[Data]:
        """What there is to tell since it was last asked; nothing, if nothing comes."""
        told = []
        with suppress(queue.Empty):
            told.append(self._told.get(timeout=LISTEN))
            while True:
                told.append(self._told.get_nowait())
        return told

    def stop(self, number: int) -> None:
        """Have the run end where it is."""
        self._workers.stop(number)

    def _make(self, data: Data, terms: Data) -> None:
        try:
            if self._registry is None:
                os.environ.update(terms["environment"])
                self._registry = _enter(terms)
            with redirect_stderr(self):
                said = self._workers.ask(self._registry.get(data["method"]), data, self)
        except Stopped:
            self.send("stopped")
            return
        except Exception as error:
            message = f"not made on {socket.gethostname()}: {in_words(error)}"
            refused = {"message": message, "hint": find_hint(error)}
            said = {"refused": refused, "ended": {"lost": False}}
        self.send("said", **said)
