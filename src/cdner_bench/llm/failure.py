"""What went wrong with a request: no answer yet, or something that only the user can mend.

What servers say is not repeated, but for short identifiers, names of models, the address that they send on to and, in
the one case nobody foresaw, a cleaned line: it may echo a key or a prompt.
"""

from __future__ import annotations

import difflib
import json
import re
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..errors import CdnerError, NotRunError
from ..foreign import redact, show_line
from .ending import BROKEN, EMPTY, FILTERED, GARBLED, OVERLONG, SPENT
from .endpoint import Connection, Endpoint, correct_address
from .question import LIMIT, Question

TIMED_OUT, RATE_LIMITED, SERVER_ERROR, NO_CONNECTION, CLOSED = (
    "timed out", "rate limited", "server error", "no connection", "connection closed",
)  # fmt: skip
MAYBE_PAID = (TIMED_OUT, NO_CONNECTION, CLOSED, GARBLED, OVERLONG)
"""After these nobody knows whether the server did its work."""
ADVICE = {
    TIMED_OUT: "give it longer, or less at a time: -o timeout=600 -o concurrency=1",
    RATE_LIMITED: "ask less at a time: -o concurrency=1",
    SERVER_ERROR: "see what the server itself says of it",
    CLOSED: "see what the server itself says of it, and whether its address begins with https",
    EMPTY: "see what the server itself says of it: it may be short of memory, or filter",
    SPENT: "let it say more: -o max_tokens=4096",
    BROKEN: "see what the server itself says of it",
    OVERLONG: "the server does not keep to max_tokens",
}
"""What helps, by the reason for which answers are missing."""
SAID, NAMED = 160, 5
Look = Callable[[str], Awaitable[Sequence[str] | None]]
"""Asks at an address which models there are; None if it is not the address of such a server."""

_UNWANTED = re.compile(
    r"un(supported|known|recogni[sz]ed|expected)|(not|n't) (support|permit|allow|recogni)|extra|"
    r"invalid (arg|param|field)",
    re.IGNORECASE,
)
_NO_SUCH_MODEL = re.compile(
    r"model\b.{0,120}\b(not found|not exist|unknown|not available)|(unknown|no such|invalid|not a valid) model",
    re.IGNORECASE | re.DOTALL,
)
_LEFT_TO_THE_SERVER = {
    "temperature": "-o temperature=none (gtok generate: --temperature none)",
    "seed": "-o temperature=none, or 0, which send none (gtok generate: --temperature none)",
    "top_p": "gtok generate: --top-p none",
}


class UnansweredError(Exception):
    """A request without an answer, after the client's own retries. `reason` says why in a word or two."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PageError(Exception):
    """What came back is a web page."""


@dataclass(frozen=True)
class Refusal:
    """How a server says no: its status, a short identifier, the parameter it names, its message, and all it says."""

    status: int
    code: str
    parameter: str
    message: str
    said: str

    @classmethod
    def of(cls, error: Any) -> Refusal:
        """What a status error of the client holds."""
        said = " ".join(_list_texts(error.body))
        message = error.body.get("message") if isinstance(error.body, dict) else None
        code = _take_identifier(error.code) or _take_identifier(error.type)
        message = message if isinstance(message, str) else said
        return cls(error.status_code, code, _take_identifier(error.param), message, said)

    @property
    def reason(self) -> str:
        """Why there is no answer, if it is nothing that the user has to mend; else ""."""
        if self.code == "content_filter":
            return FILTERED
        if self.status == 429 and self.code != "insufficient_quota":
            return RATE_LIMITED
        return SERVER_ERROR if self.status >= 500 or self.status in (408, 409) else ""

    @property
    def unwanted(self) -> str:
        """The parameter that the server does not know or take as it is, if that is what it says."""
        if self.status not in (400, 422) or not _UNWANTED.search(f"{self.code} {self.said}"):
            return ""
        named = [name for name in (LIMIT, *_LEFT_TO_THE_SERVER) if re.search(rf"\b{name}\b", self.said)]
        return self.parameter or (named or [""])[0]

    @property
    def of_the_model(self) -> bool:
        """Whether it may be that there is no such model."""
        known = self.code == "model_not_found" or bool(_NO_SUCH_MODEL.search(self.said))
        return self.status in (404, 405) or (self.status in (400, 422) and known)


def renames_limit(error: Exception, limit: str) -> bool:
    """Whether a server refuses today's name of the limit of tokens, with which it was asked."""
    import openai

    return limit == LIMIT and isinstance(error, openai.APIStatusError) and Refusal.of(error).unwanted == LIMIT


