"""What a tokenizer puts around a text, and text of a domain out of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cdner_bench import CdnerError


def find_specials(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens that a tokenizer puts before and after a text."""
    text, whole = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (False, True))
    start = next(n for n in range(len(whole)) if whole[n : n + len(text)] == text)
    return whole[:start], whole[start + len(text) :]


def find_marks(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens around a text that is generated or answered: there is one at its end."""
    before, after = find_specials(tokenizer)
    return before, after or [tokenizer.eos_token_id]


def read_lines(path: Path, tokens: int | None) -> Iterator[list[str]]:
    """The words of every line that has some, up to a budget of words; the file is never held in memory."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            words = line.split()
            if tokens is not None:
                tokens -= len(words)
                if tokens < 0:
                    return
            if words:
                yield words


def count_lines(path: Path, tokens: int | None, option: str) -> int:
    """How many lines `read_lines` gives. Raises `CdnerError`, with the name of the budget's `option`, if none."""
    count = sum(1 for _ in read_lines(path, tokens))
    if not count:
        raise CdnerError(f"{path} holds no text" + (f" within {option}={tokens}" if tokens else ""))
    return count
