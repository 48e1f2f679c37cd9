"""What a run has asked, in a file of its own: keys, and whether the run paid for them."""

from __future__ import annotations

from pathlib import Path

from .question import Answer, Question
from .store import Store
from .usage import Price, Tally


class Ledger:
    """Adds up the answers of a run across the processes that worked on it."""

    def __init__(self, path: Path, store: Store, model: str) -> None:
        self.path = path
        self.tally = Tally()
        self.paid = self._paid_in = self._paid_out = 0
        self._known: set[str] = set()
        lines = path.read_text(encoding="ascii").split("\n")[:-1] if path.exists() else []
        for line in lines:
            key, _, how = line.partition(" ")
            answer = store.by_key(model, key)
            if answer is not None:  # else the store was removed: it will be asked again
                self._add(key, answer, paid=how == "paid")

    def note(self, question: Question, answer: Answer, *, paid: bool) -> None:
        """An answer was got; each counts once."""
        if question.key in self._known:
            return
        self._add(question.key, answer, paid=paid)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="ascii") as stream:
            stream.write(f"{question.key} {'paid' if paid else 'replayed'}\n")

    def cost(self, price: Price) -> float:
        """What the run has paid, in US dollars, answers that were not kept included."""
        return price.of(self._paid_in, self._paid_out)

    def _add(self, key: str, answer: Answer, *, paid: bool) -> None:
        self._known.add(key)
        self.tally.add(answer, replayed=not paid)
        if paid:
            self.paid += 1
            self._paid_in += answer.tokens_in + answer.again_in
            self._paid_out += answer.tokens_out + answer.again_out
