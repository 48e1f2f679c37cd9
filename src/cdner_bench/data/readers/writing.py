"""Labelled sentences in the formats that other tools read, and what these cannot carry."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...types import Entity, Sentence
from .columns import DOCUMENT
from .conll import to_text
from .labelled import LabelledFile, Lost, count_losses, drop_overlaps, find_bounds
from .reading import place

_LINES = ("bio", "brat")
"""Formats in which white space separates."""
_CHANGED = re.compile("[\t\n\r\ud800-\udfff]")  # a lone surrogate is written as other characters
_MARK = "\ufeff"  # a byte-order mark, where it begins a file
_STANDOFF = (".txt", ".ann")


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence to be written: its tokens, their entities, the `text` that they were cut from if that is known, and
    where it was read (`FILE:12`).
    """

    id: str
    tokens: tuple[str, ...]
    entities: Sequence[Entity]
    text: str | None
    where: str

    @property
    def line(self) -> str:
        """Its text, or its tokens joined by blanks."""
        return " ".join(self.tokens) if self.text is None else self.text

    def find_characters(self) -> list[tuple[int, int]]:
        """Where its entities stand in its `line`."""
        if not self.entities:
            return []
        if self.text is not None:
            bounds = find_bounds(self.text, self.tokens, self.where)
            return [(bounds[e.start][0], bounds[e.end - 1][1]) for e in self.entities]
        starts = [0, *accumulate(len(token) + 1 for token in self.tokens)]
        return [(starts[e.start], starts[e.end] - 1) for e in self.entities]


@dataclass(frozen=True)
class Written:
    """Files by the end of their names, and what could not be carried, as sentences."""

    files: Mapping[str, str]
    losses: Sequence[str]


def convert(file: LabelledFile, to: str) -> Written:
    """The sentences of a file in one of `WRITERS`. Labels that are no span of tokens are lost in every format, of
    labels that overlap all but one in `bio`; each kind is said.
    """
    sentences: list[Marked] = []
    lost: list[tuple[str, Lost]] = []
    for n, item in enumerate(file.items):
        tokens, entities, losses = place(item, file)
        lost += [(file.where(item), loss) for loss in losses]
        sentences.append(Marked(item.id or str(n), tokens, entities, None, file.where(item)))
    return write(sentences, to, lost)


def write(sentences: Iterable[Marked], to: str, lost: Iterable[tuple[str, Lost]] = ()) -> Written:
    """Sentences in one of `WRITERS`; of entities that overlap all but one are lost in `bio`, beside what was `lost`
    before. Raises `DataError` for what cannot stand in that format.
    """
    written: list[Marked] = []
    losses = list(lost)
    for s in sentences:
        kept, dropped = drop_overlaps(s.entities) if to == "bio" else (sorted(dict.fromkeys(s.entities)), [])
        losses += [(s.where, Lost(e.type, " ".join(s.tokens[e.start : e.end]), "it overlaps another")) for e in dropped]
        written.append(replace(s, entities=kept))
    check_writable(written, to)
    return Written(WRITERS[to](written), count_losses(losses))


def name_files(place: Path, to: str) -> list[Path]:
    """The files that one of `WRITERS` makes for the name of a place, in its order; the name of one of brat's two stands
    for both.
    """
    if to != "brat":
        return [place]
    stem = place.stem if place.suffix in _STANDOFF else place.name
    return [place.with_name(stem + ending) for ending in _STANDOFF]


def check_writable(sentences: Iterable[Marked], to: str) -> None:
    """Raise `DataError` for a token or a type that would be another one when it is read again."""
    if to not in _LINES:
        return
    for n, s in enumerate(sentences):
        for i, text in enumerate((*s.tokens, *(entity.type for entity in s.entities))):
            begins = n == i == 0 and text.startswith(_MARK)
            if begins or text != text.strip() or _CHANGED.search(text) or text == DOCUMENT:
                raise DataError(f"{s.where}: {text!r} cannot stand in a file of lines", hint="convert it to jsonl")


def _write_bio(sentences: Sequence[Marked]) -> dict[str, str]:
    return {"": to_text(Sentence(s.id, s.tokens, tuple(s.entities)) for s in sentences)}


def _write_lines(records: Iterator[dict[str, Any]]) -> dict[str, str]:
    return {"": "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)}


def _write_spans(sentences: Sequence[Marked]) -> dict[str, str]:
    """Spans of tokens, unless the text is known that they were cut from."""
    if any(s.text is not None for s in sentences):
        return _write_character_spans(sentences)
    return _write_lines(
        {"id": s.id, "tokens": s.tokens, "entities": [[e.start, e.end, e.type] for e in s.entities]} for s in sentences
    )


def _write_character_spans(sentences: Sequence[Marked]) -> dict[str, str]:
    return _write_lines(
        {
            "id": s.id,
            "text": s.line,
            "tokens": s.tokens,
            "entities": [
                {"start_offset": start, "end_offset": end, "label": e.type}
                for e, (start, end) in zip(s.entities, s.find_characters(), strict=True)
            ],
        }
        for s in sentences
    )


def _write_brat(sentences: Sequence[Marked]) -> dict[str, str]:
    lines: list[str] = []
    labels: list[str] = []
    begin = 0
    for s in sentences:
        text = s.line.replace("\n", " ").replace("\r", " ")  # of the same length
        for entity, (start, end) in zip(s.entities, s.find_characters(), strict=True):
            labels.append(f"T{len(labels) + 1}\t{entity.type} {begin + start} {begin + end}\t{text[start:end]}\n")
        lines.append(f"{text}\n")
        begin += len(text) + 1
    return dict(zip(_STANDOFF, ("".join(lines), "".join(labels)), strict=True))


WRITERS: Mapping[str, Callable[[Sequence[Marked]], dict[str, str]]] = {
    "bio": _write_bio,
    "jsonl": _write_spans,
    "character-spans": _write_character_spans,
    "brat": _write_brat,
}
"""Two columns of tokens and IOB2 tags; JSON lines of tokens and spans of them, or, where the text is known that the
tokens were cut from, as the next; JSON lines of text and labels on its
characters, as Doccano imports them; brat's `.txt` and `.ann`.
"""
