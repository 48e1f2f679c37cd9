"""The answers that a sentence allows, for decoding that may say nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...types import Sentence
from .alignment import UNKNOWN, Searchable, fold_text, squeeze

REMEMBERED = 5000
"""For how many texts it is remembered how they can go on, so that one which goes on is not read from its beginning."""
_ALIKE = "\0"
"""Stands before a sign that only looks like a bracket or comma of an item, and is none."""
_SYMBOL = re.compile(f"{_ALIKE}?.", re.DOTALL)
_SIGN = re.compile(r"[^\x00-\x7f]")


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
        types = sorted(types)
        self.heads = [f"({squeeze(self.spell(kind))}," for kind in types]
        self.wide = {character for word in (*sentence.tokens, *types) for character in word if not character.isascii()}
        """The characters that may be said and that some vocabularies say byte by byte."""
        self.states = {"": _State(0, frozenset())}

    def allows(self, text: str) -> bool:
        """Whether an answer may begin with this text."""
        state = self._read(self._squeeze(text))
        return state.ended is not None or bool(state.begun)

    def accepts(self, text: str) -> bool:
        """Whether this text is a whole answer."""
        return self._read(self._squeeze(text)).ended is not None

    def _squeeze(self, text: str) -> str:
        """A text without white space, with marks at signs that look like others in the form that alignments have."""
        return squeeze(self.spell(_SIGN.sub(_mark_alike, text.replace(_ALIKE, "\1"))))

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
        items = [
            (after, said + symbol.removeprefix(_ALIKE))
            for after, said in state.begun
            if "," in said or symbol[0] != _ALIKE
        ]
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
            first, *parts = said.split(UNKNOWN)
            ends = [start + len(first) for start in self.starts if start >= after and chars.startswith(first, start)]
            for part in parts:  # each behind an unknown-symbol, which stands for one character or more
                later = range(min(ends, default=len(chars)) + 1, len(chars) + 1)
                ends = [place + len(part) for place in later if chars.startswith(part, place)]
            return bool(ends)
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


def _mark_alike(sign: re.Match[str]) -> str:
    plain = unicodedata.normalize("NFKC", sign[0])
    return re.sub("[(),]", rf"{_ALIKE}\g<0>", plain) if {*plain} & {*"(),"} else sign[0]


def _list_symbols(text: str) -> Iterator[str]:
    """The characters of a text; the unknown-symbol of a vocabulary is one, and so is a sign with its mark."""
    for n, part in enumerate(text.split(UNKNOWN)):
        if n:
            yield UNKNOWN
        yield from _SYMBOL.findall(part)


def _parts_a_symbol(text: str, place: int) -> bool:
    """Whether an unknown-symbol stands on both sides of a place in a text."""
    return any(text.startswith(UNKNOWN, place - n) for n in range(1, len(UNKNOWN)) if n <= place)
