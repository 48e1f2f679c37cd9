"""What the user is told when a server does not do what was asked: what was found, and what to type."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cdner_bench.errors import CdnerError, NotRunError, OptionError
from cdner_bench.llm import Answer, Client, Limits, Question, Store, find_endpoint, name_server
from llm_server import Behaviour, running

KEY = "sk-test-PLANTED-0123456789"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def ask(url: str, place: Path, *, model: str = "fake", count: int = 20, **limits: Any) -> list[Answer]:
    chosen = Limits(**{"timeout": 5, "retries": 0, **limits})
    client = Client(find_endpoint(model, url), Store(place / "store"), chosen, ledger=place / "asked")
    return list(client.answers(_ask_for(count, model)))


def _ask_for(count: int, model: str) -> list[Question]:
    return [Question(model, (("user", f"Name.\nAda {n}"),), 64, 0.5, 0.9, 1) for n in range(count)]


def fail(url: str, place: Path, *, model: str = "fake", retries: int = 0) -> tuple[str, str]:
    """What is said, and the hint."""
    with pytest.raises(CdnerError) as caught:
        ask(url, place, model=model, retries=retries)
    said, hint = str(caught.value), caught.value.hint or ""
    assert KEY not in said + hint
    assert "\n" not in said + hint
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return said, hint


MISTRAL = {"detail": [{"type": "extra_forbidden", "loc": ["body", "NAME"], "msg": "Extra inputs are not permitted"}]}
REFUSALS: list[tuple[int, Any]] = [
    (400, {"error": {"message": "Unsupported parameter: 'NAME'", "param": "NAME", "code": "unsupported_parameter"}}),
    (400, {"error": {"message": "Unrecognized request argument supplied: NAME", "type": "invalid_request_error"}}),
    (400, {"error": "NAME: unknown field"}),
    (400, {"message": "fake does not support parameters: {'NAME': 64}"}),
    (422, MISTRAL),
    (422, {"object": "error", "message": MISTRAL, "type": "invalid_request_error", "param": None, "code": None}),
]


def _name(body: Any, name: str) -> Any:
    if isinstance(body, dict):
        return {key: _name(value, name) for key, value in body.items()}
    if isinstance(body, list):
        return [_name(value, name) for value in body]
    return body.replace("NAME", name) if isinstance(body, str) else body


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_the_older_name_of_the_limit_is_tried_once_and_remembered(status: int, body: Any, tmp_path: Path) -> None:
    refusal = (status, _name(body, "max_completion_tokens"))
    with running(Behaviour(refuses={"max_completion_tokens": refusal})) as fake:
        answers = ask(fake.url, tmp_path, concurrency=1, attempts=1, max_requests=20)
        newer = [sent for sent in fake.tries if "max_completion_tokens" in sent]
        assert (len(newer), fake.tries.total()) == (1, 21)
        assert all('"max_tokens":64' in sent for sent in fake.answered)
    assert [(a.state, a.again) for a in answers] == [("answered", 0)] * 20


@pytest.mark.parametrize("concurrency", [1, 8])
def test_requests_under_way_at_that_time_are_asked_again_too(concurrency: int, tmp_path: Path) -> None:
    refusal = (422, _name(MISTRAL, "max_completion_tokens"))
    with running(Behaviour(refuses={"max_completion_tokens": refusal}, delay=0.01)) as fake:
        assert len(ask(fake.url, tmp_path, concurrency=concurrency)) == 20
        assert fake.tries.total() <= 20 + concurrency


def test_a_limit_that_is_too_high_is_not_taken_for_another_name(tmp_path: Path) -> None:
    refusal = (400, {"error": {"message": "max_completion_tokens is too large: 64", "param": "max_completion_tokens"}})
    with running(Behaviour(refuses={"max_completion_tokens": refusal})) as fake:
        said, _ = fail(fake.url, tmp_path)
        assert "max_completion_tokens is too large: 64" in said
        assert not any('"max_tokens"' in sent for sent in fake.tries)


@pytest.mark.parametrize(("status", "body"), REFUSALS)
@pytest.mark.parametrize(
    ("name", "hint"),
    [("temperature", "-o temperature=none"), ("seed", "-o temperature=none, or 0"), ("top_p", "--top-p none")],
)
def test_a_parameter_that_the_server_does_not_take(
    name: str, hint: str, status: int, body: Any, tmp_path: Path
) -> None:
    with running(Behaviour(refuses={name: (status, _name(body, name))})) as fake:
        said, advice = fail(fake.url, tmp_path)
    assert said == f"fake at 127.0.0.1 does not take {name} as it was asked (HTTP {status})"
    assert advice.startswith("leave it to the server: ")
    assert hint in advice


def test_what_a_server_repeats_of_the_request_is_not_read(tmp_path: Path) -> None:
    body = {"detail": [{"msg": "something is missing", "input": {"messages": "unsupported temperature SECRET"}}]}
    with running(Behaviour(status=(422, body))) as fake:
        said, _ = fail(fake.url, tmp_path)
    assert said == "fake at 127.0.0.1 refuses the request (HTTP 422): something is missing"


@pytest.mark.parametrize(
    ("models", "model", "said", "hint"),
    [
        (("llama-3-8b", "qwen"), "llama-3.8b", "it has llama-3-8b, qwen", "did you mean 'llama-3-8b'?"),
        (("qwen",), "gpt-4o", "it has qwen", "name one that it has: -o model=NAME"),
        ((), "gpt-4o", "it has none", "name one that it has"),
        (tuple(f"m{n}" for n in range(300)), "m7", "", ""),
        (tuple(f"m{n}x" for n in range(300)), "m7", "and 295 others", "did you mean 'm7x'?"),
        (("od\x1b[31md\n" + "y" * 200,), "gpt", "it has od31md" + "y" * 74, "-o model=NAME"),
        ((KEY,), "gpt", "it has key", "-o model=NAME"),
    ],
)
def test_a_model_that_is_not_there(models: tuple[str, ...], model: str, said: str, hint: str, tmp_path: Path) -> None:
    with running(Behaviour(models=models)) as fake:
        if not said:
            assert len(ask(fake.url, tmp_path, model=model)) == 20
            return
        message, advice = fail(fake.url, tmp_path, model=model)
        assert fake.tries.total() <= 4 + 1
    assert message.startswith(f"127.0.0.1 has no model {model!r} (HTTP 404); it has ")
    assert message.endswith(said)
    assert hint in advice
    assert len(message) < 300


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"message": "gpt-x is not a valid model ID"}),
        (400, {"message": "Model Not Exist"}),
        (404, {"message": "nothing", "code": "model_not_found"}),
        (404, {"message": 'model "gpt-x" not found, try pulling it first'}),
        (400, {"message": "x", "code": "model_not_found"}),
    ],
)
def test_ways_of_saying_that_a_model_is_not_there(status: int, error: dict[str, str], tmp_path: Path) -> None:
    with running(Behaviour(status=(status, {"error": error}), models=("qwen", "gpt-x"))) as fake:
        said, _ = fail(fake.url, tmp_path, model="gpt-x")
        assert f"has 'gpt-x' and refuses to ask it (HTTP {status})" in said
        fake.behaviour = Behaviour(status=(status, {"error": error}))
        said, hint = fail(fake.url, tmp_path, model="gpt-x")
        assert "knows no model 'gpt-x', or" in said
        assert "check the model's name and the address" in hint


def test_an_address_that_lacks_its_end(tmp_path: Path) -> None:
    with running(Behaviour(models=("fake",))) as fake:
        root = fake.url.removesuffix("/v1")
        said, hint = fail(root, tmp_path)
        assert f"{root} is not its address (HTTP 404)" in said
        assert hint == f"type: -o base_url={fake.url}   (gtok generate: --llm {fake.url})"
        fake.behaviour = Behaviour()
        _, hint = fail(f"{root}/api", tmp_path)
        assert "which usually ends in /v1" in hint


PAGE = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head></html>"
HTML = ("content-type: text/html; charset=utf-8",)


@pytest.mark.parametrize(("status", "in_words"), [(200, ""), (400, " (HTTP 400)"), (418, " (HTTP 418)")])
def test_a_web_page(status: int, in_words: str, tmp_path: Path) -> None:
    with running(Behaviour(raw=(status, PAGE, HTML))) as fake:
        said, hint = fail(fake.url, tmp_path)
        assert said == f"{fake.url} answers with a web page, not with JSON{in_words}"
        assert "usually ends in /v1" in hint
        fake.behaviour = Behaviour(raw=(status, PAGE, HTML), models=("fake",))
        root = fake.url.removesuffix("/v1")
        _, hint = fail(root, tmp_path)
        assert f"-o base_url={fake.url} " in hint


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    ("location", "meant"),
    [
        ("https://api.example.org/v1/chat/completions", "https://api.example.org/v1"),
        ("https://user:SECRET@api.example.org:444/v1/chat/completions?token=SECRET", "https://api.example.org:444/v1"),
        ("/openai/v1/chat/completions", "URL/openai/v1"),
    ],
)
def test_a_redirect(status: int, location: str, meant: str, tmp_path: Path) -> None:
    with running(Behaviour(raw=(status, b"", (f"location: {location}",)))) as fake:
        meant = meant.replace("URL", fake.url.removesuffix("/v1"))
        said, hint = fail(fake.url, tmp_path)
        assert said == f"{fake.url} sends requests on to {meant} (HTTP {status})"
        assert hint == f"type: -o base_url={meant}   (gtok generate: --llm {meant})"
        fake.behaviour = Behaviour(raw=(status, b"", ()))
        said, _ = fail(fake.url, tmp_path)
        assert said == f"{fake.url} sends requests on (HTTP {status}), and not where"


def test_a_key_that_is_missing_and_one_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Behaviour(status=(401, {"error": {"message": f"bad {KEY}"}}))) as fake:
        said, hint = fail(fake.url, tmp_path)
        assert said == "127.0.0.1 refuses the key (HTTP 401)"
        assert hint == "check what OPENAI_API_KEY holds, and that it may use fake"
        monkeypatch.delenv("OPENAI_API_KEY")
        with pytest.raises(NotRunError, match=r"127\.0\.0\.1 wants a key \(HTTP 401\), and OPENAI_API_KEY is not set"):
            ask(fake.url, tmp_path)


@contextmanager
def listening(reply: bytes) -> Iterator[str]:
    """The place of a server that says this to whoever comes, whatever he wants, and closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            with taken:
                taken.sendall(reply)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_tls_where_there_is_none(tmp_path: Path) -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as place:
        said, hint = fail(f"https://{place}", tmp_path)
    assert said == f"https://{place} does not speak TLS as it should"
    assert "begins with http://" in hint


