"""The part that talks to the server: an event loop, so many requests at a time, and what comes of each."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from ..errors import CdnerError, PluginError
from ..foreign import redact
from .ending import FILTERED, GARBLED, MALFORMED, NOTHING, OVERLONG, REFUSED, judge
from .endpoint import Connection, Endpoint
from .failure import MAYBE_PAID, PageError, UnansweredError, clean_name, explain, is_page, renames_limit
from .ledger import Ledger
from .limits import Limits
from .question import CLIENT, LIMIT, OLDER_LIMIT, Answer, Question
from .store import Store

_ASKED_AGAIN = (REFUSED, MALFORMED, *NOTHING)
ROOM, ROOM_FOR_A_TOKEN, ROOM_FOR_MODELS = 2**16, 2**10, 2**23
"""How many bytes are read of an answer, of each token that it may have, and of a list of models."""


@dataclass
class Room:
    """The bytes that an answer may have, those that may still come of it, and whether there were more."""

    size: int
    left: int = 0
    full: bool = False
    unpack: Callable[[bytes, int], bytes] | None = None

    def open(self, packing: str) -> None:
        """Begin to count the response to another try; `packing` is how the server has compressed it, though it was
        asked not to.
        """
        self.left, self.full = self.size, False
        packed = packing.strip().lower() in ("gzip", "x-gzip", "deflate")
        self.unpack = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress if packed else None

    def take(self, part: bytes) -> bytes:
        """A part of the response, unpacked no further than there is room for."""
        with suppress(zlib.error):  # no JSON either way
            part = self.unpack(part, self.left + 1) if self.unpack else part
        self.left -= len(part)
        self.full = self.left < 0
        return part


ROOM_HERE: ContextVar[Room] = ContextVar("ROOM_HERE")
"""The room for the response to the request that this task sends."""


class Asker:
    """Runs requests on an event loop that turns only while somebody waits for an answer. Every answer goes into the
    `store`, every request into the `ledger`; `fits` tells whether a text has the shape that was asked for.

    `reserved` are the tokens, read and written, that all attempts at what is under way may still take; `limit` is what
    the server calls the limit of tokens.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        connection: Connection,
        store: Store,
        ledger: Ledger,
        limits: Limits,
        fits: Callable[[str], bool] | None = None,
    ) -> None:
        self.endpoint, self.connection = endpoint, connection
        self.store, self.ledger, self.limits, self.fits = store, ledger, limits, fits
        self.api = _open_api(connection, limits.timeout or endpoint.timeout, limits.retries)
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)  # of answers that nobody waits for any more
        self.gate = asyncio.Semaphore(limits.concurrency)
        self.tasks: dict[str, asyncio.Task[Answer]] = {}
        self.reserved = (0, 0)
        self.sending = 0
        self.stopped = False
        self.limit = LIMIT

    @property
    def under_way(self) -> int:
        """How many questions were asked whose answers have not come."""
        return len(self.tasks)

    def asks(self, question: Question) -> bool:
        """Whether this very question is under way."""
        return question.key in self.tasks

    def ask(self, question: Question) -> asyncio.Task[Answer]:
        """The answer to come. A question that is under way already is not asked a second time."""
        if question.key not in self.tasks:
            task = self.loop.create_task(self._ask(question))
            self.tasks[question.key] = task
            self._reserve(question, self.limits.attempts)

            def end(_: object) -> None:
                del self.tasks[question.key]
                self._reserve(question, -self.limits.attempts)

            task.add_done_callback(end)
        return self.tasks[question.key]

    def stop(self) -> None:
        """Send nothing more; what was sent may end."""
        self.stopped = True

    def step(self, task: asyncio.Task[Answer] | None = None) -> float:
        """Wait until a request, or any, has ended. Returns the seconds of waiting: what this takes, less what this
        thread computes.
        """
        begun, worked = time.perf_counter(), time.thread_time()
        waited_for = [task] if task else list(self.tasks.values())
        self.loop.run_until_complete(asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED))
        return max(0.0, time.perf_counter() - begun - (time.thread_time() - worked))

    def close(self) -> None:
        """Call off what is under way, close the connections."""
        self.loop.run_until_complete(self._call_off())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def _reserve(self, question: Question, attempts: int) -> None:
        read, written = question.most
        self.reserved = (self.reserved[0] + attempts * read, self.reserved[1] + attempts * written)

    async def _call_off(self) -> None:
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.api.close()
        await asyncio.sleep(0)  # transports close a turn later

    async def _ask(self, question: Question) -> Answer:
        async with self.gate:
            try:
                answer = await self._ask_until_kept(question)
                kept = self.store.put(question, answer)
            except (CdnerError, OSError):
                self.stop()  # every other request would end the same way
                raise
        self.ledger.note(question, kept)
        return kept

    async def _ask_until_kept(self, question: Question) -> Answer:
        """The first answer that is one, or the last attempt's, whatever it is."""
        again = again_in = again_out = 0
        while True:
            if again and self.stopped:
                raise UnansweredError("")
            answer = await self._try(question)
            if again + 1 == self.limits.attempts or answer.state not in _ASKED_AGAIN:
                break
            again, again_in, again_out = again + 1, again_in + answer.tokens_in, again_out + answer.tokens_out
        if answer.state in NOTHING:
            raise UnansweredError(answer.state)
        return replace(answer, again=again, again_in=again_in, again_out=again_out)

    async def _try(self, question: Question) -> Answer:
        """What comes of one request, be it an answer or not."""
        begun = time.perf_counter()
        came, tokens = await self._send(question)
        seconds = round(time.perf_counter() - begun, 3)
        state, text = (came, "") if isinstance(came, str) else self._judge(came)
        model = "" if self.endpoint.own else clean_name(getattr(came, "model", None))
        asked = datetime.now(UTC).isoformat(timespec="seconds")
        fingerprint = clean_name(getattr(came, "system_fingerprint", None))
        return Answer(
            text, state, model or question.model, *tokens, seconds, asked, server=self.endpoint.host,
            fingerprint=fingerprint,
        )  # fmt: skip

    def _judge(self, completion: Any) -> tuple[str, str]:
        try:
            choice = next(iter(completion.choices or ()))
            message = choice.message
            state, text = judge(
                message.content,
                getattr(message, "refusal", None),
                choice.finish_reason,
                _read_count(completion, "completion_tokens"),
                self.fits,
            )
        except (AttributeError, TypeError, StopIteration):
            return GARBLED, ""
        return state, redact(_drop_surrogates(text))

    async def _send(self, question: Question) -> tuple[Any, tuple[int, int]]:
        """What came back, or why it is nothing, and the tokens read and written. Whatever comes of it, the request is
        booked.
        """
        most = self.limits.max_requests
        if self.stopped or (most is not None and self.ledger.sent + self.sending >= most):
            raise UnansweredError("")
        self.sending += 1
        spent = question.most  # unless somebody counts, or says no
        room = Room(ROOM + ROOM_FOR_A_TOKEN * question.max_tokens)
        try:
            completion = await self._create(question, room)
            spent = _count_tokens(question, completion)
        except Exception as error:
            instead = await explain(error, question, self.endpoint, self.connection, self._list_models)
            reason = instead.reason if isinstance(instead, UnansweredError) else ""
            if reason not in MAYBE_PAID:
                spent = (0, 0)
            if reason in (FILTERED, GARBLED):
                return OVERLONG if room.full else reason, spent
            raise instead from None  # the client's error holds headers and what the server said
        finally:
            self.sending -= 1
            self.ledger.spend(*spent)
        return completion, spent

    async def _create(self, question: Question, room: Room) -> Any:
        """The completion of a question; of a server that knows only the older name of the limit, by that name."""
        ROOM_HERE.set(room)
        limit = self.limit
        try:
            completion = await self._ask_by(question, limit)
        except Exception as error:
            if not renames_limit(error, limit):
                raise
            self.limit = OLDER_LIMIT
            completion = await self._ask_by(question, OLDER_LIMIT)
        if is_page(completion):
            raise PageError
        if isinstance(completion, str):  # which would be taken for the reason why there is none
            raise ValueError("a text is no completion")
        return completion

    async def _ask_by(self, question: Question, limit: str) -> Any:
        return await self.api.chat.completions.create(**question.body(self.connection.served_as, limit))

    async def _list_models(self, url: str) -> list[str] | None:
        """The models that there are at an address; None if it is not that of such a server."""
        ROOM_HERE.set(Room(ROOM_FOR_MODELS))
        try:
            page = await self.api.with_options(base_url=url, max_retries=0, timeout=10).models.list()
            return [str(model.id) for model in page.data]
        except Exception:  # whatever else may be there
            return None


