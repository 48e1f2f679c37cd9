"""Answers kept as plain files: one JSON Lines file a model, to be published and replayed."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from ..errors import DataError
from ..foreign import redact_all
from ..io import LARGEST, lock_stream, open_regular, parse_json, read_lines
from .question import Answer, Question, is_answer

LONGEST = 200
"""Characters of a model's name that go into that of its file."""


class Store:
    """A folder of answers by the keys of their questions. Lines are appended whole; one cut off by a crash is dropped.
    The first answer to a question stays its answer. Only positions are held in memory. Several processes may write
    at once, and see what the others wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, AnswerFile] = {}

    def has(self, question: Question) -> bool:
        """Whether an answer to this question is kept."""
        return self._file(question.model).place(question.key) is not None

    def get(self, question: Question) -> Answer | None:
        """The answer to a question asked before. Raises `DataError` for a line that was tampered with."""
        return self._file(question.model).read(question.key)

    def put(self, question: Question, answer: Answer) -> Answer:
        """Keep an answer: it is on its way to the disk when this returns. Returns the one that is kept, which is
        another process's if that was faster.
        """
        request = {name: value for name, value in asdict(question).items() if value not in (None, "")}
        record = {"key": question.key, "request": redact_all(request), "answer": redact_all(asdict(answer))}
        return self._file(question.model).append(question.key, record) or answer

    def list_servers(self, model: str) -> list[str]:
        """Under which servers' names answers of a model are kept, "" among them if under none."""
        return self._file(model).list_servers()

    def open(self, model: str) -> None:
        """Make sure that answers of a model can be kept. Raises `DataError` if not."""
        try:
            self._file(model).open()
        except OSError as error:
            raise DataError(
                f"answers cannot be kept in {self.folder}: {error.strerror}", hint="name another: -o store=FOLDER"
            ) from None

    def close(self) -> None:
        """Close the files of all models; the next answer opens its own again."""
        for file in self._files.values():
            file.close()

    def _file(self, model: str) -> AnswerFile:
        name = f"{re.sub(r'[^A-Za-z0-9._@-]+', '_', model)[:LONGEST]}.jsonl"
        return self._files.setdefault(name, AnswerFile(self.folder / name))


class AnswerFile:
    """The answers of one model: where each key's line lies, as far as the file was read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream: IO[bytes] | None = None
        self.places: dict[str, tuple[int, int]] = {}
        self.end = self.lines = 0

    def place(self, key: str) -> tuple[int, int] | None:
        """Where the line of a key lies in the file, None if there is none."""
        if key not in self.places:
            self.catch_up()
        return self.places.get(key)

    def read(self, key: str) -> Answer | None:
        """The answer that is kept under a key, None if there is none."""
        place = self.place(key)
        if place is None:
            return None
        with open_regular(self.path, DataError) as stream:
            stream.seek(place[0])
            record = _record(stream.read(place[1]))
        if record is None or record["key"] != key:
            raise DataError(f"{self.path} changed while it was read", hint="type the same command again")
        return Answer(**record["answer"])

    def list_servers(self) -> list[str]:
        """Under which servers' names the answers are kept."""
        if not os.path.lexists(self.path):
            return []
        with open_regular(self.path, DataError) as stream:
            records = filter(None, map(_record, read_lines(stream)))
            return sorted({str(record.get("request", {}).get("served_by", "")) for record in records})

    def append(self, key: str, record: dict[str, Any]) -> Answer | None:
        """Write a line, unless another process has: then its answer."""
        stream = self.open()
        with lock_stream(stream):
            self.catch_up()
            if key in self.places:
                return self.read(key)
            if os.fstat(stream.fileno()).st_size > self.end:  # what a crash left
                stream.truncate(self.end)
            line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
            stream.write(line)
            stream.flush()
            self._note(key, len(line))
        return None

    def open(self) -> IO[bytes]:
        """The file, ready to be appended to."""
        if self.stream is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(self.path):
                open_regular(self.path, DataError).close()  # a pipe would wait for a reader
            self.stream = self.path.open("ab")
            with lock_stream(self.stream):  # or what another process writes now would look unended
                self.catch_up()
                with self.path.open("rb") as rest:
                    rest.seek(self.end)
                    unended = _record(rest.read()) is not None
                if unended:  # a whole record that lacks its end: an editor's doing, not a crash's
                    self.stream.write(b"\n")
                    self.stream.flush()
        return self.stream

    def close(self) -> None:
        """Close the file that answers are appended to; reading goes on."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def catch_up(self) -> None:
        """Read what was written since the last time, up to the last whole line."""
        if not os.path.lexists(self.path) or (self.end and self.path.stat().st_size == self.end):
            return
        with open_regular(self.path, DataError) as stream:
            stream.seek(self.end)
            for line in read_lines(stream):
                if len(line) < LARGEST and not line.endswith(b"\n"):
                    return
                record = _record(line)
                if record is None:
                    hint = "remove the line, or the file, to ask again"
                    raise DataError(f"{self.path}:{self.lines + 1} is not an answer", hint=hint)
                self._note(record["key"], len(line))

    def _note(self, key: str, size: int) -> None:
        """Note that the next line, of so many bytes, holds the answer to a key."""
        self.places.setdefault(key, (self.end, size))
        self.end += size
        self.lines += 1


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = parse_json(line.decode("utf-8"))
    except ValueError:
        return None
    whole = isinstance(record, dict) and isinstance(record.get("key"), str) and is_answer(record.get("answer"))
    return record if whole and isinstance(record.get("request", {}), dict) else None
