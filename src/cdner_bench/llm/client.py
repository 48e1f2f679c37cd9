"""Asking many questions at once, each answer kept the moment it is there; in order, in flat memory, within a budget.

What did not arrive is retried by the openai client alone. What arrived and is no answer to keep (a refusal, another
shape, nothing) is asked for again here, a few times. No failure goes through both.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

from ..errors import CdnerError, IncompleteError, OptionError
from .asking import Asker
from .endpoint import Endpoint
from .failure import ADVICE, UnansweredError
from .ledger import Ledger
from .limits import Limits
from .question import Answer, Question
from .store import Store
from .usage import CHARACTERS_PER_TOKEN, CostEstimate, Price, Usage, look_up_price

_Outcome = Answer | UnansweredError
_Pending = _Outcome | asyncio.Task[Answer]


class Client:
    """Asks one model. `fits` tells whether a text has the shape that was asked for; `ledger` is a file that notes what
    the run has asked, so that its usage and budget outlive the process. `waiting` is the time spent waiting for
    answers, in seconds, `replayed` counts the answers that came out of the store.

    Raises `OptionError` for a `max_cost` where no price is known.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        store: Store,
        limits: Limits,
        *,
        ledger: Path,
        price: Price | None = None,
        fits: Callable[[str], bool] | None = None,
    ) -> None:
        self.endpoint, self.store, self.limits, self.fits = endpoint, store, limits, fits
        self.price = Price(0.0, 0.0) if endpoint.own else price or look_up_price(endpoint.model)
        if limits.max_cost is not None and self.price is None:
            raise OptionError(
                f"max_cost needs the price of {endpoint.model}, which is not in benchmarks/reference/llm-prices.toml",
                hint="say it in dollars for a million tokens, for example price_in=2.5 and price_out=10",
            )
        self.ledger = Ledger(ledger)
        self.waiting = 0.0
        self.replayed = 0

    def estimate(self, questions: Iterable[Question], characters: float) -> CostEstimate:
        """What `answers` would ask, if an answer has so many characters."""
        requests = stored = 0
        read = written = most = 0.0
        for question in questions:
            requests += 1
            if self.store.has(question):
                stored += 1
            else:
                read += question.length / CHARACTERS_PER_TOKEN
                written += min(question.max_tokens, characters / CHARACTERS_PER_TOKEN)
                most += self.cost(question)
        likely, highest = (None, None) if self.price is None else (self.price.of(read, written), most)
        return CostEstimate(requests, stored, round(read), round(written), likely, highest)

    def answers(self, questions: Iterable[Question]) -> Generator[Answer]:
        """The answers, in order, as they come.

        Raises `IncompleteError` where answers are missing: after the rest was asked, or when the budget is spent;
        whatever arrived is kept. Raises another `CdnerError` for what makes asking on senseless.
        """
        with ExitStack() as stack:
            stack.callback(self.store.close)
            round_ = _Round(self, stack, self._connect)
            yield from round_.go(questions)
            round_.complain()

    def usage(self, prompt: str) -> Usage:
        """Everything the run has asked so far."""
        return self.ledger.usage(prompt, self.price, self.replayed)

    def cost(self, question: Question) -> float:
        """The most that a question can cost, in US dollars, all its attempts included."""
        return self.limits.attempts * self.price.of(*question.most) if self.price else 0.0

    @contextmanager
    def _connect(self) -> Iterator[Asker]:
        """Ask for as long as the block lasts; what is still under way at its end is called off."""
        self.store.open(self.endpoint.model)
        with (
            self.endpoint.connect() as connection,
            closing(Asker(self.endpoint, connection, self.store, self.ledger, self.limits, self.fits)) as asker,
        ):
            yield asker