def _count_tokens(question: Question, completion: object) -> tuple[int, int]:
    """The tokens that a request read and wrote. A server that does not count is taken at the limits."""
    counts = [_read_count(completion, name) for name in ("prompt_tokens", "completion_tokens")]
    read, written = (most if n is None else n for n, most in zip(counts, question.most, strict=True))
    return read, written


def _read_count(completion: object, name: str) -> int | None:
    count = getattr(getattr(completion, "usage", None), name, None)
    return count if isinstance(count, int) and count >= 0 else None


def _drop_surrogates(text: str) -> str:
    """Half characters, which JSON can smuggle in, replaced: no file takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _open_api(connection: Connection, timeout: float, retries: int) -> Any:
    try:
        import httpx2
        import openai
    except ImportError as error:
        hint = "pip install 'cdner-bench[llm]'"
        raise PluginError(f"asking a language model needs the openai client: {error}", hint=hint) from error
    installed = version("openai")
    if installed.split(".")[0] != CLIENT.split()[1]:
        raise PluginError(
            f"answers are kept by {CLIENT}, and {installed} is installed", hint="pip install 'openai>=3,<4'"
        )

    class Bounded(httpx2.AsyncByteStream):
        """What comes, up to where there is no more room, which what was compressed takes unpacked."""

        def __init__(self, stream: Any, room: Room) -> None:
            self.stream, self.room = stream, room

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for part in self.stream:
                plain = self.room.take(part)
                if self.room.full:
                    return
                yield plain

        async def aclose(self) -> None:
            await self.stream.aclose()

    class Punctual(httpx2.AsyncClient):
        """Takes a whole answer within the limits: a server that drips one byte at a time runs out of time too, and one
        that goes on and on out of room.
        """

        async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            try:
                async with asyncio.timeout(timeout):
                    response = await super().send(request, **{**options, "stream": True})
                    room = ROOM_HERE.get()
                    room.open(response.headers.pop("content-encoding", ""))
                    response.stream = Bounded(response.stream, room)
                    await response.aread()
                    return response
            except TimeoutError:
                raise httpx2.ReadTimeout("the answer took too long", request=request) from None

    account = ("OpenAI-Organization", "OpenAI-Project")  # what the environment says of one is for OpenAI only
    headers: Any = {} if connection.openai else {name: openai.Omit() for name in account}
    return openai.AsyncOpenAI(
        base_url=connection.url,
        api_key=connection.key,
        max_retries=retries,
        timeout=timeout,
        default_headers=headers,
        http_client=Punctual(
            trust_env=not connection.loopback,
            limits=httpx2.Limits(max_connections=None),
            headers={"accept-encoding": "identity"},
        ),
    )
