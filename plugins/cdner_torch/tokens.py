"""What a tokenizer puts around a text."""

from __future__ import annotations

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
