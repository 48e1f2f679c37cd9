"""Servers of one's own: what they say when they cannot, and that they end with the one that started them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cdner_bench.io import models
from cdner_bench.llm import Client, Limits, Question, Store, endpoint, server
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
    model = models.catalogue()["smollm2"]
    place = tmp_path / "cdner-bench" / "models" / f"smollm2-{model.version}"
    place.mkdir(parents=True)
    (place / model.weights).write_bytes(b"GGUF")
    done = cli("llm", "serve", "smollm2", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "its SHA-256 differs" in done.stderr
    assert "rm -r" in done.stderr


def test_a_missing_package_is_named(tmp_path: Path, cli: Run) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('No module named xllamacpp')")
    done = cli("llm", "serve", "smollm2", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "serving smollm2 needs llama.cpp" in done.stderr
    assert "pip install 'cdner-bench[local-llm]'" in done.stderr


def test_a_server_ends_when_its_parent_is_killed() -> None:
    code = (
        "import os, time; from cdner_bench.llm import server\n"
        "with server.started('smollm2', 1, 256) as url: print(url, flush=True); time.sleep(60)"
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
    served = endpoint(f"hf:{tiny_llama}", "local")
    asked = Client(served, Store(tmp_path), Limits(), ledger=tmp_path / "asked")
    (answer,) = asked.answers([Question(served.model, (("user", "hello"),), 4, 0.1, 0.95)])
    assert answer.tokens_out == 4
    assert answer.model == served.model
    assert tiny_llama not in (next(tmp_path.glob("*.jsonl"))).read_text()
