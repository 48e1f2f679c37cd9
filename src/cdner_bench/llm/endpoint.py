"""Where a model is to be had: somebody's server, or one of our own that is started when it is needed."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from ..errors import CdnerError, NotRunError, OptionError
from ..foreign import hide
from ..hashing import digest
from ..io import models
from . import server
from .usage import OWN

OPENAI = "https://api.openai.com/v1"
LOCAL = "local"
KEY = "OPENAI_API_KEY"
NO_KEY = "none"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_OF_A_SERVICE = re.compile(r"/(chat/completions|completions|responses|models|embeddings|chat)/*$")


@dataclass(frozen=True)
class Connection:
    """An open door: the server's address, what it calls the model, and the key, which is shown nowhere. `describe_end`
    says how the server has ended, if it is one of our own that has.
    """

    url: str
    served_as: str
    key: str = field(repr=False)
    describe_end: Callable[[], str] = field(default=str, repr=False)

    @property
    def keyless(self) -> bool:
        """Whether there is no key."""
        return self.key == NO_KEY

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
    """A model and where to ask it. `model` is its name in keys and records, `own` tells that we run the server,
    `served_by` is the name under which the server counts ("": OpenAI's or our own).
    """

    model: str
    url: str
    key_variable: str = KEY
    name: str = ""
    parallel: int = 4
    served_by: str = ""

    @property
    def own(self) -> bool:
        """Whether the server is started here, for nothing, and stopped afterwards."""
        return self.url == LOCAL

    @property
    def timeout(self) -> float:
        """Seconds that a try may take unless somebody says otherwise. A server of our own has no queue of others, only
        the time that this machine gives it: to ask it again would throw away what it has computed.
        """
        return 3600.0 if self.own else 120.0

    @property
    def schemas(self) -> bool:
        """Whether the server may know JSON schemas; transformers' does not."""
        return not (self.own and self.name.startswith(models.HUB))

    @property
    def host(self) -> str:
        """The host that answers, for the record; never with a port, a path or a key."""
        return OWN if self.own else urlsplit(self.url).hostname or self.url

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Start the server if it is ours; find the key if it is not. Raises `NotRunError` if there is no key, another
        `CdnerError` if it cannot be one or nobody listens at the address.
        """
        if self.own:
            with server.start(self.name, self.parallel) as served:
                yield Connection(served.url, models.drop_hub(self.name), NO_KEY, served.describe_end)
            return
        key = os.environ.get(self.key_variable, "").strip()
        hide(key)
        connection = Connection(self.url, self.name, key or NO_KEY)
        if not key and not connection.loopback:
            raise NotRunError(
                f"{self.model} at {self.host} needs a key, and {self.key_variable} is not set",
                hint=f"type: export {self.key_variable}=…   or ask one on this machine: base_url=local model=smollm2",
            )
        if not re.fullmatch(r"[!-~]+", connection.key):
            raise CdnerError(f"what {self.key_variable} holds is no key", hint="copy it anew, without spaces or dots")
        _reach(connection)
        yield connection


def find_endpoint(
    model: str,
    base_url: str | None = None,
    key_variable: str = KEY,
    parallel: int = 4,
    served_by: str | None = None,
) -> Endpoint:
    """The endpoint of a model. `base_url` is an OpenAI-compatible server's (None: $OPENAI_BASE_URL or OpenAI's), or
    `local`: then `model` is one of `cdner-bench models list` with a GGUF file, or `hf:NAME`, and a server is started.
    `served_by` is the name under which the server counts, if it is not to be its own (`name_server`).

    Raises `OptionError` for an address that is none or that carries a password, and for a variable that is none.
    """
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", key_variable):  # not repeated: it may be the key itself
        raise OptionError(
            "key_variable is no name of an environment variable", hint=f"such as {KEY}, which holds the key"
        )
    url = _choose_url(base_url)
    known_as = name_server(base_url, served_by) or ""
    if url == LOCAL:
        return Endpoint(_pin(model), LOCAL, key_variable, model, parallel, known_as)
    if not re.fullmatch(r"[\w./:@+-]+", model):
        raise OptionError(f"model={model}: not the name of a model")
    return Endpoint(model, url.rstrip("/"), key_variable, model, parallel, known_as)


def name_server(base_url: str | None = None, served_by: str | None = None) -> str | None:
    """The name under which a server counts in what depends on its answers: `served_by` if the user gives one, else
    host, port and what distinguishes the path of its address. None for OpenAI's, and for a server of our own, whose
    models are named by their weights.

    Raises `OptionError` for an address that is none or that carries a password.
    """
    url = _choose_url(base_url)
    given = served_by or (None if url == LOCAL else _name_address(_check_address(url, base_url)))
    return None if given == urlsplit(OPENAI).hostname else given


def _choose_url(base_url: str | None) -> str:
    return (base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).strip()


def _name_address(parts: SplitResult) -> str:
    """`localhost:8000`, `api.groq.com/openai`: a usual port and a last `/v1` are left out, and what of a path may be a
    secret stands as its hash.
    """
    host = "localhost" if parts.hostname in LOOPBACK else parts.hostname or ""
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    steps = [step for step in parts.path.split("/") if step]
    if steps[-1:] == ["v1"]:
        steps.pop()
    plain = (step if re.fullmatch(r"[a-z-]{1,20}|v\d\w{0,5}", step) else digest(step)[:8] for step in steps)
    return "/".join([f"{host}{port}", *plain])


def _check_address(url: str, base_url: str | None) -> SplitResult:
    option = "base_url" if base_url else "OPENAI_BASE_URL"
    shown = re.sub(r"[?#].*", "", re.sub(r"^(\w+:/*)?.*@", r"\1", url))
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named:
        raise OptionError(f"{option}={shown}: this is no address of a server", hint=f"write {correct_address(shown)}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise OptionError(
            f"the address of {parts.hostname} carries a password or a query, which would be recorded",
            hint=f"put the key into an environment variable: {KEY}, or another that key_variable names",
        )
    if _OF_A_SERVICE.search(parts.path):
        message = f"{option}={shown}: this is the address of one service, not of the whole API"
        raise OptionError(message, hint=f"write {correct_address(shown)}")
    return parts


def correct_address(shown: str) -> str:
    """The address that was probably meant: a host without a scheme gets one, and `/v1` where there is no path."""
    found = re.fullmatch(r"(https?://)?([\w.-]+|\[[0-9a-f:]+\])(:\d{1,5})?(/[\w./-]*)?", shown)
    if not found or not (found[3] or "." in found[2]) or not 0 < int((found[3] or ":1")[1:]) < 65536:
        return "http://host:port/v1, or local for a server on this machine"
    scheme, host, port, path = (part or "" for part in found.groups())
    near = port or re.fullmatch(r"[\d.]+", host)
    path = _OF_A_SERVICE.sub("", path.rstrip("/"))
    return f"{scheme or ('http://' if near else 'https://')}{host}{port}{path or '/v1'}"


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
    plain = models.drop_hub(name)
    identity = models.identify(name)
    return f"{Path(plain).name}@{identity[:12]}" if identity != plain else plain
