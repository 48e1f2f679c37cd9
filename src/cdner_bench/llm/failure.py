"""What went wrong with a request: no answer yet, or something that only the user can mend.

What servers say is not repeated, but for short identifiers and, in the one case nobody foresaw, a cleaned line: it
may echo a key or a prompt.
"""

from __future__ import annotations

import re
from typing import Any

from ..errors import CdnerError
from .endpoint import Connection, Endpoint
from .question import Question

TIMED_OUT, RATE_LIMITED, SERVER_ERROR, NO_CONNECTION, GARBLED = (
    "timed out", "rate limited", "server error", "no connection", "garbled",
)  # fmt: skip
MAYBE_PAID = (TIMED_OUT, NO_CONNECTION, GARBLED)
"""After these nobody knows whether the server did its work."""
SAID = 160


class UnansweredError(Exception):
    """A request without an answer, after the client's own retries. `reason` is one of the five."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FilteredError(Exception):
    """The provider's filter took offence at the prompt."""


def explain(error: Exception, question: Question, endpoint: Endpoint, connection: Connection) -> Exception:
    """What to raise in place of the client's error: `UnansweredError`, `FilteredError` or a `CdnerError`."""
    import openai
    from pydantic import ValidationError

    if isinstance(error, openai.APITimeoutError):
        return UnansweredError(TIMED_OUT)
    if isinstance(error, openai.APIStatusError):
        return _explain_status(error, question, endpoint, connection)
    if isinstance(error, openai.APIConnectionError):
        return UnansweredError(NO_CONNECTION)
    if isinstance(error, ValueError | ValidationError | openai.APIResponseValidationError):
        return UnansweredError(GARBLED)  # not JSON, or JSON of another shape
    return error


def _explain_status(error: Any, question: Question, endpoint: Endpoint, connection: Connection) -> Exception:
    status, code = error.status_code, _take_identifier(error.code) or _take_identifier(error.type)
    if code == "content_filter":
        return FilteredError()
    if status == 429 and code != "insufficient_quota":
        return UnansweredError(RATE_LIMITED)
    if status >= 500 or status in (408, 409):
        return UnansweredError(SERVER_ERROR)
    body = error.body if isinstance(error.body, dict) else {}
    return _advise(status, code, str(body.get("message", "")), question, endpoint, connection.key)


def _advise(status: int, code: str, said: str, question: Question, endpoint: Endpoint, key: str) -> CdnerError:
    who = f"{endpoint.model} at {endpoint.host}"
    if status in (401, 403):
        message = f"{endpoint.host} refuses the key (HTTP {status})"
        hint = f"check what {endpoint.key_variable} holds, and that it may use {endpoint.model}"
    elif status == 429:
        message = f"the account at {endpoint.host} has no quota left"
        hint = "add credit, then type the same command; what was answered is kept"
    elif status == 404:
        message = f"{endpoint.host} knows no model {endpoint.model!r}, or {endpoint.url} is not its address (HTTP 404)"
        hint = "check the model's name and the address, which usually ends in /v1"
    elif "context" in code or re.search(r"context (length|size|window)", said):
        message = f"a prompt of {question.length:,} characters is longer than {who} takes"
        hint = "fewer examples (shots), or more room: cdner-bench llm serve smollm2 --context 8192"
    elif question.schema is not None and re.search(r"schema|response_format|grammar", f"{code} {said}"):
        message = f"{who} does not take the JSON schema (HTTP {status})"
        hint = "ask for text: -o format=text"
    else:
        message = f"{who} refuses the request (HTTP {status}): {_clean(said, key)}"
        hint = "check the options of the method"
    return CdnerError(message, hint=hint)


def _take_identifier(value: object) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[a-z0-9_]{1,60}", value) else ""


def _clean(message: str, key: str) -> str:
    """One printable line without anything that looks like a key."""
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    if len(key) >= 8:
        line = line.replace(key, "[key]")
    return re.sub(r"\S*\b(sk-|key-|Bearer )\S+", "[key]", line)[:SAID]
