"""Where a model is to be had: somebody's server, or one of our own that is started when it is needed."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from ..errors import CdnerError, NotRunError, OptionError
from ..io import models
from . import server

OPENAI = "https://api.openai.com/v1"
LOCAL = "local"
KEY = "OPENAI_API_KEY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Connection:
    """An open door: the server's address, what it calls the model, and the key, which is shown nowhere."""

    url: str
    served_as: str
    key: str = field(repr=False)

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine: no proxy leads there."""
        return urlsplit(self.url).hostname in LOOPBACK

    @property
    def openai(self) -> bool:
        """Whether it is OpenAI's own server."""
        return urlsplit(self.url).hostname == urlsplit(OPENAI).hostname


@dataclass(frozen=True)
class Endpoint:
    """A model and where to ask it. `model` is its name in keys and records, `own` tells that we run the server."""

    model: str
    url: str
    key_variable: str = KEY
    name: str = ""
    parallel: int = 4

    @property
    def own(self) -> bool:
        """Whether the server is started here, for nothing, and stopped afterwards."""
        return self.url == LOCAL

    @property
    def schemas(self) -> bool:
        """Whether the server may know JSON schemas; transformers' does not."""
        return not (self.own and self.name.startswith(server.HUB))

    @property
    def host(self) -> str:
        """The host that answers, for the record; never with a port, a path or a key."""
        return "this machine" if self.own else urlsplit(self.url).hostname or self.url

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Start the server if it is ours; find the key if it is not. Raises `NotRunError` if there is no key, another
        `CdnerError` if it cannot be one or nobody listens at the address.
        """
        if self.own:
            with server.start(self.name, self.parallel) as url:
                yield Connection(url, server.drop_hub(self.name), "none")
            return
        key = os.environ.get(self.key_variable, "").strip()
        connection = Connection(self.url, self.name, key or "none")
        if not key and not connection.loopback:
            raise NotRunError(
                f"{self.model} at {self.host} needs a key, and {self.key_variable} is not set",
                hint=f"type: export {self.key_variable}=…   or ask one on this machine: base_url=local model=smollm2",
            )
        if not re.fullmatch(r"[!-~]+", connection.key):
            raise CdnerError(f"what {self.key_variable} holds is no key", hint="copy it anew, without spaces or dots")
        _reach(connection)
        yield connection


def find_endpoint(model: str, base_url: str | None = None, key_variable: str = KEY, parallel: int = 4) -> Endpoint:
    """The endpoint of a model. `base_url` is an OpenAI-compatible server's (None: $OPENAI_BASE_URL or OpenAI's), or
    `local`: then `model` is one of `cdner-bench models list` with a GGUF file, or `hf:NAME`, and a server is started.

    Raises `OptionError` for an address that is none or that carries a password, and for a variable that is none.
    """
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", key_variable):  # not repeated: it may be the key itself
        raise OptionError(
            "key_variable is no name of an environment variable", hint=f"such as {KEY}, which holds the key"
        )
    url = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI
    if url == LOCAL:
        return Endpoint(_pin(model), LOCAL, key_variable, model, parallel)
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named:
        raise OptionError(
            f"base_url={re.sub('//.*@', '//', url)}: this is no address of a server",
            hint="write http://host:port/v1, or local for a server on this machine",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise OptionError(
            f"the address of {parts.hostname} carries a password or a query, which would be recorded",
            hint=f"put the key into an environment variable: {KEY}, or another that key_variable names",
        )
    if not re.fullmatch(r"[\w./:@+-]+", model):
        raise OptionError(f"model={model}: not the name of a model")
    return Endpoint(model, url.rstrip("/"), key_variable, model, parallel)


def _reach(connection: Connection) -> None:
    """Raise `CdnerError` if nobody listens there, before the client tries for long. Proxies are left to the client."""
    if getproxies() and not connection.loopback:
        return
    parts = urlsplit(connection.url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=10).close()
    except OSError as error:
        raise CdnerError(
            f"{connection.url} cannot be reached: {error.strerror or error}",
            hint="check the address and the network; a model on this machine: base_url=local model=smollm2",
        ) from None


def _pin(name: str) -> str:
    """A local model's name with the beginning of its weights' hash."""
    plain = name.removeprefix(server.HUB)
    identity = models.identify(name)
    return f"{Path(plain).name}@{identity[:12]}" if identity != plain else plain