class _Round:
    """One pass over questions: which are asked, what came of each, and when to stop. `connect` opens the way to the
    server when the first question has no answer in the store; it is closed with the `stack`.
    """

    def __init__(self, client: Client, stack: ExitStack, connect: Callable[[], AbstractContextManager[Asker]]) -> None:
        self.client, self.stack, self.connect = client, stack, connect
        self.asker: Asker | None = None
        self.pending: deque[_Pending] = deque()
        self.failures: Counter[str] = Counter()
        self.in_a_row = self.unsent = self.got = 0
        self.spent = ""  # which budget is
        self.fatal: CdnerError | None = None

    def go(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """The answers, in order, up to the first that is missing; the questions after it are asked all the same."""
        limits = self.client.limits
        window = max(64, 4 * limits.concurrency)
        for question in questions:
            self.pending.append(self._look_up(question))
            while len(self.pending) > window or (self.pending and not _waits(self.pending[0])):
                yield from self._take_first()
            if self.fatal:
                break
        while self.pending:
            yield from self._take_first()

    def complain(self) -> None:
        """Raise what is to be said about answers that are missing."""
        if self.fatal:
            raise self.fatal
        missing = self.failures.total() + self.unsent
        if not missing:
            return
        of = f"{missing} of {missing + self.got} answers are missing"
        if self.client.limits.replay == "only":
            raise IncompleteError(
                f"{of} in {self.client.store.folder}, and replay=only asks nobody", hint=self._advise_replay()
            )
        reasons = [f"{count} {reason}" for reason, count in sorted(self.failures.items())]
        if self.unsent:
            reasons.append(f"{self.unsent} not asked, {self.spent or self._say_requests()}")
        hint = "type the same command to ask for them; what was answered is kept"
        if len(self.failures) == 1 and (advice := ADVICE.get(next(iter(self.failures)))):
            hint = f"{advice}; the same command asks for them, and what was answered is kept"
        if self.unsent and not self.spent.startswith("after"):
            hint = "raise the limit and type the same command; what was answered is kept"
        raise IncompleteError(f"{of}: {', '.join(reasons)}", hint=hint)

    def _advise_replay(self) -> str:
        """What to type if the answers are kept under the name of another server, or not at all."""
        endpoint = self.client.endpoint
        others = [name for name in self.client.store.list_servers(endpoint.model) if name != endpoint.served_by]
        if named := [name for name in others if name]:
            return f"it has answers of the server {named[0]}: -o served_by={named[0]}"
        return "leave out replay=only to ask the model, or name another store: -o store=FOLDER"

    def _look_up(self, question: Question) -> _Pending:
        kept = self.client.store.get(question)
        if kept is not None:
            self.client.ledger.note(question, kept)
            self.client.replayed += 1
            return kept
        under_way = self.asker is not None and self.asker.asks(question)
        if not under_way and (self.fatal or self.client.limits.replay == "only" or not self._affords(question)):
            return UnansweredError("")
        if self.asker is None:
            self.asker = self.stack.enter_context(self.connect())
        return self.asker.ask(question)

    def _affords(self, question: Question) -> bool:
        """Whether the budget allows one more, once what is under way has come if need be."""
        limits, ledger, asker = self.client.limits, self.client.ledger, self.asker
        while not self.spent:
            running = asker.under_way if asker else 0
            price = self.client.price or Price(0.0, 0.0)
            money, reserved = ledger.cost(price), price.of(*asker.reserved) if asker else 0.0
            if limits.max_requests is not None and ledger.sent + running >= limits.max_requests:
                over = self._say_requests()
            elif limits.max_cost is not None and money + reserved + self.client.cost(question) > limits.max_cost:
                over = f"max_cost={limits.max_cost} does not allow another (${money:.4f} spent)"
            else:
                return True
            if asker is None or not running:
                self.spent = over
            else:
                self.client.waiting += asker.step()
        return False

    def _say_requests(self) -> str:
        return f"max_requests={self.client.limits.max_requests} is reached"

    def _take_first(self) -> Iterator[Answer]:
        """The first pending answer, unless one before it is missing."""
        outcome = self.pending.popleft()
        if isinstance(outcome, asyncio.Task):
            assert self.asker is not None
            outcome = self._wait_for(outcome)
        if isinstance(outcome, Answer):
            self.got += 1
            if not (self.failures or self.unsent or self.fatal):
                yield outcome
        elif outcome.reason:
            self.failures[outcome.reason] += 1
        else:
            self.unsent += 1

    def _wait_for(self, task: asyncio.Task[Answer]) -> _Outcome:
        assert self.asker is not None
        if not task.done():
            self.client.waiting += self.asker.step(task)
        error = task.exception()
        if error is None:
            self.in_a_row = 0
            return task.result()
        if isinstance(error, UnansweredError):
            self.in_a_row += bool(error.reason)
            if self.in_a_row >= max(8, 2 * self.client.limits.concurrency):  # the server is gone
                self.spent = self.spent or f"after {self.in_a_row} failures in a row"
                self.asker.stop()
            return error
        if isinstance(error, CdnerError):
            self.fatal = self.fatal or error
            return UnansweredError("")
        raise error


def _waits(pending: _Pending) -> bool:
    return isinstance(pending, asyncio.Task) and not pending.done()