def test_a_server_that_closes_every_connection(tmp_path: Path) -> None:
    with listening(b"") as place:
        said, hint = fail(f"http://{place}", tmp_path)
    assert re.search(r"\d+ connection closed, \d+ not asked, after 8 failures in a row", said)
    assert "what the server itself says of it" in hint


@pytest.mark.parametrize(
    ("url", "said", "hint"),
    [
        ("localhost:8080", "no address of a server", "write http://localhost:8080/v1"),
        ("localhost:8080/v1/", "no address of a server", "write http://localhost:8080/v1"),
        ("10.0.0.5:8000/v1/chat/completions", "no address of a server", "write http://10.0.0.5:8000/v1"),
        ("api.example.org", "no address of a server", "write https://api.example.org/v1"),
        ("api.example.org/openai/v1", "no address of a server", "write https://api.example.org/openai/v1"),
        ("nowhere", "no address of a server", "http://host:port/v1, or local"),
        ("localhost:99999", "no address of a server", "http://host:port/v1, or local"),
        ("http://h:1/v1/chat/completions", "the address of one service", "write http://h:1/v1"),
        ("http://h:1/v1/chat/completions/", "the address of one service", "write http://h:1/v1"),
        ("http://h:1/v1/models", "the address of one service", "write http://h:1/v1"),
        ("https://h.org/completions", "the address of one service", "write https://h.org/v1"),
        (f"user:{KEY}@host/v1", "no address of a server", "write http://host:port/v1"),
        (f"host.org/v1?key={KEY}", "no address of a server", "write https://host.org/v1"),
    ],
)
def test_an_address_that_can_be_put_right(url: str, said: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match=f"^base_url=.*{said}") as caught:
        find_endpoint("m", url)
    assert hint in (caught.value.hint or "")
    assert KEY not in f"{caught.value} {caught.value.hint}"
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(OptionError, match=f"^OPENAI_BASE_URL=.*{said}"):
        find_endpoint("m")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (None, None),
        ("local", None),
        ("https://api.openai.com/v1", None),
        ("https://api.openai.com:443/v1/", None),
        ("http://127.0.0.1:8000/v1", "localhost:8000"),
        ("http://localhost:8000", "localhost:8000"),
        ("http://[::1]:8000/v1", "localhost:8000"),
        ("https://HOST.example/v1", "host.example"),
        ("https://host.example:8443/v1/", "host.example:8443"),
        ("https://api.groq.com/openai/v1", "api.groq.com/openai"),
        ("https://router.huggingface.co/together/v1", "router.huggingface.co/together"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "generativelanguage.googleapis.com/v1beta/openai"),
    ],
)
def test_a_server_is_named_by_its_address(url: str | None, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert name_server(url) == name
    assert find_endpoint("smollm2", url).served_by == (name or "")
    assert name_server(url, "mine") == "mine"
    assert name_server(url, "api.openai.com") is None, "a gateway to it, say"
    if url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        assert name_server() == name


def test_what_may_be_a_secret_in_a_path_is_hashed() -> None:
    one, two = (name_server(f"https://gateway.example/{secret}/openai/v1") for secret in ("0123abcd99", "0123abcd98"))
    assert one != two
    assert one is not None
    assert "0123abcd9" not in one
    assert one.startswith("gateway.example/")
    assert one.endswith("/openai")
