"""Answers in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from .items import Mention
from .naming import name_type, squeeze_type

_TYPE_KEYS = ("type", "label", "entitytype", "category", "class", "tag", "entitygroup")
_TEXT_KEYS = ("text", "entity", "name", "mention", "span", "word", "value", "entitytext")
_SCAFFOLD = re.compile(r'\{\s*"\w+"\s*:\s*(?:null\b|[\[{])|[\s,\[\]{}]+$|^[\s,\[\]{}]+')


def looks_like_json(text: str) -> bool:
    """Whether an answer is, or begins as, an object or an array."""
    return re.match(r"\s*(?:\{\s*(?:\"|\}|\Z)|\[\s*(?:[\[{\"]|\]|\Z))", text) is not None


def read_exactly(text: str) -> list[Mention] | None:
    """The mentions of an answer that has the shape that was asked for, `{"entities": [{"type": …, "text": …}]}`; None
    for any other.
    """
    try:
        items = json.loads(text)["entities"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(items, list):
        return None
    mentions = [
        _make_mention(item["type"], item["text"])
        if isinstance(item, dict) and {"type", "text"} <= item.keys()
        else None
        for item in items
    ]
    return [m for m in mentions if m] if all(mentions) else None


def read_loosely(text: str, types: Collection[str]) -> tuple[list[Mention], list[str]]:
    """The mentions of an answer in JSON of any usual shape, and what it says beside them. Of one that is cut off or
    otherwise broken, whole entities count.
    """
    try:
        return _read_value(json.loads(text), types)
    except (ValueError, RecursionError):
        return _salvage(text, types)


def _read_value(value: Any, types: Collection[str]) -> tuple[list[Mention], list[str]]:
    mentions: list[Mention] = []
    rest: list[str] = []
    for claim in _list_claims(value, types):
        if isinstance(claim, Mention):
            mentions.append(claim)
        else:
            rest.append(claim if isinstance(claim, str) else json.dumps(claim, ensure_ascii=False))
    return mentions, rest


def _list_claims(value: Any, types: Collection[str]) -> Iterator[Any]:
    """The mentions in a value, and the values in it that are none and say something."""
    mention = _read_mention(value, types)
    if mention is not None:
        yield mention
    elif isinstance(value, list):
        for item in value:
            yield from _list_claims(item, types)
    elif isinstance(value, dict) and value and all(name_type(key, types) in types for key in value):
        for key, texts in value.items():
            yield from _list_texts(key, texts)
    elif isinstance(value, dict) and value and _are_words_by_type(value, types):
        yield from (_make_mention(kind, text) for text, kind in value.items())
    elif isinstance(value, dict):
        lists = [item for item in value.values() if isinstance(item, list | dict)]
        yield from lists and (claim for item in lists for claim in _list_claims(item, types))
        if not lists and any(isinstance(item, str) and item.strip() for item in value.values()):
            yield value
    elif isinstance(value, str) and value.strip():
        yield value


def _are_words_by_type(value: dict[str, Any], types: Collection[str]) -> bool:
    names = {squeeze_type(key) for key in value}
    return all(_is_type(kind, types) for kind in value.values()) and names.isdisjoint((*_TYPE_KEYS, *_TEXT_KEYS))


def _list_texts(kind: str, texts: Any) -> Iterator[Any]:
    for text in texts if isinstance(texts, list) else [texts]:
        mention = _make_mention(kind, text)
        if mention is not None:
            yield mention
        elif text not in (None, "", [], {}):
            yield text


def _read_mention(value: Any, types: Collection[str]) -> Mention | None:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value):
        first, second = value
        if _is_type(first, types):
            return _make_mention(first, second)
        return _make_mention(second, first) if _is_type(second, types) else None
    if not isinstance(value, dict):
        return None
    fields = {squeeze_type(key): item for key, item in value.items()}
    kind = next((fields[key] for key in _TYPE_KEYS if key in fields), None)
    texts = {key: fields[key] for key in _TEXT_KEYS if key in fields}
    if kind is None and len(texts) > 1:  # some call the type "entity", and the entity "word" or "text"
        kind = texts.pop("entity", None)
    return _make_mention(kind, next(iter(texts.values()))) if texts else None


def _is_type(text: Any, types: Collection[str]) -> bool:
    return isinstance(text, str) and name_type(text, types) in types


def _make_mention(kind: Any, text: Any) -> Mention | None:
    if not (isinstance(kind, str) and isinstance(text, str) and kind.strip() and text.strip()):
        return None
    return Mention(kind, " ".join(text.split()))


def _salvage(text: str, types: Collection[str]) -> tuple[list[Mention], list[str]]:
    """The entities of broken JSON, and the pieces between them that say something."""
    mentions: list[Mention] = []
    pieces: list[str] = []
    end = 0
    for match in re.finditer(r"[{\[]", text):
        start = match.start()
        if start < end:
            continue
        try:
            value, after = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        found, rest = _read_value(value, types)
        if found:
            mentions += found
            pieces += [text[end:start], *rest]
            end = after
    pieces.append(text[end:])
    said = [_SCAFFOLD.sub("", piece.strip()).strip(" \t\r\n,[]{}") for piece in pieces]
    return mentions, [piece for piece in said if piece]
