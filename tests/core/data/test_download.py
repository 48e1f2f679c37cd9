"""Fetching from a real HTTP server that is slow, cuts off, and serves wrong bytes."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from cdner_bench.data import benchmark, download
from cdner_bench.errors import CdnerError, FetchError

CONTENT = {f"{split}.txt": f"Ada\tB-judge\n{split}\tO\n\n".encode() * 20_000 for split in ("train", "dev", "test")}


class Server(http.server.ThreadingHTTPServer):
    """`mood` says how to misbehave; `ranges` and `gone` record what was asked for."""

    mood = "well"
    ranges: ClassVar[list[str | None]] = []
    gone: ClassVar[list[str]] = []
    served = 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = CONTENT.get(self.path.rpartition("/")[2])
        if body is None:
            self.server.gone.append(self.path.rpartition("/")[2])
            self.send_error(404)
            return
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.mood != "no ranges" else 0
        if start >= len(body):
            self.send_error(416)
            return
        part = bytes(reversed(body[start:])) if self.server.mood == "wrong" else body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.server.mood in ("cuts off", "no ranges") and self.server.served < 3:
            self.server.served += 1
            self.wfile.write(part[: len(part) // 2])
            return
        for i in range(0, len(part), 1 << 16):
            if self.server.mood == "slow":
                time.sleep(0.02)
            if self.server.mood == "hangs":
                time.sleep(1.5)
            self.wfile.write(part[i : i + (1 << 16)])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.ranges.clear()
    made.gone.clear()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def remote(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> benchmark.Benchmark:
    monkeypatch.setenv("CDNER_DATA", str(tmp_path / "data"))
    files = "\n".join(
        f'{name.removesuffix(".txt")} = {{ path = "there/{name}", sha256 = "{hashlib.sha256(body).hexdigest()}" }}'
        for name, body in CONTENT.items()
    )
    path = tmp_path / "remote.toml"
    path.write_text(
        'name = "remote"\n[[fetch]]\nprefix = "there/"\nlicence = "-"\n'
        f'url = "http://127.0.0.1:{server.server_port}/x/"\n'
        f"[domains.law]\n{files}\n[settings.single]\nsources = []\ntargets = ['law']\n"
    )
    return benchmark.load(str(path))


def fetch(found: benchmark.Benchmark, **options: float) -> list[tuple[str, bool]]:
    return list(download.fetch(found, lambda *_: None, **options))  # type: ignore[arg-type]


def test_fetches_and_does_not_fetch_again(remote: benchmark.Benchmark) -> None:
    assert [new for _, new in fetch(remote)] == [True, True, True]
    assert [new for _, new in fetch(remote)] == [False, False, False]
    assert len(remote.corpus("law").test) == 20_000


@pytest.mark.parametrize("mood", ["slow", "cuts off", "no ranges"])
def test_survives(remote: benchmark.Benchmark, server: Server, mood: str) -> None:
    server.mood = mood
    fetch(remote)
    assert {f.path.rpartition("/")[2]: f.location.read_bytes() for f in remote.list_files()} == CONTENT
    if mood == "cuts off":
        assert any(asked and asked != "bytes=0-" for asked in server.ranges)


def test_resumes_what_an_earlier_call_left(remote: benchmark.Benchmark, server: Server) -> None:
    file = next(iter(remote.list_files()))
    file.location.parent.mkdir(parents=True)
    part = file.location.with_name(file.location.name + ".part")
    part.write_bytes(CONTENT["train.txt"][:1000])
    fetch(remote)
    assert server.ranges[0] == "bytes=1000-"
    assert not part.exists()


def test_a_complete_part_is_taken(remote: benchmark.Benchmark) -> None:
    file = next(iter(remote.list_files()))
    file.location.parent.mkdir(parents=True)
    file.location.with_name(file.location.name + ".part").write_bytes(CONTENT["train.txt"])
    fetch(remote)
    assert file.location.read_bytes() == CONTENT["train.txt"]


def test_a_spoilt_part_is_thrown_away(remote: benchmark.Benchmark) -> None:
    file = next(iter(remote.list_files()))
    file.location.parent.mkdir(parents=True)
    file.location.with_name(file.location.name + ".part").write_bytes(b"spoilt")
    fetch(remote)
    assert file.location.read_bytes() == CONTENT["train.txt"]


def test_wrong_bytes_are_never_kept(remote: benchmark.Benchmark, server: Server) -> None:
    server.mood = "wrong"
    with pytest.raises(FetchError, match="something else than the pinned file"):
        fetch(remote, attempts=2)
    assert not any(f.location.exists() for f in remote.list_files())


def test_a_hanging_server_times_out(remote: benchmark.Benchmark, server: Server) -> None:
    server.mood = "hangs"
    with pytest.raises(FetchError, match="timed out"):
        fetch(remote, attempts=1, timeout=0.3)


def test_no_network(remote: benchmark.Benchmark, server: Server, tmp_path: Path) -> None:
    text = (tmp_path / "remote.toml").read_text().replace(str(server.server_port), "1")
    (tmp_path / "remote.toml").write_text(text)
    with pytest.raises(FetchError, match=r"cannot fetch there/train\.txt .*refused") as caught:
        fetch(benchmark.load(str(tmp_path / "remote.toml")), attempts=2)
    assert "CDNER_DATA" in (caught.value.hint or "")


def test_a_gone_file_is_not_tried_again(remote: benchmark.Benchmark, server: Server, tmp_path: Path) -> None:
    text = (tmp_path / "remote.toml").read_text().replace("there/train.txt", "there/gone.txt")
    (tmp_path / "remote.toml").write_text(text)
    with pytest.raises(FetchError, match="Not Found"):
        fetch(benchmark.load(str(tmp_path / "remote.toml")))
    assert server.gone == ["gone.txt"]


def test_the_sample_is_not_fetched(mini: benchmark.Benchmark) -> None:
    with pytest.raises(CdnerError, match="comes with its benchmark file"):
        fetch(mini)
