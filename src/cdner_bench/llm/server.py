"""A server of one's own on loopback: llama.cpp for the GGUF models of `models.toml`, transformers for `hf:NAME`.

Either runs in a process of its own, `cdner-bench llm serve`, which ends with the one that started it.
"""

from __future__ import annotations

import http.client
import math
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CdnerError, OptionError, PluginError
from ..io import describe_end, meter, models

HOST = "127.0.0.1"
CONTEXT = 2048
"""Tokens of prompt and answer together."""
PATIENCE = 300.0
"""Seconds within which a server must have loaded a model that is on this machine."""


def serve(name: str, port: int, parallel: int, context: int, announce: Callable[[], None]) -> None:
    """Serve until the process ends. Raises `OptionError` for a model that no server here can run; calls `announce`
    when it listens (transformers' server: when it begins to load).
    """
    if name.startswith(models.HUB):
        announce()
        _run_transformers(models.drop_hub(name), port)
    else:
        holder = start_llama(name, port, parallel, context)
        announce()
        threading.Event().wait()
        del holder


def find_free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def end_with_parent() -> None:
    """End this process when the one that holds the other end of its standard input has ended."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):  # unbuffered: no lock that the end of the process would wait for
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def wait_until_up(url: str, alive: subprocess.Popen[bytes] | None = None, patience: float = PATIENCE) -> bool:
    """Wait until a server answers at its health check. False if it ended before, or takes longer than `patience`."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy leads to loopback
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up and (alive is None or alive.poll() is None):
        try:
            with direct.open(f"{url}/health", timeout=5):
                return True
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    return False


@dataclass(frozen=True)
class Server:
    """A server in a process of its own: its base URL, and the process."""

    url: str
    process: subprocess.Popen[bytes] = field(repr=False)

    def describe_end(self) -> str:
        """How its process has ended, such as "was ended by SIGKILL"; "" as long as it lives."""
        status = self.process.poll()
        return "" if status is None else describe_end(status)


@contextmanager
def start(name: str, parallel: int = 4, context: int = CONTEXT) -> Iterator[Server]:
    """A server in a process of its own, for as long as the block lasts.

    Raises `CdnerError` with what it said last if it does not come up, or if another program took its port before it.
    """
    if not name.startswith(models.HUB):
        _find_weights(name)  # so that a download and its errors happen here
    port = find_free_port()
    command = [sys.executable, "-m", "cdner_bench", "llm", "serve", name, "--port", str(port), "--child"]
    command += ["--parallel", str(parallel), "--context", str(context)]
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        with said.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)
        served = Server(f"http://{HOST}:{port}/v1", process)
        try:
            patience = math.inf if name.startswith(models.HUB) else PATIENCE  # the first time, it is downloaded
            up = wait_until_up(f"http://{HOST}:{port}", process, patience)
            if not up or not _holds_its_port(process, said, name):
                crashed = f"it {served.describe_end()}, and said last: " if (process.poll() or 0) < 0 else ""
                why = crashed + _read_last_line(said)
                raise CdnerError(f"the server of {name} does not come up: {why}", hint=_advise(name))
            yield served
        finally:
            process.terminate()
            process.communicate()


def _holds_its_port(process: subprocess.Popen[bytes], said: Path, name: str) -> bool:
    """Whether it is our own server that answers. It says so when it has its port (that of transformers says it too
    early, but ends if it cannot have it); another program's may have taken the port after it was seen to be free.
    """
    while process.poll() is None:
        if f"{name} at http://".encode() in said.read_bytes():
            return True
        time.sleep(0.1)
    return False


def _read_last_line(said: Path) -> str:
    lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    told = [line.removeprefix("cdner-bench: ") for line in lines if line.startswith("cdner-bench: ")]
    return (told or lines or ["it said nothing"])[-1].strip()


def _advise(name: str) -> str:
    return f"see what it says: cdner-bench llm serve {name}"


def _find_weights(name: str) -> Path:
    place = models.fetch(name)
    weights = place / models.read_catalogue()[name].weights
    if weights.suffix != ".gguf":
        raise OptionError(
            f"{name} is no language model that can be served",
            hint="take smollm2, or a model of the hub or of a folder: hf:NAME",
        )
    return weights


def start_llama(name: str, port: int, parallel: int, context: int) -> Any:
    """llama.cpp's server in this process, listening for as long as the object lives."""
    weights = _find_weights(name)
    try:
        import xllamacpp
    except ImportError as error:
        hint = "pip install 'cdner-bench[local-llm]'"
        raise PluginError(f"serving {name} needs llama.cpp: {error}", hint=hint) from error
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.model_alias = {name}
    parameters.hostnames = [HOST]
    parameters.port = port
    parameters.n_parallel = parallel
    parameters.n_ctx = context * parallel
    parameters.cpuparams.n_threads = meter.count_threads()
    parameters.cpuparams.poll = 0  # threads that wait by spinning starve whoever shares the cores
    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise CdnerError(
            f"llama.cpp cannot serve {name} at {HOST}:{port}: {error}",
            hint="the port may be taken: name another, --port 8081",
        ) from error


def _run_transformers(name: str, port: int) -> None:
    sys.argv = ["transformers", "serve", name, "--host", HOST, "--port", str(port)]
    try:
        runpy.run_module("transformers.cli.transformers", run_name="__main__")
    except ImportError as error:
        hint = "pip install 'cdner-bench[hf-llm]'"
        raise PluginError(f"serving {name} needs transformers' server: {error}", hint=hint) from error
