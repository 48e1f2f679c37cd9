"""The `(type, text)` items of an answer, and what is none."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mention:
    """One `(type, text)` item of an answer, before it is placed."""

    type: str
    text: str


# An item ends at the first ')' before the next item or the end of the text, so commas and brackets inside an entity
# survive. A type never starts or ends with a space, which tokenised text such as "( Berkeley , CA )" does.
# Between the items of a chatty answer there may be other text; there, an item has no brackets inside.
_TYPE = r"[^\s,()](?:[^,()]{0,58}[^\s,()])?"
_START = re.compile(rf"\(({_TYPE}),([ ]?)")
_END = re.compile(r"\)(?=[\s,;.]*(\Z|\())")
_LOOSE_ITEM = re.compile(rf"\(({_TYPE}),[ ]?([^()]+)\)")
_Item = tuple[int, int, Mention]


def parse(text: str) -> tuple[list[Mention], list[str]]:
    """The `(type, text)` items of an answer in order, and the fragments that are none.

    Whatever is not white space or one of `( ) , ; .` is in exactly one of them. The time is linear in the length.
    """
    pieces = list(split(text))
    mentions = [piece for piece in pieces if isinstance(piece, Mention)]
    fragments = [piece for piece in pieces if isinstance(piece, str)]
    return mentions, [piece.strip() for piece in fragments if "".join(piece.split()).strip(",;.")]


def split(text: str) -> Iterator[Mention | str]:
    """The items of an answer and the texts between them, in order."""
    for between, item in _split(text, find_items(text)):
        for rest, loose in _split(between, _find_loose_items(between)):
            yield rest
            yield from loose
        yield from item


def _split(text: str, items: Iterable[_Item]) -> Iterator[tuple[str, list[Mention]]]:
    """The text before each item, with the item; at last the rest, with none."""
    end = 0
    for start, stop, mention in items:
        yield text[end:start], [mention]
        end = stop
    yield text[end:], []


def find_items(text: str) -> Iterator[_Item]:
    """The items that end at the first possible ')' with no start of another item, `(type, `, before it."""
    starts = list(_START.finditer(text))
    openings = [match.start() for match in starts if match[2]]
    ends = list(_find_ends(text, frozenset(openings)))
    done = 0
    for match in starts:
        if match.start() < done:
            continue
        # The space after the comma belongs to the text if there is nothing else: "(type, )".
        for begin in dict.fromkeys((match.end(), match.end(1) + 1)):
            nth = bisect_left(ends, begin + 1)
            following = bisect_left(openings, begin)
            if nth < len(ends) and (following == len(openings) or openings[following] >= ends[nth]):
                done = ends[nth] + 1
                yield match.start(), done, _make_mention(match[1], text[begin : ends[nth]])
                break


def _find_ends(text: str, openings: frozenset[int]) -> Iterator[int]:
    """Every ')' that the end of the text or a `(type, ` follows, with nothing but separators between."""
    for match in _END.finditer(text):
        if not match[1] or match.start(1) in openings:
            yield match.start()


def _find_loose_items(text: str) -> Iterator[_Item]:
    for match in _LOOSE_ITEM.finditer(text):
        yield match.start(), match.end(), _make_mention(match[1], match[2])


def _make_mention(kind: str, text: str) -> Mention:
    return Mention(kind, " ".join(text.split()))
