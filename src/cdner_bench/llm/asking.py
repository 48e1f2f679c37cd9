"""The part that talks to the server: an event loop, so many requests at a time, and what comes of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from ..errors import CdnerError, PluginError
from .endpoint import Connection, Endpoint
from .failure import GARBLED, MAYBE_PAID, FilteredError, UnansweredError, explain
from .ledger import Ledger
from .limits import Limits
from .question import ANSWERED, CLIENT, FILTERED, MALFORMED, REFUSED, TRUNCATED, Answer, Question
from .store import Store

_ENDINGS = {"length": TRUNCATED, "content_filter": FILTERED}


class Asker:
    """Runs requests on an event loop that turns only while somebody waits for an answer. Every answer goes into the
    `store`, every request into the `ledger`; `fits` tells whether a text has the shape that was asked for.

    `reserved` are the tokens, read and written, that all attempts at what is under way may still take.
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
        self.api = _open_api(connection, limits.timeout, limits.retries)
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)  # of answers that nobody waits for any more
        self.gate = asyncio.Semaphore(limits.concurrency)
        self.tasks: dict[str, asyncio.Task[Answer]] = {}
        self.reserved = (0, 0)
        self.sending = 0
        self.stopped = False

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
        lost = [0, 0, 0]
        for attempt in range(self.limits.attempts):
            last = attempt + 1 == self.limits.attempts
            if attempt and self.stopped:
                raise UnansweredError("")
            begun = time.perf_counter()
            try:
                completion, tokens = await self._send(question)
                answer = self._read_answer(question, completion, tokens, round(time.perf_counter() - begun, 3))
            except UnansweredError as error:
                if last or error.reason != GARBLED:
                    raise
                lost[0] += 1
                continue
            if last or answer.state not in (REFUSED, MALFORMED):
                return replace(answer, again=lost[0], again_in=lost[1], again_out=lost[2])
            lost = [lost[0] + 1, lost[1] + answer.tokens_in, lost[2] + answer.tokens_out]
        raise AssertionError("attempts is positive")

    async def _send(self, question: Question) -> tuple[Any, tuple[int, int]]:
        """What came back, None if the provider filtered the prompt, and the tokens read and written. Whatever comes of
        it, the request is booked.
        """
        most = self.limits.max_requests
        if self.stopped or (most is not None and self.ledger.sent + self.sending >= most):
            raise UnansweredError("")
        self.sending += 1
        spent = question.most  # unless somebody counts, or says no
        try:
            completion = await self.api.chat.completions.create(**question.body(self.connection.served_as))
            spent = _count_tokens(question, completion)
        except Exception as error:
            instead = explain(error, question, self.endpoint, self.connection)
            if not (isinstance(instead, UnansweredError) and instead.reason in MAYBE_PAID):
                spent = (0, 0)
            if isinstance(instead, FilteredError):
                return None, spent
            raise instead from None  # the client's error holds headers and what the server said
        finally:
            self.sending -= 1
            self.ledger.spend(*spent)
        return completion, spent

    def _read_answer(self, question: Question, completion: Any, tokens: tuple[int, int], seconds: float) -> Answer:
        text, state, model = "", FILTERED, question.model
        if completion is not None:
            try:
                choice = next(iter(completion.choices or ()), None)
                text, state = self._read_choice(choice.message, choice.finish_reason)  # type: ignore[union-attr]
            except (AttributeError, TypeError):
                raise UnansweredError(GARBLED) from None
            if not self.endpoint.own:
                model = _clean_name(completion.model) or question.model
        asked = datetime.now(UTC).isoformat(timespec="seconds")
        return Answer(text, state, model, *tokens, seconds, asked, server=self.endpoint.host)

    def _read_choice(self, message: Any, finish: object) -> tuple[str, str]:
        """The text of what came back, and how it ended."""
        refusal, text = getattr(message, "refusal", None), message.content
        if isinstance(refusal, str) and refusal:
            return _drop_surrogates(refusal), REFUSED
        state = _ENDINGS.get(str(finish), ANSWERED)
        if not isinstance(text, str):
            if state == ANSWERED:
                raise UnansweredError(GARBLED)
            return "", state
        if state == ANSWERED and self.fits is not None and not self.fits(text):
            state = MALFORMED
        return _drop_surrogates(text), state


def _count_tokens(question: Question, completion: object) -> tuple[int, int]:
    """The tokens that a request read and wrote. A server that does not count is taken at the limits."""
    usage = getattr(completion, "usage", None)
    counts = [getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")]
    read, written = (n if isinstance(n, int) and n >= 0 else m for n, m in zip(counts, question.most, strict=True))
    return read, written


def _drop_surrogates(text: str) -> str:
    """Half characters, which JSON can smuggle in, replaced: no file takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _clean_name(name: object) -> str:
    """A model's name as a server gave it, without what is no name."""
    return "".join(c for c in name if c.isalnum() or c in "-_.:/@")[:80] if isinstance(name, str) else ""


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

    class Punctual(httpx2.AsyncClient):
        """Takes a whole answer within the limit: a server that drips one byte at a time runs out of time too."""

        async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            try:
                async with asyncio.timeout(timeout):
                    return await super().send(request, **options)
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
        http_client=Punctual(trust_env=not connection.loopback, limits=httpx2.Limits(max_connections=None)),
    )
