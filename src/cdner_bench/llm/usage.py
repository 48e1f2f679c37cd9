"""What a run asked of a language model: counts, tokens, money and latency."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from ..errors import OptionError
from ..io import find_benchmarks_dir, read_toml
from .ending import STATES
from .question import Answer

CHARACTERS_PER_TOKEN = 4.0
"""What estimates count with; the record has the provider's own counts."""
OWN = "this machine"
"""The server of a record whose answers came from one that was started for the run, and ended with it."""
_BETWEEN, _NAMED = ", ", 4


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens read and written."""

    tokens_in: float
    tokens_out: float

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """What so many tokens cost, in US dollars."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


def make_price(price_in: float | None, price_out: float | None) -> Price | None:
    """The price that a user names, if any. Raises `OptionError` for half of one."""
    if price_in is None and price_out is None:
        return None
    if price_in is None or price_out is None:
        raise OptionError("price_in and price_out go together", hint="add the other one")
    return Price(price_in, price_out)


@cache
def _read_prices() -> Mapping[str, Price]:
    table = read_toml(find_benchmarks_dir() / "reference" / "llm-prices.toml")
    return {name: Price(*pair) for name, pair in table["usd_per_million_tokens"].items()}


def look_up_price(model: str) -> Price | None:
    """The price of a model in `benchmarks/reference/llm-prices.toml`, and of a dated snapshot that is not there that of
    its model; None if neither is there.
    """
    return _read_prices().get(model) or _read_prices().get(re.sub(r"-\d{4}(-\d{2}-\d{2})?$", "", model))


@dataclass(frozen=True)
class Usage:
    """All answers of a run. `model` is the snapshot that the server named, `fingerprint` how it names its own state
    ("" if it does not), `server` its host, `prompt` the hash of the prompt's wording, `first` and `last` the days of
    asking (UTC). `requests` and tokens are those of the answers that were kept, `states` counts how these ended, and
    `cost` is in US dollars, of all that was `sent` (None where no price is known). The rest may differ between two runs
    with the same answers: `latency` has percentiles in seconds, `again` counts answers that were asked for once more
    and `again_tokens` their tokens (read, written), `replayed` those that the last process took out of the store.
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
    fingerprint: str = ""

    @property
    def sent(self) -> int:
        """All requests whose answers came, those that were asked for once more included."""
        return self.requests + self.again

    @property
    def read(self) -> int:
        """The tokens of all that was sent."""
        return self.tokens_in + self.again_tokens[0]

    @property
    def written(self) -> int:
        """The tokens of all answers to that."""
        return self.tokens_out + self.again_tokens[1]

    @property
    def own(self) -> bool:
        """Whether all answers came from a server that was started for the run."""
        return self.server == OWN

    @property
    def mixed(self) -> bool:
        """Whether the answers came from more than one model, or from one in more than one state."""
        return _BETWEEN in self.model or _BETWEEN in self.fingerprint


@dataclass(frozen=True)
class CostEstimate:
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
        price = price if self.most != 0 else "free of charge"
        return f"{text}; about {self.tokens_in:,} tokens in and {self.tokens_out:,} out: {price}"


def add_up(answers: Collection[Answer], prompt: str, price: Price | None, replayed: int) -> Usage:
    """The usage that so many answers make."""
    days = sorted(a.asked[:10] for a in answers)
    states = Counter(a.state for a in answers)
    tokens_in, tokens_out = sum(a.tokens_in for a in answers), sum(a.tokens_out for a in answers)
    again_in, again_out = sum(a.again_in for a in answers), sum(a.again_out for a in answers)
    return Usage(
        model=_name(a.model for a in answers),
        server=_name(a.server for a in answers),
        prompt=prompt,
        first=days[0] if days else "",
        last=days[-1] if days else "",
        requests=len(answers),
        states={state: states[state] for state in STATES if states[state]},
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=None if price is None else round(price.of(tokens_in + again_in, tokens_out + again_out), 6),
        latency=_take_percentiles([a.seconds for a in answers]),
        again=sum(a.again for a in answers),
        again_tokens=(again_in, again_out),
        replayed=replayed,
        fingerprint=_name(a.fingerprint for a in answers),
    )


def _name(names: Iterable[str]) -> str:
    """Names by how often they come, the first few of them."""
    counted = Counter(name for name in names if name)
    ordered = sorted(counted, key=lambda name: (-counted[name], name))
    rest = [f"{len(ordered) - _NAMED} others"] if len(ordered) > _NAMED else []
    return _BETWEEN.join(ordered[:_NAMED] + rest)


def _take_percentiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {f"p{p}": round(ordered[round(p / 100 * last)], 3) for p in (50, 90, 99)} if ordered else {}
