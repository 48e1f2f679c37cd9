"""JSON lines, and JSON arrays of the same: tokens with tags or spans, or text with character offsets, in the keys that
Doccano, Label Studio, Prodigy, spaCy and `datasets` use; and this project's own prediction files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeGuard

from ...errors import DataError
from ...io import unite
from ...types import Entity
from .labelled import Labelled, LabelledFile, Span, find_bounds
from .schemes import Scheme, SchemeError, Tagging, make_entity

_TOKENS = ("tokens", "words", "token")
_TEXT = ("text", "sentence", "content")
_LABELS = ("entities", "spans", "ents", "ner_tags", "tags", "labels", "label", "ner", "annotations")
_START = ("start_offset", "start", "begin", "start_char", "startOffset")
_END = ("end_offset", "end", "end_char", "endOffset")
_TOKEN_START, _TOKEN_END = ("start_token", "token_start"), ("end_token", "token_end")
_TYPE = ("type", "label", "entity_group", "entity_type", "tag", "class", "labels")
_ARRAYS = ("annotations", "data", "documents", "examples", "sentences", "items", "results")
_ID = ("id", "sentence_id", "guid", "_id")
_DECODER = json.JSONDecoder(object_pairs_hook=unite)


class Unit(StrEnum):
    """What offsets count."""

    TOKENS = "tokens"
    CHARACTERS = "characters"


class _Raw(NamedTuple):
    """A JSON value of a file and where it stands."""

    place: str
    value: object


def read(text: str, name: str, unit: Unit | None = None, scheme: Scheme | None = None) -> LabelledFile:
    """The sentences of a file of JSON objects: one a line, or an array of them.

    Raises `DataError` naming the line or the item, what was found and what was expected.
    """
    lines, given = _read_values(text, name)
    values = [raw for raw in given if _is_accepted(raw.value)]
    found = [_Record(raw.place, _unwrap(raw, name), f"{name}{raw.place}") for raw in values]
    if not found:
        why = f": none of its {len(given):,} tasks was accepted" if given else ""
        raise DataError(f"{name} has no sentences{why}")
    tagging = _read_tagging(found, scheme)
    chosen = unit or _find_unit(found, name)
    items = [record.read(chosen, tagging) for record in found]
    what = "JSON lines" if lines else "JSON array"
    kind = "tags" if tagging else f"offsets of {chosen}"
    illegal = _describe_illegal(found, tagging) if tagging else ""
    guessed = [raw for raw in values if _is_guessed(raw.value)]
    remarks = _describe_tasks(len(given) - len(values), len(guessed))
    said = f"{name}{guessed[0].place}" if guessed else ""
    scheme = tagging.scheme if tagging else None
    return LabelledFile(name, f"{what}, {kind}", items, scheme, remarks, illegal, guessed=said)


def read_bare(text: str, name: str) -> LabelledFile:
    """The sentences of a file of JSON objects that need no labels. One that has some gets tags without meaning, so that
    this can be said.
    """
    lines, values = _read_values(text, name)
    items = []
    for raw in values:
        fields = _unwrap(raw, name)
        labelled = any(fields.get(key) for key in _LABELS)
        record = _Record(raw.place, {key: fields[key] for key in fields if key not in _LABELS}, f"{name}{raw.place}")
        items.append(record.read_bare()._replace(tags=("?",) if labelled else None))
    if not items:
        raise DataError(f"{name} has no sentences")
    return LabelledFile(name, "JSON lines" if lines else "JSON array", items)


def is_json(name: str, text: str) -> bool:
    """Whether a file is JSON by its name, or because its first line that is not empty is, or begins, an object or an
    array; `{` may be a token, too.
    """
    if re.search(r"\.(jsonl?|ndjson)(\.gz)?$", name):
        return True
    line = next((line.strip() for line in text.split("\n", 1000) if line.strip()), "")
    if not line.startswith(("{", "[")):
        return False
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return line in ("[", "{") or (re.match(r"[\[{]\s*[\"{\[]", line) is not None and not re.search(r"\sO$", line))


def _read_values(text: str, name: str) -> tuple[bool, list[_Raw]]:
    """Whether there is an object a line, and the objects."""
    if _is_array(text):
        return False, [_Raw(f": item {n}", value) for n, value in enumerate(_read_array(text, name), start=1)]
    return True, list(_read_lines(text, name))


def _is_array(text: str) -> bool:
    """Whether the whole text is one JSON value, which it is not where its first line is one."""
    first, _, rest = text.strip().partition("\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return bool(rest)
    return not rest.strip() and (_is_list_of_records(value) or _find_array(value) is not None)


def _is_list_of_records(value: object) -> bool:
    """A spaCy pair, `[text, {…}]`, is a record itself."""
    return isinstance(value, list) and not (value and isinstance(value[0], str))


def _find_array(value: object) -> list[Any] | None:
    """The list of records in an object that wraps one, as annotation tools export them."""
    if not isinstance(value, dict) or _take(value, _TEXT) is not None or _take(value, _TOKENS) is not None:
        return None
    if isinstance(value.get("data"), dict) or "id" in value:
        return None
    return next((value[key] for key in _ARRAYS if isinstance(value.get(key), list)), None)


def _read_array(text: str, name: str) -> list[Any]:
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as whole:
        try:  # a file of lines of which the first is broken
            next(_read_lines(text, name), None)
        except DataError:
            first = text.lstrip()[:1]
            if first != "[":
                raise
        raise DataError(
            f"{name}: not JSON: {_say(whole)}", hint="write one JSON object a line, or an array of them"
        ) from None
    array = value if _is_list_of_records(value) else _find_array(value)
    if array is not None:
        return array
    if isinstance(value, dict | list):
        return [value]
    raise DataError(f"{name} holds no objects", hint="write one JSON object a line, or an array of them")


def _read_lines(text: str, name: str) -> Iterator[_Raw]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield _Raw(f":{number}", _DECODER.decode(line))
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f"{name}:{number}: not JSON: {_say(error)}", hint="write one JSON object a line"
                ) from None


def _say(error: Exception) -> str:
    return "brackets within brackets without end" if isinstance(error, RecursionError) else str(error)


def _is_task(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a value is a task of Label Studio."""
    return isinstance(value, dict) and isinstance(value.get("data"), dict)


