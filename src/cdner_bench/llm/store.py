"""Answers kept as plain files: one JSON Lines file a model, to be published and replayed."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from ..errors import DataError
from .question import Answer, Question


class Store:
    """A folder of answers by the keys of their questions. Lines are appended whole; a line cut off by a crash is
    dropped. Only positions are held in memory. Several processes may write at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places: dict[str, dict[str, tuple[int, int]]] = {}
        self._streams: dict[str, IO[bytes]] = {}

    def get(self, question: Question) -> Answer | None:
        """The answer to a question asked before. Raises `DataError` for a line that was tampered with."""
        return self.by_key(question.model, question.key)

    def has(self, question: Question) -> bool:
        """Whether it was answered before."""
        return question.key in self._index(question.model)

    def by_key(self, model: str, key: str) -> Answer | None:
        """The same by key."""
        place = self._index(model).get(key)
        if place is None:
            return None
        path = self._path(model)
        with path.open("rb") as stream:
            stream.seek(place[0])
            record = _record(stream.read(place[1]))
        if record is None or record["key"] != key:
            raise DataError(f"{path} changed while it was read", hint="type the same command again")
        try:
            return Answer(**record["answer"])
        except TypeError as error:
            raise DataError(f"{path}: the answer {key[:12]} is of another shape: {error}") from None

    def put(self, question: Question, answer: Answer) -> None:
        """Keep an answer: it is on its way to the disk when this returns."""
        request = {name: value for name, value in asdict(question).items() if value is not None}
        line = json.dumps({"key": question.key, "request": request, "answer": asdict(answer)}, ensure_ascii=False)
        data = line.encode() + b"\n"
        index = self._index(question.model)
        stream = self._stream(question.model)
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            start = _end_of_last_line(stream)
            stream.write(data)
            stream.flush()
        finally:
            fcntl.flock(stream, fcntl.LOCK_UN)
        index[question.key] = (start, len(data))

    def close(self) -> None:
        """Give the files back."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()

    def _stream(self, model: str) -> IO[bytes]:
        if model not in self._streams:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._streams[model] = self._path(model).open("a+b")
        return self._streams[model]

    def _path(self, model: str) -> Path:
        return self.folder / f"{re.sub(r'[^A-Za-z0-9._@-]+', '_', model)}.jsonl"

    def _index(self, model: str) -> dict[str, tuple[int, int]]:
        if model not in self._places:
            self._places[model] = dict(_lines(self._path(model)))
        return self._places[model]


def _lines(path: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    if not path.exists():
        return
    position = 0
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            record = _record(line)
            if record is not None:
                yield record["key"], (position, len(line))
            elif line.endswith(b"\n"):
                raise DataError(f"{path}:{number} is not an answer", hint="remove the line, or the file, to ask again")
            position += len(line)


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(record, dict) and isinstance(record.get("key"), str) and isinstance(record.get("answer"), dict)
    return record if whole else None


def _end_of_last_line(stream: IO[bytes]) -> int:
    """Where the next line begins; a last line without its end is cut off."""
    size = stream.seek(0, os.SEEK_END)
    if size:
        stream.seek(size - 1)
        if stream.read(1) != b"\n":
            stream.seek(0)
            size = stream.read().rfind(b"\n") + 1
            stream.truncate(size)
    return size
