"""Labelled sentences in the formats that other tools read, and what these cannot carry."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ...errors import DataError
from ...types import Entity, Sentence
from .columns import DOCUMENT
from .conll import to_text
from .labelled import LabelledFile, Lost, count_losses, drop_overlaps
from .reading import place

_LINES = ("bio", "brat")
"""Formats in which white space separates."""

_Spans = list[tuple[tuple[str, ...], Sequence[Entity], str]]


@dataclass(frozen=True)
class Written:
    """Files by the end of their names, and what could not be carried, as sentences."""

    files: Mapping[str, str]
    losses: Sequence[str]


def convert(file: LabelledFile, to: str) -> Written:
    """The sentences of a file in one of `WRITERS`. Labels that are no span of tokens are lost in every format, of
    labels that overlap all but one in `bio`; each kind is said.
    """
    sentences: _Spans = []
    lost: list[tuple[str, Lost]] = []
    for n, item in enumerate(file.items):
        tokens, entities, losses = place(item, file)
        kept, dropped = drop_overlaps(entities) if to == "bio" else (sorted(dict.fromkeys(entities)), [])
        losses += [Lost(e.type, " ".join(tokens[e.start : e.end]), "it overlaps another") for e in dropped]
        lost += [(file.where(item), loss) for loss in losses]
        if to in _LINES:
            _check_lines(tokens, kept, file.where(item))
        sentences.append((tokens, kept, item.id or str(n)))
    return Written(WRITERS[to](sentences), count_losses(lost))


def _check_lines(tokens: Sequence[str], entities: Sequence[Entity], where: str) -> None:
    """Raise `DataError` for a token or a type that would be another one when it is read again."""
    for text in (*tokens, *(entity.type for entity in entities)):
        if text != text.strip() or any(c in text for c in "\t\n\r") or text == DOCUMENT:
            raise DataError(f"{where}: {text!r} cannot stand in a file of lines", hint="convert it to jsonl")


def _write_bio(sentences: _Spans) -> dict[str, str]:
    return {"": to_text(Sentence(id_, tokens, tuple(entities)) for tokens, entities, id_ in sentences)}


def _write_lines(records: Iterator[dict[str, Any]]) -> dict[str, str]:
    return {"": "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)}


def _write_token_spans(sentences: _Spans) -> dict[str, str]:
    return _write_lines(
        {"id": id_, "tokens": tokens, "entities": [[e.start, e.end, e.type] for e in entities]}
        for tokens, entities, id_ in sentences
    )


def _write_character_spans(sentences: _Spans) -> dict[str, str]:
    return _write_lines(
        {
            "id": id_,
            "text": " ".join(tokens),
            "tokens": tokens,
            "entities": [
                {"start_offset": start, "end_offset": end, "label": e.type}
                for e, (start, end) in zip(entities, _find_characters(tokens, entities), strict=True)
            ],
        }
        for tokens, entities, id_ in sentences
    )


def _write_brat(sentences: _Spans) -> dict[str, str]:
    lines: list[str] = []
    labels: list[str] = []
    begin = 0
    for tokens, entities, _ in sentences:
        text = " ".join(tokens)
        for entity, (start, end) in zip(entities, _find_characters(tokens, entities), strict=True):
            labels.append(f"T{len(labels) + 1}\t{entity.type} {begin + start} {begin + end}\t{text[start:end]}\n")
        lines.append(f"{text}\n")
        begin += len(text) + 1
    return {".txt": "".join(lines), ".ann": "".join(labels)}


def _find_characters(tokens: Sequence[str], entities: Sequence[Entity]) -> list[tuple[int, int]]:
    """Where entities stand in the tokens joined by blanks."""
    starts = [0, *accumulate(len(token) + 1 for token in tokens)]
    return [(starts[e.start], starts[e.end] - 1) for e in entities]


WRITERS: Mapping[str, Callable[[_Spans], dict[str, str]]] = {
    "bio": _write_bio,
    "jsonl": _write_token_spans,
    "character-spans": _write_character_spans,
    "brat": _write_brat,
}
"""Two columns of tokens and IOB2 tags; JSON lines of tokens and spans of them; JSON lines of text and labels on its
characters, as Doccano imports them; brat's `.txt` and `.ann`.
"""
