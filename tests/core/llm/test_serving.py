"""Servers of one's own: what they say when they cannot, and that they end with the one that started them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cdner_bench.errors import CdnerError
from cdner_bench.io import models
from cdner_bench.llm import Client, Limits, Question, Store, find_endpoint, server
from support import Run


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("smolm2", "unknown model 'smolm2'", "did you mean 'smollm2'?"),
        ("minit5", "minit5 is no language model that can be served", "hf:NAME"),
    ],
)
def test_a_model_that_cannot_be_served(name: str, said: str, hint: str, cli: Run) -> None:
    done = cli("llm", "serve", name)
    assert done.returncode == 1
    assert said in done.stderr
    assert hint in done.stderr


def test_weights_that_were_altered_are_not_served(tmp_path: Path, cli: Run) -> None:
    model = models.read_catalogue()["smollm2"]
    place = tmp_path / "cdner-bench" / "models" / f"smollm2-{model.version}"
    place.mkdir(parents=True)
    (place / model.weights).write_bytes(b"GGUF")
    done = cli("llm", "serve", "smollm2", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "its SHA-256 differs" in done.stderr
    assert "rm -r" in done.stderr


def test_a_missing_package_is_named(tmp_path: Path, cli: Run) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('No module named xllamacpp')")
    places = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    done = cli("llm", "serve", "smollm2", PYTHONPATH=os.pathsep.join(filter(None, places)))
    assert done.returncode == 1
    assert "serving smollm2 needs llama.cpp" in done.stderr
    assert "pip install 'cdner-bench[local-llm]'" in done.stderr


def test_a_server_that_crashes_as_it_starts_says_by_which_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    crash = "import os, signal; print('loading', flush=True); os.kill(os.getpid(), signal.SIGILL)"
    started = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _, **pipes: started([sys.executable, "-c", crash], **pipes))
    said = "the server of smollm2 does not come up: it was ended by SIGILL, code that this processor cannot run"
    with pytest.raises(CdnerError, match=f"{said}, and said last: loading"), server.start("smollm2", 1, 256):
        pytest.fail("a server that has crashed was asked")


def test_a_server_that_ends_while_it_is_asked_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = server.start

    @contextmanager
    def start_to_die(name: str, parallel: int) -> Iterator[server.Server]:
        with start(name, parallel) as served:
            served.process.kill()
            served.process.wait()
            yield served

    monkeypatch.setattr(server, "start", start_to_die)
    asked = Client(find_endpoint("smollm2", "local"), Store(tmp_path), Limits(), ledger=tmp_path / "asked")
    said = "while it was asked, the server of smollm2 was ended by SIGKILL, perhaps for want of memory"
    with pytest.raises(CdnerError, match=said):
        list(asked.answers([Question("smollm2", (("user", "hello"),), 4, 0.1, 0.95)]))


def test_a_server_ends_when_its_parent_is_killed() -> None:
    code = (
        "import os, time; from cdner_bench.llm import server\n"
        "with server.start('smollm2', 1, 256) as served: print(served.url, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    url = parent.stdout.readline().strip().removesuffix("/v1")
    assert server.wait_until_up(url)
    parent.kill()
    parent.communicate()
    for _ in range(100):
        if not _listens(url):
            return
        time.sleep(0.1)
    pytest.fail("the server outlived its parent")


@pytest.fixture
def foreign() -> Iterator[int]:
    """The port of somebody else's server, which says that it is well."""

    class Well(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server_of_others = HTTPServer((server.HOST, 0), Well)
    threading.Thread(target=server_of_others.serve_forever, daemon=True).start()
    yield server_of_others.server_port
    server_of_others.shutdown()
    server_of_others.server_close()


def test_somebody_else_s_server_is_not_taken_for_ours(foreign: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "find_free_port", lambda: foreign)  # it was free when we looked
    with (
        pytest.raises(CdnerError, match=f"llama.cpp cannot serve smollm2 at {server.HOST}:{foreign}"),
        server.start("smollm2", 1, 256),
    ):
        pytest.fail("a foreign server was asked")


def _listens(url: str) -> bool:
    import socket

    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_a_model_of_transformers_is_served_from_its_folder(tmp_path: Path, tiny_llama: str) -> None:
    served = find_endpoint(f"hf:{tiny_llama}", "local")
    asked = Client(served, Store(tmp_path), Limits(), ledger=tmp_path / "asked")
    (answer,) = asked.answers([Question(served.model, (("user", "hello"),), 4, 0.1, 0.95)])
    assert answer.tokens_out == 4
    assert answer.model == served.model
    assert tiny_llama not in (next(tmp_path.glob("*.jsonl"))).read_text()
