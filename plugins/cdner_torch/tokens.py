"""What a tokenizer puts around a text and makes of an answer, and text of a domain out of a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any


def find_specials(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens that a tokenizer puts before and after a text."""
    text, whole = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (False, True))
    start = next(n for n in range(len(whole)) if whole[n : n + len(text)] == text)
    return whole[:start], whole[start + len(text) :]


def find_marks(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens around a text that is generated or answered: there is one at its end."""
    before, after = find_specials(tokenizer)
    return before, after or [tokenizer.eos_token_id]


def ignores_case(tokenizer: Any) -> bool:
    """Whether a vocabulary has no case, so that answers have none; most such have no accents, either."""
    upper, lower = tokenizer(["CASE", "case"], add_special_tokens=False)["input_ids"]
    return bool(upper == lower and tokenizer.unk_token_id not in upper)


def find_dropped(tokenizer: Any) -> frozenset[int]:
    """The special tokens that are no part of an answer: all but the mark of what the vocabulary lacks."""
    return frozenset(tokenizer.all_special_ids) - {tokenizer.unk_token_id}


def add_special(tokenizer: Any, tokens: Sequence[str]) -> None:
    """Make each a special token of the vocabulary, beside those that there are."""
    tokenizer.add_special_tokens({"additional_special_tokens": list(tokens)}, replace_extra_special_tokens=False)


def spell(tokenizer: Any, ids: Sequence[int], dropped: Collection[int]) -> str:
    """The text of an answer's tokens, some of which are dropped."""
    kept = [i for i in ids if i not in dropped]
    return str(tokenizer.decode(kept, clean_up_tokenization_spaces=False)).strip()


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
