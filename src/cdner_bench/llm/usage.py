"""What a run asked of a language model: counts, tokens, money and latency."""

from __future__ import annotations

import re
import tomllib
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from ..files import benchmarks_dir
from .question import STATES, Answer

CHARACTERS_PER_TOKEN = 4.0
"""What estimates count with; the record has the provider's own counts."""


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens read and written."""

    tokens_in: float
    tokens_out: float

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """US dollars."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


@cache
def _prices() -> Mapping[str, Price]:
    table = tomllib.loads((benchmarks_dir() / "llm-prices.toml").read_text(encoding="utf-8"))
    return {name: Price(*pair) for name, pair in table["usd_per_million_tokens"].items()}


def list_price(model: str) -> Price | None:
    """The price of a model or of a dated snapshot of it in benchmarks/llm-prices.toml; None if it is not there."""
    return _prices().get(re.sub(r"-\d{4}(-\d{2}-\d{2})?$", "", model)) or _prices().get(model)


@dataclass(frozen=True)
class Usage:
    """All answers of a run. `model` is the snapshot that the server named, `server` its host, `prompt` the hash of
    the prompt's wording, `first` and `last` the days of asking (UTC). `states` counts how answers ended, `cost` is
    in US dollars (None where no price is known). The rest may differ between two runs with the same answers:
    `latency` has percentiles in seconds, `again` counts answers that were asked for once more and `again_tokens`
    their tokens (read, written), `replayed` those that came out of the store.
    """

    model: str
    server: str
    prompt: str
    first: str
    last: str
    requests: int
    states: Mapping[str, int]
    tokens_in: int
    tokens_out: int
    cost: float | None
    latency: Mapping[str, float] = field(default_factory=dict)
    again: int = 0
    again_tokens: tuple[int, int] = (0, 0)
    replayed: int = 0


@dataclass(frozen=True)
class Estimate:
    """What a run is about to ask: requests in all, how many the store answers, and what the others will cost.

    Tokens are estimated from characters; `most` is the price if every answer fills its limit (None: no price known).
    """

    requests: int
    stored: int
    tokens_in: int
    tokens_out: int
    likely: float | None
    most: float | None

    def __str__(self) -> str:
        new = self.requests - self.stored
        text = f"{self.requests:,} requests, {self.stored:,} of them answered before"
        if not new:
            return text
        price = "price unknown" if self.likely is None else f"about ${self.likely:.2f}, at most ${self.most:.2f}"
        return f"{text}; about {self.tokens_in:,} tokens in and {self.tokens_out:,} out: {price}"


class Tally:
    """Adds answers up."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self.tokens_in = self.tokens_out = self.again = self.again_in = self.again_out = self.replayed = 0
        self.first = self.last = ""
        self._seconds = array("d")

    def add(self, answer: Answer, *, replayed: bool) -> None:
        """One more answer, got from the server or out of the store."""
        self.states[answer.state] += 1
        self.models[answer.model] += 1
        self.tokens_in += answer.tokens_in
        self.tokens_out += answer.tokens_out
        self.again += answer.again
        self.again_in += answer.again_in
        self.again_out += answer.again_out
        self.replayed += replayed
        day = answer.asked[:10]
        self.first, self.last = min(self.first or day, day), max(self.last, day)
        self._seconds.append(answer.seconds)

    def usage(self, server: str, prompt: str, price: Price | None) -> Usage:
        """The sum."""
        return Usage(
            model=", ".join(sorted(self.models)),
            server=server,
            prompt=prompt,
            first=self.first,
            last=self.last,
            requests=self.states.total(),
            states={state: self.states[state] for state in STATES if self.states[state]},
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            cost=None if price is None else round(price.of(self.tokens_in, self.tokens_out), 6),
            latency=self._percentiles(),
            again=self.again,
            again_tokens=(self.again_in, self.again_out),
            replayed=self.replayed,
        )

    def _percentiles(self) -> dict[str, float]:
        ordered = sorted(self._seconds)
        last = len(ordered) - 1
        return {f"p{p}": round(ordered[round(p / 100 * last)], 3) for p in (50, 90, 99)} if ordered else {}
