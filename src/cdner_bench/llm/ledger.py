"""What a run has asked, in a file of its own, so that usage and budgets outlive the process and do not hang on the
store: a JSON line for every request that was sent, with its tokens, and for every answer that was taken.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..foreign import redact_all
from ..io import parse_json, read_bytes
from .question import Answer, Question, is_answer
from .usage import Price, Usage, add_up

_LARGEST = 2**30  # bytes


class Ledger:
    """Adds up what a run has sent and got across the processes that worked on it. `sent` counts requests."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sent = self._in = self._out = 0
        self._answers: dict[str, Answer] = {}
        for number, line in enumerate(_read_whole_lines(path), start=1):
            try:
                self._read(line)
            except (ValueError, TypeError, KeyError):
                hint = f"remove the line, or all, and budgets begin anew: rm {path}"
                raise DataError(f"{path}:{number} does not say what was asked", hint=hint) from None

    def spend(self, tokens_in: int, tokens_out: int) -> None:
        """A request was sent, and cost so many tokens; before anything else can go wrong with its answer."""
        self._write({"in": tokens_in, "out": tokens_out})

    def note(self, question: Question, answer: Answer) -> None:
        """An answer was taken, from the server or out of the store; each counts once."""
        bare = replace(answer, text="")  # what it says stays in the store
        if self._answers.get(question.key) != bare:
            self._write({"key": question.key, "answer": redact_all(asdict(bare))})

    def cost(self, price: Price) -> float:
        """What the run has paid, in US dollars, answers that were not kept included."""
        return price.of(self._in, self._out)

    def usage(self, prompt: str, price: Price | None, replayed: int) -> Usage:
        """The sum of all answers that were taken."""
        return add_up(self._answers.values(), prompt, price, replayed)

    def _write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
        self._read(line.encode())

    def _read(self, line: bytes) -> None:
        record = parse_json(line.decode("utf-8"))
        if "key" in record:
            if not (isinstance(record["key"], str) and is_answer(record["answer"])):
                raise ValueError("no answer")
            self._answers[record["key"]] = Answer(**record["answer"])
        else:
            if not all(type(record[side]) is int and record[side] >= 0 for side in ("in", "out")):
                raise ValueError("no tokens")
            self.sent += 1
            self._in += record["in"]
            self._out += record["out"]


def _read_whole_lines(path: Path) -> list[bytes]:
    """The lines of a file; a last one that was cut off is removed from it."""
    if not os.path.lexists(path):
        return []
    data = read_bytes(path, DataError, largest=_LARGEST)
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        os.truncate(path, len(whole))
    return whole.split(b"\n")[:-1]