async def explain(
    error: Exception, question: Question, endpoint: Endpoint, connection: Connection, look: Look
) -> Exception:
    """What to raise in place of the client's error: `UnansweredError` or a `CdnerError`. Other errors stay."""
    import openai
    from pydantic import ValidationError

    if isinstance(error, PageError):
        return await _explain_address(f"{connection.url} answers with a web page, not with JSON", connection, look)
    if isinstance(error, openai.APITimeoutError):
        return UnansweredError(TIMED_OUT)
    if isinstance(error, openai.APIStatusError):
        return await _explain_status(error, question, endpoint, connection, look)
    if isinstance(error, openai.APIConnectionError):
        return _explain_connection(error, connection)
    if isinstance(error, ValueError | RecursionError | ValidationError | openai.APIResponseValidationError):
        return UnansweredError(GARBLED)  # not JSON, or JSON of another shape or of no end of depth
    return error


def _explain_connection(error: Exception, connection: Connection) -> Exception:
    import httpx2

    causes = list(_list_causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return CdnerError(
            f"{connection.url} does not speak TLS as it should",
            hint="an address on this machine usually begins with http://; a certificate of one's own: SSL_CERT_FILE=…",
        )
    if ended := connection.describe_end():
        return CdnerError(
            f"while it was asked, the server of {connection.served_as} {ended}",
            hint="type the same command to go on; what was answered is kept",
        )
    closed = any(isinstance(cause, httpx2.RemoteProtocolError | httpx2.ReadError) for cause in causes)
    return UnansweredError(CLOSED if closed else NO_CONNECTION)


def _list_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def _explain_status(
    error: Any, question: Question, endpoint: Endpoint, connection: Connection, look: Look
) -> Exception:
    refusal = Refusal.of(error)
    if refusal.reason:
        return UnansweredError(refusal.reason)
    if refusal.status < 400:
        return _explain_redirect(error.response, endpoint)
    if refusal.of_the_model:
        return await _explain_model(refusal, endpoint, connection, look)
    if is_page(error.body) and refusal.status not in (401, 403):
        said = f"{connection.url} answers with a web page, not with JSON (HTTP {refusal.status})"
        return await _explain_address(said, connection, look)
    return _advise(refusal, question, endpoint, connection)


def _explain_redirect(response: Any, endpoint: Endpoint) -> CdnerError:
    """Requests are not sent on by themselves: the key would go with them."""
    to = urljoin(str(response.request.url), str(response.headers.get("location", "")))
    parts = urlsplit(to)
    said = f"{endpoint.url} sends requests on"
    if not parts.hostname or to == str(response.request.url):
        return CdnerError(f"{said} (HTTP {response.status_code}), and not where", hint="check the address")
    port = f":{parts.port}" if parts.port else ""
    meant = correct_address(f"{parts.scheme}://{parts.hostname}{port}{parts.path}")
    return CdnerError(f"{said} to {meant} (HTTP {response.status_code})", hint=_tell_address(meant))


async def _explain_model(refusal: Refusal, endpoint: Endpoint, connection: Connection, look: Look) -> CdnerError:
    status = f"(HTTP {refusal.status})"
    models = await look(connection.url)
    if models is None:
        said = f"{endpoint.host} knows no model {endpoint.name!r}, or {endpoint.url} is not its address {status}"
        return await _explain_address(said, connection, look)
    if connection.served_as in models:
        said = _clean(refusal.message)
        return CdnerError(
            f"{endpoint.host} has {endpoint.name!r} and refuses to ask it {status}: {said}",
            hint="it may be no model for chats, or not for this account",
        )
    near = difflib.get_close_matches(connection.served_as, models, n=NAMED, cutoff=0)
    names = [clean_name(redact(name)) for name in near]
    rest = f" and {len(models) - len(near)} others" if len(models) > len(near) else ""
    close = difflib.get_close_matches(connection.served_as, models, n=1)
    return CdnerError(
        f"{endpoint.host} has no model {endpoint.name!r} {status}; it has {', '.join(names) or 'none'}{rest}",
        hint=f"did you mean {names[0]!r}?" if close else "name one that it has: -o model=NAME",
    )


async def _explain_address(said: str, connection: Connection, look: Look) -> CdnerError:
    """What was seen, and the address that was meant, if there is something at the usual place below."""
    usual = f"{connection.url}/v1"
    if not connection.url.endswith("/v1") and await look(usual) is not None:
        return CdnerError(said, hint=_tell_address(usual))
    hint = "check the model's name and the address, which usually ends in /v1, such as http://host:port/v1"
    return CdnerError(said, hint=hint)


def _tell_address(url: str) -> str:
    return f"type: -o base_url={url}   (gtok generate: --llm {url})"


def _advise(refusal: Refusal, question: Question, endpoint: Endpoint, connection: Connection) -> CdnerError:
    status, said = refusal.status, refusal.said
    who = f"{endpoint.model} at {endpoint.host}"
    if status in (401, 403):
        return _explain_key(status, endpoint, connection)
    if status in (402, 429):
        message = f"the account at {endpoint.host} has no quota left"
        hint = "add credit, then type the same command; what was answered is kept"
    elif status == 413 or "context" in refusal.code or re.search(r"context (length|size|window)", said):
        message = f"a prompt of {question.length:,} characters is longer than {who} takes"
        hint = "fewer examples (shots), or more room: cdner-bench llm serve smollm2 --context 8192"
    elif refusal.unwanted in _LEFT_TO_THE_SERVER:
        message = f"{who} does not take {refusal.unwanted} as it was asked (HTTP {status})"
        hint = f"leave it to the server: {_LEFT_TO_THE_SERVER[refusal.unwanted]}"
    elif question.schema is not None and re.search(r"schema|response_format|grammar", f"{refusal.code} {said}"):
        message = f"{who} does not take the JSON schema (HTTP {status})"
        hint = "ask for text: -o format=text"
    else:
        why = _clean(refusal.message) or "it does not say why"
        message = f"{who} refuses the request (HTTP {status}): {why}"
        hint = "check the options of the method"
    return CdnerError(message, hint=hint)


def _explain_key(status: int, endpoint: Endpoint, connection: Connection) -> CdnerError:
    variable = endpoint.key_variable
    if connection.keyless:
        return NotRunError(
            f"{endpoint.host} wants a key (HTTP {status}), and {variable} is not set", hint=f"type: export {variable}=…"
        )
    return CdnerError(
        f"{endpoint.host} refuses the key (HTTP {status})",
        hint=f"check what {variable} holds, and that it may use {endpoint.model}",
    )


def is_page(body: object) -> bool:
    """Whether what came back is a web page."""
    return isinstance(body, str) and bool(re.match(r"\s*<(!doctype|html|head|body|\?xml)", body, re.IGNORECASE))


def clean_name(name: object) -> str:
    """A model's or state's name as a server gave it, without what is no name, and without a key."""
    name = redact(name[:1000]) if isinstance(name, str) else ""
    return redact("".join(c for c in name if c.isalnum() or c in "-_.:/@"))[:80]


def _list_texts(body: object, depth: int = 6) -> Iterator[str]:
    """All texts in the body of an error, which servers nest in many ways, JSON within a text too; but not what they
    repeat of the request.
    """
    if isinstance(body, str):
        try:
            inner = json.loads(body) if body.lstrip()[:1] in ("{", "[") else None
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, dict | list) and depth:
            yield from _list_texts(inner, depth - 1)
        else:
            yield body
    elif isinstance(body, dict | list) and depth:
        named = body.items() if isinstance(body, dict) else ((None, value) for value in body)
        for name, value in named:
            if name not in ("input", "ctx", "url"):
                yield from _list_texts(value, depth - 1)


def _take_identifier(value: object) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[a-z0-9_]{1,60}", value) else ""


def _clean(message: str) -> str:
    """One line that can be shown."""
    return " ".join(show_line(message[: 64 * SAID]).replace("\N{REPLACEMENT CHARACTER}", " ").split())[:SAID]
