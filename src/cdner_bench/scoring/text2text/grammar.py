"""The answers that a sentence allows, for decoding that may say nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...types import Sentence
from .alignment import UNKNOWN, Searchable, fold_text, squeeze

REMEMBERED = 5000
"""For how many texts it is remembered how they can go on, so that one which goes on is not read from its beginning."""


@dataclass(frozen=True, slots=True)
class _State:
    """How a text can go on: where the next span may start (a character), if it ends with an item; and the items that
    may be begun, each with where its span may start and what was said of it.
    """

    ended: int | None
    begun: frozenset[tuple[int, str]]


class Grammar:
    """The answers that a sentence allows: items of a known type and a span each, from left to right, none said twice.

    For constrained decoding. White space does not matter, as models detokenise; with `fold`, neither do case and
    accents. Every gold answer is allowed, and of whatever is, `read` places all.
    """

    def __init__(self, sentence: Sentence, types: Iterable[str], *, fold: bool = False) -> None:
        self.spell = fold_text if fold else str
        self.text = Searchable([self.spell(token) for token in sentence.tokens])
        self.starts = frozenset(start for start, end in self.text.bounds if end > start)
        self.last_start = max(self.starts, default=-1)
        self.heads = [f"({squeeze(self.spell(kind))}," for kind in sorted(types)]
        self.states = {"": _State(0, frozenset())}

    def allows(self, text: str) -> bool:
        """Whether an answer may begin with this text."""
        state = self._read(squeeze(self.spell(text)))
        return state.ended is not None or bool(state.begun)

    def accepts(self, text: str) -> bool:
        """Whether this text is a whole answer."""
        return self._read(squeeze(self.spell(text))).ended is not None

    def _read(self, text: str) -> _State:
        """How a text can go on, from the longest text before it that was read."""
        known = next(n for n in range(len(text), -1, -1) if text[:n] in self.states and not _parts_a_symbol(text, n))
        state = self.states[text[:known]]
        for symbol in _list_symbols(text[known:]):
            state = self._step(state, symbol)
        if len(self.states) > REMEMBERED:
            self.states = {"": self.states[""]}
        self.states[text] = state
        return state

    def _step(self, state: _State, symbol: str) -> _State:
        ended: int | None = None
        begun = set()
        items = [(after, said + symbol) for after, said in state.begun]
        if state.ended is not None:
            items.append((state.ended, symbol))
        for after, said in items:
            if self._may_go_on(said, after):
                begun.add((after, said))
            if symbol == ")":
                ends = [end for end in self._find_ends(said, after) if ended is None or end < ended]
                ended = min(ends, default=ended)
        return _State(ended, frozenset(begun))

    def _may_go_on(self, said: str, after: int) -> bool:
        """Whether an item that was begun so can be ended."""
        return any(
            self.last_start >= after if head.startswith(said) else self._starts(said[len(head) :], after)
            for head in self.heads
            if head.startswith(said) or said.startswith(head)
        )

    def _starts(self, said: str, after: int) -> bool:
        """Whether a span that starts at a character or later begins so."""
        chars = self.text.chars
        if UNKNOWN in said:
            pattern = re.compile(".+".join(map(re.escape, said.split(UNKNOWN))))
            return any(start >= after and pattern.match(chars, start) for start in self.starts)
        place = chars.find(said, after)
        while place >= 0 and place not in self.starts:
            place = chars.find(said, place + 1)
        return place >= 0

    def _find_ends(self, said: str, after: int) -> Iterator[int]:
        """Where the spans end that an item names, the first for each type that it may have."""
        bounds = self.text.bounds
        for head in self.heads:
            if said.startswith(head):
                spans = self.text.find_characters(said[len(head) : -1])
                end = next((bounds[last - 1][1] for first, last in spans if bounds[first][0] >= after), None)
                if end is not None:
                    yield end


def _list_symbols(text: str) -> Iterator[str]:
    """The characters of a text; the unknown-symbol of a vocabulary is one."""
    for n, part in enumerate(text.split(UNKNOWN)):
        if n:
            yield UNKNOWN
        yield from part


def _parts_a_symbol(text: str, place: int) -> bool:
    """Whether an unknown-symbol stands on both sides of a place in a text."""
    return any(text.startswith(UNKNOWN, place - n) for n in range(1, len(UNKNOWN)) if n <= place)