def _find_done(task: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first annotation of a task that was not cancelled; of one without a list of them, a model's prediction."""
    done = task.get("annotations" if "annotations" in task else "predictions")
    given = done if isinstance(done, list) else []
    return next((one for one in given if isinstance(one, dict) and not one.get("was_cancelled")), None)


def _is_accepted(value: object) -> bool:
    """Whether nobody rejected, ignored, cancelled or left out the work on a record, as tools for annotation say it."""
    if _is_task(value):
        return _find_done(value) is not None
    return not isinstance(value, dict) or value.get("answer") not in ("reject", "ignore")


def _is_guessed(value: object) -> bool:
    """Whether the labels of an accepted record are a model's."""
    return _is_task(value) and "annotations" not in value


def _describe_tasks(left: int, guessed: int) -> list[str]:
    said = [f"{left:,} tasks were not accepted, and are left out"] if left else []
    return said + ([f"the spans of {guessed:,} tasks are a model's predictions"] if guessed else [])


def _unwrap(raw: _Raw, name: str) -> Mapping[str, Any]:
    """The fields of a record: a spaCy pair's or a Label Studio task's are brought to one level."""
    value = raw.value
    if isinstance(value, list) and len(value) in (2, 3) and isinstance(value[0], str) and isinstance(value[1], dict):
        return {"text": value[0], **value[1]}
    if not isinstance(value, dict):
        raise DataError(
            f"{name}{raw.place}: not a JSON object: {_show(value)}",
            hint='write {"id": "ai/test/0", "entities": [[0, 2, "person"]]}',
        )
    if _is_task(value):
        results = (_find_done(value) or {}).get("result")
        given = results if isinstance(results, list) else []
        spans = [r["value"] for r in given if isinstance(r, dict) and isinstance(r.get("value"), dict)]
        return {"text": _take(value["data"], _TEXT), "spans": [span for span in spans if "start" in span]}
    return value


class _Record:
    """The fields of one sentence."""

    def __init__(self, place: str, fields: Mapping[str, Any], where: str) -> None:
        self.place, self.fields, self.where = place, fields, where
        text = _take(fields, _TEXT)
        self.text = text if isinstance(text, str) else None
        self.tokens = self._read_tokens(_take(fields, _TOKENS))
        self.labels = self._find_labels()
        self.tags = self._find_tags()

    def _read_tokens(self, value: object) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not isinstance(value, list):
            raise DataError(f"{self.where}: the tokens are no list: {_show(value)}")
        tokens = value if set(map(type, value)) == {str} else [self._read_token(token) for token in value]
        if not all(map(str.strip, tokens)):
            token = next(token for token in tokens if not token.strip())
            raise DataError(f"{self.where}: a token is {'white space' if token else 'empty'}", hint="remove it")
        if not tokens:
            raise DataError(f"{self.where}: the sentence has no tokens", hint="remove it")
        return tuple(tokens)

    def _read_token(self, token: object) -> str:
        if isinstance(token, str):
            return token
        if isinstance(token, dict):
            start, end = _take(token, _START), _take(token, _END)
            if isinstance(said := token.get("text", token.get("form")), str):
                return said
            if self.text is not None and _is_int(start) and _is_int(end):
                return self.text[start:end]
        raise DataError(f"{self.where}: {_show(token)} is not a token", hint="tokens are texts")

    def _find_labels(self) -> list[Any] | None:
        """The first list of labels that is not empty, or an empty one; None if there is none."""
        given = [self.fields[key] for key in _LABELS if self.fields.get(key) is not None]
        lists = [value for value in given if isinstance(value, list)]
        if given and not lists:
            raise DataError(f"{self.where}: the labels are no list: {_show(given[0])}")
        return next((value for value in lists if value), lists[0] if lists else None)

    def _find_tags(self) -> tuple[str, ...] | None:
        """The labels, if they are a tag for each token."""
        labels = self.labels
        if not labels or isinstance(labels[0], list | dict):
            return None
        if all(_is_int(label) for label in labels):
            raise DataError(
                f"{self.where}: the tags are numbers", hint="write the names that the numbers stand for: B-person, O"
            )
        if not all(isinstance(label, str) for label in labels):
            return None
        if self.tokens is not None and len(labels) != len(self.tokens):
            raise DataError(f"{self.where}: {len(labels)} tags for {len(self.tokens)} tokens")
        return tuple(labels)

    def spans(self, unit: Unit | None) -> list[Span]:
        """The labels as spans; `unit` decides which offsets are taken where a label has both kinds."""
        return [self._read_span(label, unit) for label in self.labels or ()]

    def _read_span(self, label: object, unit: Unit | None) -> Span:
        if isinstance(label, dict):
            keys = (_TOKEN_START, _TOKEN_END) if unit is Unit.TOKENS else (_START, _END)
            start, end = _take(label, keys[0]), _take(label, keys[1])
            if start is None and unit is not Unit.CHARACTERS:
                start, end = _take(label, _START), _take(label, _END)
            elif unit is Unit.TOKENS and "token_end" in label and _is_int(end):
                end += 1  # Prodigy's includes the last token
            kind = _take(label, _TYPE)
            kind = kind[0] if isinstance(kind, list) and len(kind) == 1 else kind
            surface = label.get("text", label.get("word")) if unit is not Unit.TOKENS else None
        elif isinstance(label, list) and len(label) >= 3:
            start, end, kind, surface = *label[:3], None
        else:
            start = end = kind = surface = None
        if not (_is_int(start) and _is_int(end) and isinstance(kind, str) and kind.strip()):
            raise DataError(
                f'{self.where}: not an entity: {_show(label)}; write [start, end, "type"]',
                hint="offsets count from 0, and the end is not included",
            )
        return Span(start, end, kind.strip(), surface if isinstance(surface, str) else None)

    @property
    def counts_tokens(self) -> bool | None:
        """Whether offsets can only count tokens (True) or characters (False); None if they can count both."""
        labels = self.labels or ()
        if not labels or self.tags is not None:
            return None
        if self.text is None or self.tokens is None:
            return self.text is None
        if all(isinstance(label, dict) and _take(label, _TOKEN_START) is not None for label in labels):
            return True
        if any(isinstance(label, dict) and "start_offset" in label for label in labels):
            return False
        if any(span.end > len(self.tokens) for span in self.spans(None)):
            return False
        return None if self._reads_as_characters() else True

    def _reads_as_characters(self) -> bool:
        """Whether the offsets, taken for characters, begin and end with tokens."""
        if self.text is None or self.tokens is None:
            return False
        bounds = find_bounds(self.text, self.tokens, self.where)
        starts, ends = {start for start, _ in bounds}, {end for _, end in bounds}
        return all(span.start in starts and span.end in ends for span in self.spans(None))

    def read_bare(self) -> Labelled:
        """The sentence without labels."""
        said = _take(self.fields, _ID)
        name = said if isinstance(said, str) else None if said is None else json.dumps(said)
        return Labelled(self.place, name, self.tokens, self.text, record=self.fields)

    def read(self, unit: Unit, tagging: Tagging | None) -> Labelled:
        """The sentence, its offsets counted in `unit`. Raises `DataError` for labels that are none."""
        tags = spans = entities = None
        if self.tags is not None and tagging is not None:
            tags, entities = tagging.as_iob2(self.tags), tagging.entities(self.tags)
        elif self.labels is None and "raw" not in self.fields:
            raise DataError(
                f"{self.where}: there are no labels among {', '.join(map(repr, self.fields)) or 'its keys'}",
                hint='write "entities": [[start, end, "type"]], "tags": ["B-type", …] or "raw": generated text',
            )
        elif self.labels is not None and unit is Unit.CHARACTERS and self.text is not None:
            spans = tuple(self.spans(unit))
        elif self.labels is not None:
            entities = self._read_entities()
        return self.read_bare()._replace(tags=tags, entities=entities, spans=spans)

    def _read_entities(self) -> tuple[Entity, ...]:
        try:
            entities = tuple([make_entity(span.start, span.end, span.type) for span in self.spans(Unit.TOKENS)])
        except DataError as error:
            raise DataError(
                str(error) if self.where in str(error) else f"{self.where}: {error}", hint=error.hint
            ) from None
        for entity in entities:
            if self.tokens is not None and entity.end > len(self.tokens):
                raise DataError(
                    f"{self.where}: {entity} ends outside the sentence, which has {len(self.tokens)} tokens"
                )
        return entities


def _read_tagging(found: Sequence[_Record], scheme: Scheme | None) -> Tagging | None:
    tagged = [record for record in found if record.tags is not None]
    if not tagged:
        return None
    try:
        return Tagging([record.tags or () for record in tagged], scheme)
    except SchemeError as error:
        where = next((record.where for record in tagged if error.tag in (record.tags or ())), tagged[0].where)
        raise DataError(f"{where}: {error}", hint=error.hint) from None


def _describe_illegal(found: Sequence[_Record], tagging: Tagging) -> str:
    tagged = [record for record in found if record.tags is not None]
    illegal = tagging.find_illegal([record.tags or () for record in tagged])
    if illegal is None:
        return ""
    record = tagged[illegal[0]]
    return f"{record.where}: {tagging.explain(record.tags or (), illegal[1])}"


def _find_unit(found: Sequence[_Record], name: str) -> Unit:
    """What the offsets of a file count: one sentence in which they can only count one thing decides."""
    votes = {record.counts_tokens: record for record in found}
    if True in votes and False in votes:
        raise DataError(
            f"{votes[True].where}: offsets count tokens, and {votes[False].where}: they count characters",
            hint="say which: --format token-spans or --format character-spans",
        )
    if True in votes or False in votes:
        return Unit.TOKENS if True in votes else Unit.CHARACTERS
    labelled = [record for record in found if record.labels and record.tags is None]
    if labelled:
        raise DataError(
            f"{labelled[0].where}: offsets may count tokens or characters of {name}",
            hint="say which: --format token-spans or --format character-spans",
        )
    return Unit.TOKENS if all(record.text is None for record in found) else Unit.CHARACTERS


def _take(fields: Mapping[str, Any], keys: Sequence[str]) -> Any:
    for key in keys:
        if (value := fields.get(key)) is not None:
            return value
    return None


def _is_int(value: object) -> bool:
    return type(value) is int


def _show(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)[:80]
    except RecursionError:
        return "brackets within brackets"
