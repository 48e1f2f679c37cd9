"""Prediction files: the harness's own JSONL, and what other people's systems write."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import CdnerError, PredictionError
from ..types import Cut, Entity, Prediction, Read, Rejected, Sentence
from . import text2text


def encode(prediction: Prediction) -> str:
    """One line of JSONL, without its line end."""
    record: dict[str, Any] = {
        "id": prediction.sentence_id,
        "entities": [[e.start, e.end, e.type] for e in prediction.entities],
    }
    if prediction.rejected:
        record["rejected"] = [[r.type, r.text, r.reason] for r in prediction.rejected]
    if prediction.raw is not None:
        record["raw"] = prediction.raw
    if prediction.tags is not None:
        record["tags"] = prediction.tags
    if prediction.cut:
        record["cut"] = prediction.cut
    if prediction.unseen:
        record["unseen"] = prediction.unseen
    if prediction.read:
        record["read"] = prediction.read
    return json.dumps(record)


def decode(line: str, sentence: Sentence, types: Collection[str]) -> Prediction:
    """A line of JSONL about `sentence`; raises `PredictionError` as `decode_record` does."""
    return decode_record(_read_object(line), sentence, types)


def decode_record(record: Mapping[str, Any], sentence: Sentence, types: Collection[str]) -> Prediction:
    """The object of a line: `entities` as [start, end, type] or objects, or generated text as `raw`.

    Raises `PredictionError` for anything else.
    """
    raw, tags = record.get("raw"), record.get("tags")
    if raw is not None and not isinstance(raw, str):
        raise PredictionError("'raw' is not text")
    if "entities" not in record:
        if raw is None:
            raise PredictionError("a prediction needs 'entities' or 'raw'")
        read = text2text.read(raw, sentence, types)
        return replace(read, cut=_read_cuts(record), unseen=_read_unseen(record, sentence))
    entities = tuple(_read_entity(item) for item in _read_list(record, "entities"))
    for entity in entities:
        if entity.end > len(sentence.tokens):
            raise PredictionError(f"{entity} ends outside the sentence, which has {len(sentence.tokens)} tokens")
    rejected = tuple(Rejected(*_read_strings(item, 3)) for item in _read_list(record, "rejected"))
    if tags is not None:
        tags = tuple(_read_strings(tags, len(sentence.tokens)))
    how = record.get("read")
    if how not in (None, *Read):
        raise PredictionError(f"'read' is {json.dumps(how)}; it may be {' or '.join(map(json.dumps, Read))}")
    limits = _read_cuts(record), _read_unseen(record, sentence)
    return Prediction(sentence.id, entities, rejected, raw, tags, *limits, Read(how) if how else None)


def read_own(path: Path, sentences: Sequence[Sentence], types: Collection[str]) -> tuple[list[Prediction], int]:
    """The predictions of an interrupted run for the first of `sentences`, and the length in bytes they take.

    What follows a line that was cut off, or that is no answer to its sentence, is left out.
    """
    if not path.exists():
        return [], 0
    with path.open("rb") as stream:
        return _read_lines(stream, sentences, types)


def read_kept(path: Path, sentences: Sequence[Sentence], types: Collection[str]) -> list[Prediction]:
    """The predictions of a run, from its own file or from the compressed one beside its result (`.gz`). What was read
    out of a text is read again.

    Raises `PredictionError` naming a compressed file that is cut off or damaged.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            predictions = _read_lines(stream, sentences, types)[0]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PredictionError(f"{path} is damaged: {error}", hint=f"restore it, or remove it: rm {path}") from None
    pairs = zip(predictions, sentences, strict=False)
    return [text2text.read_again(prediction, sentence, types) for prediction, sentence in pairs]


def _read_lines(
    stream: Iterable[bytes], sentences: Sequence[Sentence], types: Collection[str]
) -> tuple[list[Prediction], int]:
    predictions: list[Prediction] = []
    size = 0
    for line, sentence in zip(stream, sentences, strict=False):
        try:
            text = line.decode("utf-8")
            prediction = decode(text, sentence, types)
        except (CdnerError, UnicodeDecodeError):
            break
        if not text.endswith("\n") or _read_object(text).get("id") != sentence.id:
            break
        predictions.append(prediction)
        size += len(line)
    return predictions, size


def _read_entity(item: object) -> Entity:
    if isinstance(item, dict):
        item = [item.get("start"), item.get("end"), item.get("type")]
    match item:
        case [int(start), int(end), str(kind)] if not isinstance(start, bool) and not isinstance(end, bool):
            return Entity(start, end, kind)
    raise PredictionError(f'not an entity: {json.dumps(item)}; write [start, end, "type"], counting tokens from 0')


def _read_object(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PredictionError(f"not JSON: {error}") from None
    if not isinstance(record, dict):
        raise PredictionError("not a JSON object")
    return record


def _read_list(record: Mapping[str, Any], key: str) -> list[Any]:
    value = record.get(key, [])
    if not isinstance(value, list):
        raise PredictionError(f"{key!r} is not a list")
    return value


def _read_cuts(record: Mapping[str, Any]) -> tuple[Cut, ...]:
    cuts = _read_list(record, "cut")
    for cut in cuts:
        if cut not in list(Cut):
            raise PredictionError(f"'cut' holds {json.dumps(cut)}; it may hold {', '.join(map(json.dumps, Cut))}")
    return tuple(Cut(cut) for cut in cuts)


def _read_unseen(record: Mapping[str, Any], sentence: Sentence) -> int:
    unseen = record.get("unseen", 0)
    if type(unseen) is not int or not 0 <= unseen <= len(sentence.tokens):
        raise PredictionError(
            f"'unseen' is {json.dumps(unseen)}; it is how many of the {len(sentence.tokens)} tokens were not read"
        )
    return unseen


def _read_strings(item: object, size: int) -> list[str]:
    if not (isinstance(item, list) and len(item) == size and all(isinstance(part, str) for part in item)):
        raise PredictionError(f"not a list of {size} texts: {json.dumps(item)}")
    return item
