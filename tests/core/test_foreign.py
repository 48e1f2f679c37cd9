"""What others wrote, without keys and without orders."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdner_bench.errors import CdnerError
from cdner_bench.foreign import HIDDEN, hide, names_key, redact, redact_all, show, show_line
from hostile import KEY, KEYS, TEXTS, find_harm

ODD = 'p"a/s+s\\wörd-9!'


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", KEY)
    monkeypatch.setenv("DB_PASSWORD", ODD)


@pytest.mark.parametrize("text", KEYS, ids=ascii)
def test_a_key_is_hidden_however_it_is_written(text: str) -> None:
    shown = redact(f"before {text} after")
    assert HIDDEN in shown
    assert find_harm(show(shown)) == []
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert redact(shown) == shown


@pytest.mark.parametrize("write", [str, json.dumps, repr, lambda key: json.dumps(json.dumps(key))])
def test_a_key_may_have_any_characters(write: Any) -> None:
    assert "rd-9" not in redact(f"before {write(ODD)} after")
    assert json.loads(json.dumps(redact_all({"x": [ODD, {"y": f"a{ODD}b"}]}))) == {"x": [HIDDEN, {"y": f"a{HIDDEN}b"}]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:secret@host/x", "http://[key]@host/x"),
        ('{"url": "https:\\/\\/user:p%40ss@host"}', '{"url": "https:\\/\\/[key]@host"}'),
        ("postgres://u:p@ss@host", "postgres://[key]@host"),
        ("Authorization: Bearer abc.DEF-123_456", "Authorization: Bearer [key]"),
        ("authorization: basic dXNlcjpwYXNzMTIzMTI=", "authorization: basic [key]"),
        ("Incorrect API key provided: sk-abc***wxyz9.", "Incorrect API key provided: [key]."),
        ('{"x-api-key": "0123456789abcdef"}', '{"x-api-key": "[key]"}'),
        ("password=hunter2hunter2", "password=[key]"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[key]"),
        ("hf_abcdefghijklmnopqrstuvwxyz", "[key]"),
        ("AKIAIOSFODNN7EXAMPLE", "[key]"),
        ("sk-proj-abcDEF_123-xyz", "[key]"),
    ],
)
def test_what_looks_like_a_key_is_hidden_whoever_s_it_is(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        *(
            "sk-learn is a library",
            "risk-assessment2020",
            "task-1234567890",
            "Bearer certificates",
            "basic research in 2020",
        ),
        *(
            "http://127.0.0.1:8080/v1/@user",
            "12:30 at http://host/a:b@c",
            "ai/train-12",
            "0.25 -3.5e-7",
            "gtok+50",
            "keyboard",
        ),
        *("the password is secret", "max_tokens=4096", "key_variable=OTHER_KEY", "Ada (person, Lovelace)", "sk-"),
    ],
)
def test_what_is_no_key_stays(text: str) -> None:
    assert redact(text) == text


def test_keys_are_those_of_variables_that_name_them_and_those_that_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "a1b2c3d4e5f6 and z9y8x7w6v5u4"
    assert redact(said) == said
    monkeypatch.setenv("MY_TOKEN", "a1b2c3d4e5f6")
    monkeypatch.setenv("MY_TOKENS", "z9y8x7w6v5u4")
    assert redact(said) == "[key] and z9y8x7w6v5u4"
    hide("z9y8x7w6v5u4")
    assert redact(said) == "[key] and [key]"
    for short in ("none", "crossner", "12345678"):  # what is given where no key is needed hides nothing
        monkeypatch.setenv("OPENAI_API_KEY", short)
        assert redact(f"on {short} in 12345678") == f"on {short} in 12345678"


@pytest.mark.parametrize(
    ("name", "named"),
    [
        *((name, True) for name in ("OPENAI_API_KEY", "api_key", "HF_TOKEN", "server.password", "apikey", "MY-SECRET")),
        *((name, False) for name in ("max_tokens", "key_variable", "PATH", "MONKEY", "tokens", "")),
    ],
)
def test_what_names_a_key(name: str, named: bool) -> None:
    assert names_key(name) == named


def test_a_message_holds_no_key() -> None:
    error = CdnerError(f"the server says {KEY}", hint=f"type: export X={KEY}")
    assert KEY not in f"{error} {error.hint} {error.args}"


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:40])
def test_what_is_shown_is_seen(text: str) -> None:
    assert find_harm(show(text).replace("\t", "")) == []
    assert find_harm(show_line(text)) == []
    assert "\n" not in show_line(text)
    assert show(show(text)) == show(text)


@pytest.mark.parametrize("text", ["Grüße, 世界 ± × → …", "a\nb\tc", "e\u0301", "👍", "fixed\xa0space", "العربية", ""])
def test_what_can_be_seen_stays(text: str) -> None:
    assert show(text) == text
