"""The answers that a sentence allows, for decoding that may say nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...types import Sentence
from .alignment import UNKNOWN, Searchable, fold_text, squeeze


class Grammar:
    """The answers that a sentence allows: items of a known type and a span each, from left to right, none said twice.

    For constrained decoding. White space does not matter, as models detokenise; with `fold`, neither do case and
    accents. Every gold answer is allowed, and of whatever is, `read` places all.
    """

    def __init__(self, sentence: Sentence, types: Iterable[str], *, fold: bool = False) -> None:
        self.spell = fold_text if fold else str
        self.text = Searchable([self.spell(token) for token in sentence.tokens])
        self.starts = [start for start, end in self.text.bounds if end > start]
        self.heads = [f"({squeeze(self.spell(kind))}," for kind in sorted(types)]

    def allows(self, text: str) -> bool:
        """Whether an answer may begin with this text."""
        return self._continues(squeeze(self.spell(text)), 0, begun=True)

    def accepts(self, text: str) -> bool:
        """Whether this text is a whole answer."""
        return self._continues(squeeze(self.spell(text)), 0, begun=False)

    def _continues(self, text: str, after: int, *, begun: bool) -> bool:
        """Whether text is items whose spans start at character `after` or later; the last may only be `begun`."""
        if not text:
            return True
        for head in self.heads:
            if begun and head.startswith(text):
                return self._find_start("", after)
            if not text.startswith(head):
                continue
            said = text[len(head) :]
            if begun and self._find_start(said, after):
                return True
            for close in (n for n, character in enumerate(said) if character == ")"):
                end = self._find_end(said[:close], after)
                if end is not None and self._continues(said[close + 1 :], end, begun=begun):
                    return True
        return False

    def _find_start(self, said: str, after: int) -> bool:
        """Whether what is said can become a span that starts at a character or later."""
        if UNKNOWN not in said:
            return any(start >= after and self.text.chars.startswith(said, start) for start in self.starts)
        pattern = re.compile(".+".join(map(re.escape, said.split(UNKNOWN))))
        return any(start >= after and pattern.match(self.text.chars, start) for start in self.starts)

    def _find_end(self, said: str, after: int) -> int | None:
        """Where the first span that reads so, and starts at a character or later, ends."""
        bounds = self.text.bounds
        for first, last in self.text.find_characters(said):
            if bounds[first][0] >= after:
                return bounds[last - 1][1]
        return None
