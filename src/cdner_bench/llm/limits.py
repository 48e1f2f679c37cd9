"""How a model is asked: so many questions at a time, so often, for so much money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Limits:
    """How to ask. `retries` is the client's own, `timeout` is in seconds for each try (None: the endpoint's),
    `attempts` is how often an answer is asked for that is worth keeping. `max_requests` (attempts included) and
    `max_cost` (US dollars) hold for everything that a run sends, however often it is resumed. `replay` "only" never
    touches the network.
    """

    concurrency: int = 4
    retries: int = 5
    timeout: float | None = None
    attempts: int = 3
    max_requests: int | None = None
    max_cost: float | None = None
    replay: Literal["first", "only"] = "first"
