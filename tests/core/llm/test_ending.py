"""What is an answer: every way in which servers say that one ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdner_bench.errors import IncompleteError
from cdner_bench.llm import Client, Limits, Question, Store, find_endpoint
from cdner_bench.llm.ending import (
    ANSWERED,
    BROKEN,
    EMPTY,
    FILTERED,
    GARBLED,
    MALFORMED,
    REFUSED,
    SPENT,
    TRUNCATED,
    drop_thoughts,
    judge,
)
from llm_server import Behaviour, completion, running

SAID = "(person, Ada)"
STOPS = [
    "stop", "STOP", "eos", "eos_token", "end_turn", "stop_sequence", "COMPLETE", "FINISH_REASON_STOP", "</s>",
    "<|eot_id|>",
]  # fmt: skip
LENGTHS = ["length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens", "model_context_window_exceeded"]
FILTERS = ["content_filter", "content-filter", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "guardrail_intervened"]
BREAKS = ["error", "abort", "cancelled", "insufficient_system_resource", "network_error"]
UNKNOWN = [None, "", "null", "unknown", "tool_calls", "function_call", "tool_use", "because", 7, "stop it"]


@pytest.mark.parametrize(
    ("reasons", "with_text", "without"),
    [
        (STOPS, ANSWERED, ANSWERED),
        (LENGTHS, TRUNCATED, SPENT),
        (FILTERS, FILTERED, FILTERED),
        (["refusal"], REFUSED, REFUSED),
        (BREAKS, BROKEN, BROKEN),
        (UNKNOWN, ANSWERED, EMPTY),
    ],
)
def test_every_finish_reason_is_decided(reasons: list[object], with_text: str, without: str) -> None:
    assert {reason: judge(SAID, None, reason, 9)[0] for reason in reasons} == dict.fromkeys(reasons, with_text)
    assert {reason: judge("", None, reason, 9)[0] for reason in reasons} == dict.fromkeys(reasons, without)


BLANKS: list[object] = [
    None, "", " \n\t", "\u00a0", [], [{"type": "text", "text": ""}], "<think>the words are</think>\n",
    "<think>it is cut o", "a thought whose beginning the prompt held</think> ", "<Reasoning>x</Reasoning>",
    [{"type": "thinking", "thinking": []}],
]  # fmt: skip


@pytest.mark.parametrize("content", BLANKS, ids=repr)
def test_nothing_is_an_answer_only_if_the_model_ended_so(content: object) -> None:
    assert judge(content, None, "stop", 5)[0] == ANSWERED
    assert judge(content, None, "stop", None)[0] == ANSWERED, "this server does not count"
    assert judge(content, None, "stop", 0) == (EMPTY, ""), "it says that it wrote nothing at all"
    assert judge(content, None, None, 5) == judge(content, None, "tool_calls", 5) == (EMPTY, "")
    assert judge(content, None, "length", 5) == (SPENT, "")
    assert judge(content, None, "stop", 5, lambda _: True) == (EMPTY, ""), "a shape was asked for"


@pytest.mark.parametrize(
    ("content", "refusal", "finish", "state", "text"),
    [
        (None, "I cannot.", "stop", REFUSED, "I cannot."),
        (SAID, "I cannot.", "content_filter", REFUSED, "I cannot."),
        (SAID, "", "stop", ANSWERED, SAID),
        (SAID, " ", "stop", ANSWERED, SAID),
        (SAID, {"why": "x"}, "stop", ANSWERED, SAID),
        ("(person, A", None, "content_filter", FILTERED, "(person, A"),
        (SAID, None, "error", BROKEN, ""),
        (7, None, "stop", GARBLED, ""),
        ({"text": SAID}, None, "stop", GARBLED, ""),
        ([{"type": "thinking", "thinking": "x"}, {"type": "text", "text": SAID}], None, "stop", ANSWERED, SAID),
        ([{"type": "text", "text": "(person"}, {"type": "text", "text": ", Ada)"}], None, "stop", ANSWERED, SAID),
        (f"<think>x</think>{SAID}", None, "length", TRUNCATED, f"<think>x</think>{SAID}"),
        ("none", None, "stop", ANSWERED, "none"),
    ],
)
def test_what_it_says(content: object, refusal: object, finish: str, state: str, text: str) -> None:
    assert judge(content, refusal, finish, 9) == (state, text)


def test_a_shape_that_was_asked_for_is_held_to_what_ended_by_itself() -> None:
    def fits(text: str) -> bool:
        return text.startswith("{")

    assert judge("{}", None, "stop", 9, fits) == (ANSWERED, "{}")
    assert judge("no", None, "stop", 9, fits) == judge("no", None, "why not", 9, fits) == (MALFORMED, "no")
    assert judge('{"a', None, "length", 9, fits) == (TRUNCATED, '{"a')


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("plain", "plain"),
        ("<think>a</think>b<think>c</think>d", "bd"),
        ("<think>a <b> </think> b", " b"),
        ("a</think>b", "b"),
        ("b<thinking>never closed", "b"),
        ("<think>" * 50_000, ""),
        ("<think></think>" * 50_000 + "x", "x"),
        ("</" * 100_000, "</" * 100_000),
    ],
    ids=lambda text: text[:30],
)
def test_thoughts_are_dropped_in_time_linear_in_the_text(text: str, left: str) -> None:
    assert drop_thoughts(text) == left


def _client(url: str, place: Path) -> Client:
    return Client(
        find_endpoint("fake", url), Store(place / "store"), Limits(timeout=2, retries=0), ledger=place / "asked"
    )


QUESTION = Question("fake", (("user", "Name entities.\nAda"),), 64)


@pytest.mark.parametrize(
    ("content", "finish", "tokens", "reason", "advice"),
    [
        ("", None, 0, "1 empty", "short of memory"),
        (None, None, 7, "1 empty", "short of memory"),
        (" ", "tool_calls", 7, "1 empty", "short of memory"),
        ("", "stop", 0, "1 empty", "short of memory"),
        (None, "length", 64, "1 empty at the length limit", "-o max_tokens=4096"),
        ("(a, b)", "error", 7, "1 broken off", "what the server itself says"),
    ],
)
def test_what_is_no_answer_is_asked_for_again_and_then_missing(
    content: str | None, finish: str | None, tokens: int, reason: str, advice: str, tmp_path: Path
) -> None:
    body = json.loads(completion(content, finish=finish))
    body["usage"]["completion_tokens"] = tokens
    with running(Behaviour(status=(200, body))) as fake:
        asked = _client(fake.url, tmp_path)
        with pytest.raises(IncompleteError, match=f"1 of 1 answers are missing: {reason}$") as caught:
            list(asked.answers([QUESTION]))
        assert fake.tries.total() == 3, "as often as `attempts` says"
        assert advice in (caught.value.hint or "")
        assert asked.store.get(QUESTION) is None
        fake.behaviour = Behaviour(content="(a, b)")
        (answer,) = _client(fake.url, tmp_path).answers([QUESTION])
    assert (answer.state, answer.text) == ("answered", "(a, b)")


def test_an_empty_answer_is_one_if_the_model_ended_so(tmp_path: Path) -> None:
    body = json.loads(completion("", finish="stop"))
    body["usage"]["completion_tokens"] = 1
    with running(Behaviour(status=(200, body))) as fake:
        (answer,) = _client(fake.url, tmp_path).answers([QUESTION])
    assert (answer.state, answer.text, answer.again) == ("answered", "", 0)


def test_an_answer_without_bound_is_not_read_to_its_end(tmp_path: Path) -> None:
    missing = r"1 of 1 answers are missing: 1 longer than was asked for$"
    with running(Behaviour(raw=(200, completion("(a, b) " * 1_500_000), ()))) as fake:
        asked = _client(fake.url, tmp_path)
        with pytest.raises(IncompleteError, match=missing) as caught:
            list(asked.answers([QUESTION]))
        assert fake.tries.total() == 3
    assert "does not keep to max_tokens" in (caught.value.hint or "")
    with running(Behaviour(content="(a, b) " * 9000)) as fake:  # longer than 64 tokens, yet it can be
        (answer,) = _client(fake.url, tmp_path).answers([QUESTION])
    assert len(answer.text) == 63_000
