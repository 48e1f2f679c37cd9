"""Prediction files: the harness's own JSONL, and what other people's systems write."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from ..errors import CdnerError, PredictionError
from ..foreign import redact_all
from ..io import open_regular, parse_json, read_lines
from ..types import Cut, Entity, Prediction, Read, Rejected, Sentence
from . import text2text


def encode(prediction: Prediction) -> str:
    """One line of JSONL, without its line end, and without keys."""
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
    return json.dumps(redact_all(record))


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

    What follows a line that was cut off, or that is no answer to its sentence, is left out. Raises `PredictionError`
    for what is no file at all.
    """
    if not os.path.lexists(path):
        return [], 0
    predictions: list[Prediction] = []
    size = 0
    with suppress(_LineError), open_regular(path, PredictionError, f"remove it: rm -r {path}") as stream:
        for line, prediction in _read_lines(stream, sentences, types):
            predictions.append(prediction)
            size += len(line)
    return predictions, size


def read_kept(
    path: Path, sentences: Sequence[Sentence], types: Collection[str], only: Collection[int] | None = None
) -> list[Prediction]:
    """The predictions of a finished run, from its own file or from the compressed one beside its result (`.gz`). What
    was read out of a text is read again. With `only`, those for the sentences in these places, and no other line is
    understood.

    Raises `PredictionError` naming a file that is damaged, a line that is no answer to its sentence, and a file that
    answers fewer sentences, or more.
    """
    hint = f"restore it, or remove it: rm {path}"
    wanted = [sentence for place, sentence in enumerate(sentences) if only is None or place in only]
    try:
        with open_regular(path, PredictionError, hint) as plain:
            stream = gzip.GzipFile(fileobj=plain) if path.suffix == ".gz" else plain
            predictions = [prediction for _, prediction in _read_lines(stream, sentences, types, only)]
            if len(predictions) < len(wanted) or stream.read(1):
                number = f"{len(predictions)} predictions" if len(predictions) < len(wanted) else "more predictions"
                raise PredictionError(f"{path} has {number} for {len(wanted)} sentences", hint=hint)
    except (OSError, EOFError, zlib.error) as error:
        raise PredictionError(f"{path} is damaged: {error}", hint=hint) from None
    except _LineError as error:
        raise PredictionError(f"{path}:{error.number}: {error}", hint=hint) from None
    pairs = zip(predictions, wanted, strict=True)
    return [text2text.read_again(prediction, sentence, types) for prediction, sentence in pairs]


class _LineError(PredictionError):
    """A line that is no answer to its sentence."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


def _read_lines(
    stream: IO[bytes] | gzip.GzipFile,
    sentences: Sequence[Sentence],
    types: Collection[str],
    only: Collection[int] | None = None,
) -> Iterator[tuple[bytes, Prediction]]:
    """Lines of a run, each with what it says of its sentence, held to what a method may say."""
    for number, (sentence, line) in enumerate(zip(sentences, read_lines(stream), strict=False), start=1):
        if only is not None and number - 1 not in only:
            continue
        try:
            record = _read_object(line.decode("utf-8"))
            prediction = decode_record(record, sentence, types)
        except (CdnerError, UnicodeDecodeError) as error:
            raise _LineError(number, str(error)) from None
        if not line.endswith(b"\n"):
            raise _LineError(number, "the line was cut off")
        if record.get("id") != sentence.id:
            raise _LineError(number, f"'id' is {json.dumps(record.get('id'))}, the sentence is {sentence.id}")
        for entity in prediction.entities:
            if entity.type not in types:
                raise _LineError(number, f"{entity.type!r} is no type of the target")
        yield line, prediction


def _read_entity(item: object) -> Entity:
    if isinstance(item, dict):
        item = [item.get("start"), item.get("end"), item.get("type")]
    match item:
        case [int(start), int(end), str(kind)] if not isinstance(start, bool) and not isinstance(end, bool):
            return Entity(start, end, kind)
    raise PredictionError(f'not an entity: {json.dumps(item)}; write [start, end, "type"], counting tokens from 0')


def _read_object(line: str) -> dict[str, Any]:
    try:
        record = parse_json(line)
    except ValueError as error:
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
