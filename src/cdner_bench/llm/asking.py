"""The part that talks to the server: an event loop, so many requests at a time, and what comes of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ..errors import CdnerError, PluginError
from .endpoint import Connection
from .failure import GARBLED, MAYBE_PAID, FilteredError, UnansweredError, raised
from .question import ANSWERED, CLIENT, FILTERED, MALFORMED, REFUSED, TRUNCATED, Answer, Question

if TYPE_CHECKING:
    from .client import Client

_ENDINGS = {"length": TRUNCATED, "content_filter": FILTERED}


class Asker:
    """Runs requests on an event loop that turns only while somebody waits for an answer."""

    def __init__(self, client: Client, connection: Connection) -> None:
        self.client, self.connection = client, connection
        self.api = _api(connection, client.limits.timeout, client.limits.retries)
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)  # of answers that nobody waits for any more
        self.gate = asyncio.Semaphore(client.limits.concurrency)
        self.tasks: dict[str, asyncio.Task[Answer]] = {}
        self.reserved = 0.0
        self.sending = 0
        self.stopped = False

    @classmethod
    @contextmanager
    def opened(cls, client: Client) -> Iterator[Asker]:
        """For as long as the block lasts; what is still under way at its end is called off."""
        client.store.open(client.endpoint.model)
        with client.endpoint.opened() as connection:
            asker = cls(client, connection)
            try:
                yield asker
            finally:
                asker.close()

    def ask(self, question: Question) -> asyncio.Task[Answer]:
        """The answer to come. A question that is under way already is not asked a second time."""
        if question.key not in self.tasks:
            task = self.loop.create_task(self._ask(question))
            self.tasks[question.key] = task
            reserved = self.client.cost(question)
            self.reserved += reserved

            def ended(_: object) -> None:
                del self.tasks[question.key]
                self.reserved -= reserved

            task.add_done_callback(ended)
        return self.tasks[question.key]

    def stop(self) -> None:
        """Send nothing more; what was sent may end."""
        self.stopped = True

    def step(self, task: asyncio.Task[Answer] | None = None) -> None:
        """Wait until a request, or any, has ended. The time this takes, less what this thread computes, is waiting."""
        begun, worked = time.perf_counter(), time.thread_time()
        waited_for = [task] if task else list(self.tasks.values())
        self.loop.run_until_complete(asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED))
        self.client.waiting += max(0.0, time.perf_counter() - begun - (time.thread_time() - worked))

    def close(self) -> None:
        """Call off what is under way, close the connections."""
        self.loop.run_until_complete(self._call_off())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

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
                answer = await self._worth_keeping(question)
                kept = self.client.store.put(question, answer)
            except (CdnerError, OSError):
                self.stop()  # every other request would end the same way
                raise
        self.client.ledger.note(question, kept)
        return kept

    async def _worth_keeping(self, question: Question) -> Answer:
        """The first answer that is one, or the last attempt's, whatever it is."""
        lost = [0, 0, 0]
        for attempt in range(self.client.limits.attempts):
            last = attempt + 1 == self.client.limits.attempts
            if attempt and self.stopped:
                raise UnansweredError("")
            begun = time.perf_counter()
            try:
                completion, tokens = await self._completion(question)
                answer = self._answer(question, completion, tokens, round(time.perf_counter() - begun, 3))
            except UnansweredError as error:
                if last or error.reason != GARBLED:
                    raise
                lost[0] += 1
                continue
            if last or answer.state not in (REFUSED, MALFORMED):
                return replace(answer, again=lost[0], again_in=lost[1], again_out=lost[2])
            lost = [lost[0] + 1, lost[1] + answer.tokens_in, lost[2] + answer.tokens_out]
        raise AssertionError("attempts is positive")

    async def _completion(self, question: Question) -> tuple[Any, tuple[int, int]]:
        """What came back, None if the provider filtered the prompt, and the tokens read and written. Whatever comes of
        it, the request is booked.
        """
        most = self.client.limits.max_requests
        if self.stopped or (most is not None and self.client.ledger.sent + self.sending >= most):
            raise UnansweredError("")
        self.sending += 1
        spent = question.most  # unless somebody counts, or says no
        try:
            completion = await self.api.chat.completions.create(**question.body(self.connection.served_as))
            spent = _tokens(question, completion)
        except Exception as error:
            instead = raised(error, question, self.client.endpoint, self.connection)
            if not (isinstance(instead, UnansweredError) and instead.reason in MAYBE_PAID):
                spent = (0, 0)
            if isinstance(instead, FilteredError):
                return None, spent
            raise instead from None  # the client's error holds headers and what the server said
        finally:
            self.sending -= 1
            self.client.ledger.spend(*spent)
        return completion, spent

    def _answer(self, question: Question, completion: Any, tokens: tuple[int, int], seconds: float) -> Answer:
        text, state, model = "", FILTERED, question.model
        if completion is not None:
            try:
                choice = next(iter(completion.choices or ()), None)
                text, state = self._state(choice.message, choice.finish_reason)  # type: ignore[union-attr]
            except (AttributeError, TypeError):
                raise UnansweredError(GARBLED) from None
            if not self.client.endpoint.own:
                model = _safe(completion.model) or question.model
        asked = datetime.now(UTC).isoformat(timespec="seconds")
        return Answer(text, state, model, *tokens, seconds, asked, server=self.client.endpoint.host)

    def _state(self, message: Any, finish: object) -> tuple[str, str]:
        refusal, text = getattr(message, "refusal", None), message.content
        if isinstance(refusal, str) and refusal:
            return _writable(refusal), REFUSED
        state = _ENDINGS.get(str(finish), ANSWERED)
        if not isinstance(text, str):
            if state == ANSWERED:
                raise UnansweredError(GARBLED)
            return "", state
        if state == ANSWERED and self.client.fits is not None and not self.client.fits(text):
            state = MALFORMED
        return _writable(text), state


def _tokens(question: Question, completion: object) -> tuple[int, int]:
    """Read and written. A server that does not count is taken at the limits."""
    usage = getattr(completion, "usage", None)
    found = [getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")]
    read, written = (n if isinstance(n, int) and n >= 0 else most for n, most in zip(found, question.most, strict=True))
    return read, written


def _writable(text: str) -> str:
    """Half characters, which JSON can smuggle in, replaced: no file takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _safe(name: object) -> str:
    """A model's name as a server gave it, without what is no name."""
    return "".join(c for c in name if c.isalnum() or c in "-_.:/@")[:80] if isinstance(name, str) else ""


def _api(connection: Connection, timeout: float, retries: int) -> Any:
    try:
        import httpx2
        import openai
    except ImportError as error:
        hint = "pip install 'cdner-bench[llm]'"
        raise PluginError(f"asking a language model needs the openai client: {error}", hint=hint) from error
    found = version("openai")
    if found.split(".")[0] != CLIENT.split()[1]:
        raise PluginError(f"answers are kept by {CLIENT}, and {found} is installed", hint="pip install 'openai>=3,<4'")

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
