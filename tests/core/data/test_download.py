"""Fetching from a real HTTP server that is slow, cuts off, and serves wrong bytes."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from cdner_bench.data import benchmark, download
from cdner_bench.errors import CdnerError, DataError, FetchError

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
        if self.server.mood.startswith("to "):
            self.send_response(302)
            self.send_header("Location", self.server.mood[3:])
            self.end_headers()
            return
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.mood != "no ranges" else 0
        if start >= len(body):
            self.send_error(416)
            return
        part = bytes(reversed(body[start:])) if self.server.mood == "wrong" else body[start:]
        self.send_response(206 if start else 200)
        if self.server.mood != "no length":
            self.send_header("Content-Length", "many" if self.server.mood == "odd length" else str(len(part)))
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


def write_benchmark(place: Path, path: str, url: str, body: bytes = b"theirs", prefix: str = "") -> benchmark.Benchmark:
    """A benchmark of a third party's that fetches one file."""
    pinned = hashlib.sha256(body).hexdigest()
    there = place / "theirs.toml"
    files = "".join(f"{split} = {{ path = {json.dumps(path)}, sha256 = '{pinned}' }}\n" for split in ("train",))
    there.write_text(
        f'name = "theirs"\n[[fetch]]\nprefix = "{prefix}"\nlicence = "-"\nurl = {json.dumps(url)}\n'
        f"[domains.law]\n{files}dev = 'd'\ntest = 't'\n[settings.single]\nsources = []\ntargets = ['law']\n"
    )
    return benchmark.load(str(there))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of data, and beside it a file of the user's and what a third party offers."""
    (tmp_path / "data").mkdir()
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "offered").write_bytes(b"theirs")
    monkeypatch.setenv("CDNER_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "../mine",
            "a/../../mine",
            "ABSOLUTE",
            "~/mine",
            "..\\mine",
            "C:\\mine",
            "\\\\server\\mine",
            "link/mine",
            "linked",
        ),
        *("a\0b", "nul", "a./mine", "mine ", "a//mine", "", "."),
    ],
)
def test_nothing_is_fetched_to_another_place(path: str, data: Path, tmp_path: Path) -> None:
    (data / "link").symlink_to(tmp_path)
    (data / "linked").symlink_to(tmp_path / "mine")
    path = str(tmp_path / "mine") if path == "ABSOLUTE" else path
    theirs = write_benchmark(tmp_path, path, (tmp_path / "offered").as_uri() + "?")
    before = sorted(p for p in tmp_path.rglob("*"))
    with pytest.raises(DataError, match=r"theirs cannot be fetched: "):
        fetch(theirs)
    assert (tmp_path / "mine").read_text() == "mine"
    assert sorted(p for p in tmp_path.rglob("*")) == before


def test_a_file_is_replaced_only_if_an_earlier_fetch_wrote_it(data: Path, tmp_path: Path) -> None:
    def offer(body: bytes) -> benchmark.Benchmark:
        (tmp_path / "x").write_bytes(body)
        return write_benchmark(tmp_path, "x", tmp_path.as_uri() + "/", body)

    (data / "x").write_text("mine")
    with pytest.raises(
        DataError, match="neither the file that theirs declares nor one that a fetch of it wrote"
    ) as caught:
        fetch(offer(b"theirs"))
    assert (data / "x").read_text() == "mine"
    assert caught.value.hint == f"move it away, then fetch again: mv {data / 'x'} {data / 'x'}.mine"
    (data / "x").rename(data / "x.mine")
    assert fetch(offer(b"theirs")) == [("x", True)]
    assert fetch(offer(b"theirs, better")) == [("x", True)]
    assert (data / "x").read_bytes() == b"theirs, better"
    (data / "x").write_text("edited by hand")
    with pytest.raises(DataError, match="a fetch of it wrote"):
        fetch(offer(b"theirs, best"))
    (data / "x").write_bytes(b"theirs, better")
    (tmp_path / "theirs.toml").write_text("")
    other = offer(b"another's")
    with pytest.raises(DataError, match="another declares"):
        fetch(replace(other, name="another"))


def test_a_file_with_the_declared_hash_is_not_touched_wherever_it_is(data: Path, tmp_path: Path) -> None:
    theirs = write_benchmark(tmp_path, str(tmp_path / "offered"), "https://example.invalid/")
    assert fetch(theirs) == [(str(tmp_path / "offered"), False)]
    assert list(data.iterdir()) == []


def test_files_of_one_s_own_are_read_from_anywhere(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("Ada\tB-judge\n\n")
    path = tmp_path / "sub" / "mine.toml"
    path.parent.mkdir()
    path.write_text(
        f"name = 'mine'\n[domains.law]\ntrain = '{tmp_path}/t.txt'\ndev = '../t.txt'\ntest = '../t.txt'\n"
        "[settings.single]\nsources = []\ntargets = ['law']\n"
    )
    assert len(benchmark.load(str(path)).corpus("law").train) == 1


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "ftp://x/", "data:,x", "FTP://x", "x", "", "//host/x", "file://host/x", "gopher://x"),
        *(
            "https:///x",
            "https://a b/",
            "https://x/\nHost: y",
            "javascript:x",
            "http://127.0.0.1.example.com/",
            "http://[::1",
        ),
    ],
)
def test_nothing_is_fetched_from_an_address_of_another_kind(url: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fetch\.url: nothing is fetched from"):
        write_benchmark(tmp_path, "x", url)


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://example.com/x", "https://127.0.0.1/x"]
)
def test_a_redirect_to_another_kind_of_address_is_refused(remote: benchmark.Benchmark, server: Server, to: str) -> None:
    server.mood = f"to {to}"
    with pytest.raises(
        FetchError, match=r"sends requests on to .* of another kind|Redirection to url .* is not allowed"
    ):
        fetch(remote, attempts=1)
    assert not any(f.location.exists() for f in remote.list_files())


@pytest.mark.parametrize("mood", ["well", "no length", "odd length"])
def test_a_file_has_a_largest_size(
    remote: benchmark.Benchmark, server: Server, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.mood = mood
    assert len(fetch(remote)) == 3
    for file in remote.list_files():
        file.location.unlink()
    monkeypatch.setattr(download, "LARGEST", 1000)
    with pytest.raises(FetchError, match="sends more than the 1,000 bytes"):
        fetch(remote, attempts=1)
    assert sum(p.stat().st_size for p in next(iter(remote.list_files())).location.parent.iterdir()) < 1000
