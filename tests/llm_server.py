"""An OpenAI-compatible server on loopback that answers at once, or misbehaves in every way servers do.

It marks capitalised words as entities of the first type that the prompt names, so its answers are the same whenever
it is asked. Faults are drawn for each request and try from a seed.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

TRANSPORT = ("429", "500", "hang", "drop", "short", "drip")
"""What the client itself retries."""
ENDLESS = ("endless headers", "endless line", "endless body", "endless chunks", "endless preludes", "slow headers")
"""What would never end by itself."""
CONTENT = ("cut json", "other json", "no choice", "refusal", "odd message", "odd choices")
"""What arrives and is no answer."""
LONG = 30.0


@dataclass
class Behaviour:
    """What the server does. `faults` of the requests fail, each at most `in_a_row` times, by `kinds` in turn.
    `always` is a fault for every request, `status` an error with a body for every request; `finish` is why answers end.
    `raw` is a status, bytes and header lines for every request, `refuses` an error for questions with that parameter.
    `models` are those that it lists and knows (None: it lists none and knows all), `states` its fingerprints in turn.
    """

    faults: float = 0.0
    in_a_row: int = 2
    seed: int = 0
    delay: float = 0.0
    always: str = ""
    status: tuple[int, dict[str, Any]] | None = None
    content: str | None = None
    finish: str = "stop"
    kinds: tuple[str, ...] = (*TRANSPORT, *CONTENT)
    raw: tuple[int, bytes, tuple[str, ...]] | None = None
    refuses: Mapping[str, tuple[int, object]] = field(default_factory=dict)
    models: tuple[str, ...] | None = None
    states: tuple[str, ...] = ()


@dataclass
class FakeServer:
    """Counts what it was asked: `tries` and `answered` by body, `headers` of the last, how many at once (`busy`)."""

    behaviour: Behaviour
    port: int = 0
    tries: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    headers: dict[str, str] = field(default_factory=dict)
    now: int = 0
    busy: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                self.headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
                body = await reader.readexactly(int(self.headers.get("content-length", 0)))
                self.now += 1
                self.busy = max(self.busy, self.now)
                try:
                    method, path, _ = head[0].split(" ")
                    if not await self._route(method, path, body.decode(), writer):
                        break
                finally:
                    self.now -= 1
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client went, or the test ended
        finally:
            writer.close()

    async def _route(self, method: str, path: str, body: str, writer: asyncio.StreamWriter) -> bool:
        models = self.behaviour.models
        known = path.endswith("/v1/chat/completions")
        if method == "GET" and path == "/v1/models" and models is not None:
            listed = [{"id": name, "object": "model", "created": 1, "owned_by": "x"} for name in models]
            await _send(writer, 200, json.dumps({"object": "list", "data": listed}).encode())
        elif known and models is not None and (name := json.loads(body)["model"]) not in models:
            self.tries[body] += 1
            await _send(writer, 404, json.dumps({"error": {"message": f"The model `{name}` does not exist."}}).encode())
        elif known or self.behaviour.raw:
            return await self._answer(body, writer)
        else:
            await _send(writer, 404, b'{"detail": "Not Found"}')
        return True

    async def _answer(self, body: str, writer: asyncio.StreamWriter) -> bool:
        b = self.behaviour
        fault = b.always or self._fault(body)
        self.tries[body] += 1
        if b.delay:
            await asyncio.sleep(b.delay)
        if b.raw:
            await _send(writer, b.raw[0], b.raw[1], *b.raw[2])
            return True
        for name in b.refuses:
            if name in json.loads(body):
                await _send(writer, b.refuses[name][0], json.dumps(b.refuses[name][1]).encode())
                return True
        if b.status:
            await _send(writer, b.status[0], json.dumps(b.status[1]).encode())
            return True
        if not fault:
            self.answered[body] += 1
            content = b.content if b.content is not None else said(json.loads(body))
            state = b.states[(self.answered.total() - 1) % len(b.states)] if b.states else None
            await _send(writer, 200, completion(content, finish=b.finish, state=state))
            return True
        self.done[fault] += 1
        return await self._misbehave(fault, writer)

    async def _misbehave(self, fault: str, writer: asyncio.StreamWriter) -> bool:
        good = completion("(x, y)")
        if fault == "429":
            await _send(writer, 429, b'{"error": {"message": "slow down", "code": "rate_limit"}}', "retry-after: 0.02")
        elif fault == "500":
            await _send(writer, 500, b"oops", "retry-after-ms: 10")
        elif fault == "hang":
            await asyncio.sleep(LONG)
        elif fault == "short":
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n" + good[:20]
            )
        elif fault == "drip":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n")
            for byte in good:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        elif fault in ENDLESS:
            await _go_on(fault, writer)
        elif fault != "drop":
            bodies = {
                "cut json": good[: len(good) // 2],
                "other json": b'{"weather": "fine"}',
                "no choice": completion(None, choices=[]),
                "refusal": completion(None, refusal="I cannot help with that."),
                "odd message": completion(None, choices=[{"message": "hi", "finish_reason": "stop"}]),
                "odd choices": completion(None, choices=5),
            }
            await _send(writer, 200, bodies[fault])
            return True
        return fault in ("429", "500")

    def _fault(self, body: str) -> str:
        b = self.behaviour
        if self.tries[body] >= b.in_a_row:
            return ""
        dice = random.Random(f"{b.seed}/{self.tries[body]}/{body}")
        return b.kinds[self.done.total() % len(b.kinds)] if dice.random() < b.faults else ""


async def _go_on(fault: str, writer: asyncio.StreamWriter) -> None:
    """What comes first, and what comes again and again, so many seconds apart."""
    ok, kind = b"HTTP/1.1 200 OK\r\n", b"content-type: application/json\r\n"
    filler = b"a" * 65_536
    first, again, pause = {
        "endless headers": (ok, b"x-more: " + b"y" * 1000 + b"\r\n", 0.0),
        "endless line": (ok + b"x-more: ", filler, 0.0),
        "endless body": (ok + kind + b'content-length: 99999999999\r\n\r\n{"x": "', filler, 0.0),
        "endless chunks": (ok + kind + b"transfer-encoding: chunked\r\n\r\n", b"10000\r\n" + filler + b"\r\n", 0.0),
        "endless preludes": (b"", b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n", 0.001),
        "slow headers": (ok, b"x: y\r\n", 0.05),
    }[fault]
    writer.write(first)
    while True:
        writer.write(again)
        await writer.drain()
        await asyncio.sleep(pause)


def completion(
    content: str | None,
    refusal: str | None = None,
    choices: Any = None,
    finish: str | None = "stop",
    state: str | None = None,
) -> bytes:
    message = {"role": "assistant", "content": content, "refusal": refusal}
    usage = {"prompt_tokens": 100, "completion_tokens": len(content or "") // 4, "total_tokens": 0}
    if choices is None:
        choices = [{"index": 0, "finish_reason": finish, "message": message}]
    record = {"id": "x", "object": "chat.completion", "created": 1, "model": "fake-2026-01-01", "choices": choices}
    return json.dumps({**record, "usage": usage, "system_fingerprint": state}).encode()


def said(body: dict[str, Any]) -> str:
    """The answer to a prompt: every capitalised word is of the first type."""
    prompt = body["messages"][-1]["content"]
    named = re.search(r"chosen in \[([^,\]]+)", prompt)
    kind = named[1] if named else "thing"
    words = [word for word in prompt.rsplit("\n", 1)[-1].split() if word[0].isupper()]
    if "response_format" in body:
        return json.dumps({"entities": [{"type": kind, "text": word} for word in words]})
    return " ".join(f"({kind}, {word})" for word in words)


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes, *headers: str) -> None:
    kind = [] if any(line.startswith("content-type") for line in headers) else ["content-type: application/json"]
    head = [f"HTTP/1.1 {status} X", *kind, f"content-length: {len(body)}", *headers]
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    await writer.drain()


@contextmanager
def running(behaviour: Behaviour) -> Iterator[FakeServer]:
    """A server in a thread of its own."""
    fake = FakeServer(behaviour)
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(fake.serve, "127.0.0.1", 0)

    server = loop.run_until_complete(start())
    fake.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.01)  # transports close a turn later
