"""Answers without bound: what is read, kept and held in memory of them has one."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from cdner_bench.errors import CdnerError, IncompleteError
from cdner_bench.llm import Client, Limits, Question, Store, find_endpoint
from llm_server import ENDLESS, Behaviour, completion, running

LONG = completion("(a, b) " * 1_500_000)
ZEROS = b'{"choices": [{"message": {"content": "' + b"0" * 300_000_000
MEGABYTES = 12_000_000
"""More than is held of an answer of 64 tokens, and of everything around it; less than what is sent."""


def _ask(url: str, place: Path, count: int = 1) -> Client:
    limits = Limits(timeout=1, retries=0, attempts=2)
    asked = Client(find_endpoint("fake", url), Store(place / "store"), limits, ledger=place / "asked")
    list(asked.answers([Question("fake", (("user", f"Name.\nAda {n}"),), 64) for n in range(count)]))
    return asked


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-PLANTED-0123456789")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def _pack(body: bytes, way: str) -> bytes:
    return gzip.compress(body, 1) if way == "gzip" else zlib.compress(body, 1)


@pytest.mark.parametrize("way", ["plain", "gzip", "deflate"])
def test_long_answers_are_an_ending_of_their_own(way: str, tmp_path: Path) -> None:
    body, headers = (LONG, ()) if way == "plain" else (_pack(LONG, way), (f"content-encoding: {way}",))
    missing = r"5 of 5 answers are missing: 5 longer than was asked for$"
    with running(Behaviour(raw=(200, body, headers))) as fake, pytest.raises(IncompleteError, match=missing):
        _ask(fake.url, tmp_path, 5)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 10_000


@pytest.mark.parametrize("way", ["gzip", "deflate"])
def test_a_bomb_is_not_unpacked(way: str, tmp_path: Path) -> None:
    packed = _pack(ZEROS, way)
    with running(Behaviour(raw=(200, packed, (f"content-encoding: {way}",)))) as fake:
        _ask_in_vain(fake.url, tmp_path / "warm")  # whatever is imported now
        tracemalloc.start()
        try:
            assert "longer than was asked for" in _ask_in_vain(fake.url, tmp_path)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < MEGABYTES


def _ask_in_vain(url: str, place: Path) -> str:
    with pytest.raises(CdnerError) as caught:
        _ask(url, place)
    return str(caught.value)


@pytest.mark.parametrize("way", ["gzip", "deflate"])
def test_what_is_packed_though_nobody_asked_is_read(way: str, tmp_path: Path) -> None:
    packed = _pack(completion("(a, b)"), way)
    with running(Behaviour(raw=(200, packed, (f"content-encoding: {way}",)))) as fake:
        assert _ask(fake.url, tmp_path).usage("p").states == {"answered": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 50_000,
        b'{"choices":' * 5_000,
        b"9" * 50_000,
        b'"' + b"\\u0000" * 10_000,
        b'"answered"',
        b"\xff" * 1000,
        b"\0" * 1000,
        b"",
    ],
    ids=["deep", "deep objects", "digits", "text", "state", "bytes", "zeros", "nothing"],
)
@pytest.mark.parametrize("packing", ["", "gzip", "br", "zstd", "gzip, gzip", "x"])
def test_a_body_that_is_no_answer(body: bytes, packing: str, tmp_path: Path) -> None:
    headers = (f"content-encoding: {packing}",) if packing else ()
    with running(Behaviour(raw=(200, body, headers))) as fake:
        assert "1 of 1 answers are missing: 1 " in _ask_in_vain(fake.url, tmp_path)


@pytest.mark.parametrize("fault", ENDLESS)
def test_what_never_ends_is_given_up(fault: str, tmp_path: Path) -> None:
    with running(Behaviour(always=fault)) as fake:
        _ask_in_vain(fake.url, tmp_path / "warm")
        tracemalloc.start()
        begun = time.monotonic()
        try:
            assert "1 of 1 answers are missing: 1 " in _ask_in_vain(fake.url, tmp_path)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert time.monotonic() - begun < 10
    assert most < MEGABYTES


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 302])
def test_a_refusal_has_a_bound_too(status: int, tmp_path: Path) -> None:
    with running(Behaviour(raw=(status, b'{"error": {"message": "' + b"x" * 20_000_000, ()))) as fake:
        assert len(_ask_in_vain(fake.url, tmp_path)) < 1000
