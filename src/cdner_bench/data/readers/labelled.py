"""A file of labelled sentences as it was found, whatever its format, and its labels placed on tokens."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from ...errors import DataError
from ...types import Entity
from .schemes import Scheme


class Span(NamedTuple):
    """A label on the characters `text[start:end]`, or on tokens, as a file has it; `surface` is what it says that they
    read, and `why` why it can be no span of tokens (discontinuous).
    """

    start: int
    end: int
    type: str
    surface: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """A label that is no span of tokens: its type, its words, and why."""

    type: str
    text: str
    why: str


class Labelled(NamedTuple):
    """One sentence of a file. What the file does not give is None: `tokens`, `text`, `tags` of IOB2, `entities` over
    tokens, `spans` over the characters of `text`. `place` is where it stands (`:12`, `: item 3`), `record` the JSON
    object that it was made of, `gold` the entities of conlleval's gold column.
    """

    place: str
    id: str | None = None
    tokens: tuple[str, ...] | None = None
    text: str | None = None
    tags: tuple[str, ...] | None = None
    entities: tuple[Entity, ...] | None = None
    spans: tuple[Span, ...] | None = None
    gold: tuple[Entity, ...] | None = None
    record: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class LabelledFile:
    """The sentences of a file, its `format` in a word, the `scheme` of its tags if it has any, remarks about what was
    read in spite of its form, each a sentence, the first tag that stands where its scheme does not allow it, whether
    each token has a line of its own, where the first labels stand that the file says are a model's guess, and the first
    such tag of conlleval's gold column.
    """

    name: str
    format: str
    items: Sequence[Labelled]
    scheme: Scheme | None = None
    remarks: Sequence[str] = ()
    illegal: str = ""
    token_a_line: bool = False
    guessed: str = ""
    illegal_gold: str = ""

    @property
    def notes(self) -> list[str]:
        """The remarks, and how tags were read that their scheme does not allow."""
        if not self.illegal:
            return list(self.remarks)
        return [*self.remarks, f"{self.illegal}; what continues nothing begins an entity, as conlleval reads it"]

    @property
    def has_gold(self) -> bool:
        """Whether a file has gold tags beside the predicted ones, as conlleval reads them."""
        return all(item.gold is not None for item in self.items)

    def where(self, item: Labelled, token: int = 0) -> str:
        """File and line, or item, for messages; the line of a token where each has its own."""
        if self.token_a_line:
            return f"{self.name}:{int(item.place.removeprefix(':')) + token}"
        return f"{self.name}{item.place}"

    def __str__(self) -> str:
        scheme = f", {self.scheme}" if self.scheme else ""
        return f"{self.name}: {self.format}{scheme}, {len(self.items):,} sentences"


def split_words(text: str) -> list[tuple[int, int]]:
    """The tokens of plain text, as characters [start, end): runs of letters, digits and marks; any other character that
    is not white space stands alone.
    """
    bounds: list[tuple[int, int]] = []
    place = 0
    for kind, run in groupby(text, _classify):
        size = sum(1 for _ in run)
        if kind == "word":
            bounds.append((place, place + size))
        elif kind == "other":
            bounds += [(n, n + 1) for n in range(place, place + size)]
        place += size
    return bounds


def _classify(character: str) -> str:
    if character.isalnum() or character == "_":
        return "word"
    if character.isspace():
        return "space"
    return "word" if unicodedata.category(character) in ("Mn", "Mc") else "other"


def find_bounds(text: str, tokens: Sequence[str], where: str) -> list[tuple[int, int]]:
    """Where each token stands in a text of which only white space may differ.

    Raises `DataError` with the first difference.
    """
    bounds: list[tuple[int, int]] = []
    place = 0
    for n, token in enumerate(tokens):
        start = end = -1
        for character in token:
            if character.isspace():
                continue
            while place < len(text) and text[place].isspace():
                place += 1
            if place == len(text) or text[place] != character:
                rest = text[max(0, place - 10) : place + 20]
                raise DataError(f"{where}: token {n + 1}, {token!r}, is not where the text has {rest!r}")
            start = place if start < 0 else start
            place = end = place + 1
        bounds.append((start, end))
    if rest := text[place:].strip():
        raise DataError(f"{where}: the text goes on behind the last token: {rest[:40]!r}")
    return bounds


def place_on_tokens(
    spans: Iterable[Span], text: str, bounds: Sequence[tuple[int, int]], where: str
) -> tuple[list[Entity], list[Lost]]:
    """Character spans as spans of the tokens that stand at `bounds`, white space around them left out; those that begin
    or end inside a token are lost. Raises `DataError` for one outside of the text.
    """
    starts = {start: n for n, (start, _) in enumerate(bounds)}
    ends = {end: n for n, (_, end) in enumerate(bounds)}
    entities: list[Entity] = []
    lost: list[Lost] = []
    for span in spans:
        if span.why:
            lost.append(Lost(span.type, span.surface or "", span.why))
            continue
        start, end = _trim(span, text, where)
        surface = " ".join(text[start:end].split())
        if start in starts and end in ends:
            entities.append(Entity(starts[start], ends[end] + 1, span.type))
        else:
            lost.append(Lost(span.type, surface, "it begins or ends inside a token"))
    return entities, lost


def _trim(span: Span, text: str, where: str) -> tuple[int, int]:
    start, end = span.start, span.end
    if not 0 <= start < end <= len(text):
        raise DataError(
            f"{where}: [{start}, {end}) is no part of a text of {len(text)} characters",
            hint="offsets count characters from 0, the end not included",
        )
    said = text[start:end]
    if span.surface is not None and span.surface.split() != said.split():
        raise DataError(
            f"{where}: the characters [{start}, {end}) read {said!r}, and the file says {span.surface!r}",
            hint="offsets count Unicode characters, not bytes or UTF-16 units",
        )
    if not said.strip():
        raise DataError(f"{where}: the characters [{start}, {end}) are white space")
    return start + len(said) - len(said.lstrip()), end - (len(said) - len(said.rstrip()))


def stand_in_order(entities: Iterable[Entity]) -> bool:
    """Whether entities are in order, and none overlaps another."""
    end = 0
    for entity in entities:
        if entity.start < end:
            return False
        end = entity.end
    return True


def drop_overlaps(entities: Iterable[Entity]) -> tuple[Sequence[Entity], Sequence[Entity]]:
    """The entities that do not overlap, in order, and those that do: of two, the first stays, then the longer."""
    entities = tuple(entities)
    if stand_in_order(entities):
        return entities, []
    kept: list[Entity] = []
    dropped: list[Entity] = []
    for entity in sorted(dict.fromkeys(entities), key=lambda e: (e.start, -e.end, e.type)):
        (dropped if kept and entity.start < kept[-1].end else kept).append(entity)
    return kept, dropped


def count_losses(lost: Iterable[tuple[str, Lost]]) -> list[str]:
    """What was lost, as sentences: how many labels for each reason, and where the first stands."""
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for where, loss in lost:
        counts[loss.why] += 1
        first.setdefault(loss.why, f"{where}: {loss.text!r} ({loss.type})")
    return [f"{count} labels cannot be carried, {why}; the first is {first[why]}" for why, count in counts.items()]
