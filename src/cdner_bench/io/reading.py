"""Files that somebody else may have written, read without being believed: regular files of a bounded size and depth.

Of TOML, every mistake is answered with the file, the key and the nearest right one.
"""

from __future__ import annotations

import difflib
import gzip
import json
import math
import os
import re
import reprlib
import stat
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from ..errors import CdnerError, DataError, did_you_mean, find_near

LARGEST = 16 * 2**20
"""Bytes of a file that is read as a whole, and of a line of one that is not: a thousand times what is usual."""
DEEPEST = 64
"""How many arrays and tables may stand inside one another."""
LONGEST = 100
"""Digits of a number."""
_QUOTED_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def open_regular(path: Path, kind: type[CdnerError], hint: str | None = None) -> IO[bytes]:
    """A regular file, open for reading; nobody is waited for. Raises an error of a kind, with a hint, for a pipe, a
    folder or a device, and for what the system refuses.
    """
    try:
        stream = open(path, "rb", opener=_open_at_once)  # noqa: SIM115
    except (OSError, ValueError) as error:  # a path with a NUL
        missing = isinstance(error, FileNotFoundError) and not path.is_symlink()
        near = suggest_file(path) if missing else None
        raise kind(f"cannot read {path}: {_explain(path, error)}", hint=hint or near) from None
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise kind(f"cannot read {path}: it is no regular file", hint=hint)
    return stream


def suggest_file(path: Path) -> str:
    """Advice for a file that is not there: the nearest name in its folder, or all of the same kind if they are few."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent} either; check the path"
    names = [other.name for other in path.parent.iterdir()]
    if near := find_near(path.name, names):
        return f"did you mean {str(path.with_name(near))!r}?"
    alike = sorted(name for name in names if Path(name).suffix == path.suffix)
    return f"choose from: {', '.join(alike)}" if 0 < len(alike) <= 20 else "check the path"


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; the reading end of a pipe without waiting for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _explain(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return "it is a link to nothing"
    return str((isinstance(error, OSError) and error.strerror) or error)


def read_bytes(path: Path, kind: type[CdnerError], hint: str | None = None, largest: int = LARGEST) -> bytes:
    """The content of a regular file. Raises an error of a kind, with a hint, also for a file that is too large."""
    with open_regular(path, kind, hint) as stream:
        try:
            if os.fstat(stream.fileno()).st_size <= largest:
                content = stream.read(largest + 1)
                if len(content) <= largest:
                    return content
        except OSError as error:
            raise kind(f"cannot read {path}: {error.strerror}", hint=hint) from None
    raise kind(f"{path} is larger than {largest >> 20} MiB", hint=hint)


def read_text(path: Path, kind: type[CdnerError], hint: str | None = None, largest: int = LARGEST) -> str:
    """As `read_bytes`, of a text in UTF-8."""
    try:
        return read_bytes(path, kind, hint, largest).decode("utf-8")
    except UnicodeDecodeError as error:
        raise kind(f"{path} is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}", hint=hint) from None


def read_json(path: Path, kind: type[CdnerError], hint: str | None = None, largest: int = LARGEST) -> Any:
    """As `read_text`, of the value in a file of JSON."""
    try:
        return parse_json(read_text(path, kind, hint, largest))
    except ValueError as error:
        raise kind(f"{path} is not JSON: {error}", hint=hint) from None


def read_toml(path: Path) -> dict[str, Any]:
    """As `read_text`, of the table in a file of TOML. Raises `DataError`."""
    try:
        table = tomllib.loads(read_text(path, DataError).removeprefix("\ufeff"))
        _check_values(table)
    except RecursionError:
        raise DataError(f"{path} is not TOML: it is nested too deeply") from None
    except ValueError as error:
        raise DataError(f"{path} is not TOML: {error}") from None
    return table


def read_lines(stream: IO[bytes] | gzip.GzipFile, longest: int = LARGEST) -> Iterator[bytes]:
    """The lines of a file; one that is too long is cut, and so has no end."""
    while line := stream.readline(longest):
        yield line
        if len(line) == longest:
            return


def parse_json(text: str) -> Any:
    """The value of a text of JSON. Raises `ValueError` for what is none; for numbers that are infinite, none at all or
    of too many digits; for a key that stands twice; for what is nested too deeply.
    """
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(text)
    return _DECODER.decode(text)


def _check_depth(text: str) -> None:
    depth = 0
    for match in _QUOTED_OR_BRACKET.finditer(text):
        bracket = match[0]
        depth += (bracket in "[{") - (bracket in "]}")
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")


def _check_values(table: dict[str, Any]) -> None:
    """Raises `ValueError` for what TOML may hold and JSON may not."""
    waiting: list[tuple[Any, int]] = [(table, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{value} is no number")
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting += [(item, depth + 1) for item in inner]


def unite(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The table of pairs of JSON. Raises `ValueError` for a key that stands twice."""
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!a} stands twice in one table")
    return table


def _read_whole(text: str) -> int:
    if len(text) > LONGEST:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def _read_fraction(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:LONGEST]} is too large for a number")
    return value


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=unite, parse_int=_read_whole, parse_float=_read_fraction, parse_constant=_refuse
)


_FORMS = {str: '"…"', int: "1", float: "1.5", bool: "true", list: '["…"]', dict: '{ name = "…" }'}


def _write_as(key: str, kind: type | tuple[type, ...]) -> str:
    """How a value of a kind is written."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return " or ".join(f"write: {key} = {_FORMS[each]}" for each in kinds if each in _FORMS)


class TomlTable:
    """A TOML table that knows its file and its place, and that notices keys nobody asked for."""

    def __init__(self, path: Path, prefix: str, values: dict[str, Any]) -> None:
        self.path, self.prefix, self.values, self.asked = path, prefix, values, set[str]()

    @classmethod
    def read(cls, path: Path) -> TomlTable:
        """The table of a whole file. Raises `DataError` for a file that cannot be read, or holds none."""
        return cls(path, "", read_toml(path))

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        """The value of a key, of one of the kinds. Raises `DataError` if it is missing without a default, which names
        a key that may be meant for it.
        """
        self.asked.add(key)
        value = self.values.get(key, default)
        if value is None:
            unknown = [given for given in self.values if given not in self.asked]
            if near := difflib.get_close_matches(key, unknown, n=1):
                raise DataError(f"{self.path}: unknown key {self.prefix}{near[0]}", hint=f"did you mean {key!r}?")
            raise DataError(f"{self.path}: {self.prefix}{key} is missing", hint=_write_as(key, kind))
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise DataError(
                f"{self.path}: {self.prefix}{key} cannot be {reprlib.repr(value)}", hint=_write_as(key, kind)
            )
        return value

    def has(self, key: str) -> bool:
        """Whether there is a key that may be left out."""
        self.asked.add(key)
        return key in self.values

    def take_named(self, key: str) -> Iterator[tuple[str, TomlTable]]:
        """The tables below a key, by name."""
        for name, values in self.take(key, dict, {}).items():
            if not isinstance(values, dict):
                raise DataError(f"{self.path}: {self.prefix}{key}.{name} is not a table")
            yield name, TomlTable(self.path, f"{self.prefix}{key}.{name}.", values)

    def take_tables(self, key: str) -> list[TomlTable]:
        """The tables of an array of tables, in the order of the file. Raises `DataError` for anything else."""
        array = self.values[key] if self.has(key) else []
        if not isinstance(array, list) or not all(isinstance(values, dict) for values in array):
            raise DataError(f"{self.path}: {self.prefix}{key} is no array of tables", hint=f"begin each with [[{key}]]")
        return [TomlTable(self.path, f"{self.prefix}{key}.", values) for values in array]

    def take_texts(self, key: str, least: int = 0) -> tuple[str, ...]:
        """An array of at least so many texts, no two of them alike."""
        values = self.take(key, list)
        if len(values) < least or not all(isinstance(value, str) for value in values):
            raise DataError(
                f"{self.path}: {self.prefix}{key} cannot be {reprlib.repr(values)}", hint=f'write: {key} = ["…"]'
            )
        if twice := next((value for value in values if values.count(value) > 1), None):
            raise DataError(f"{self.path}: {self.prefix}{key} names {twice!r} twice", hint="leave one out")
        return tuple(values)

    def finish(self) -> None:
        """Raises `DataError` for a key that was never taken."""
        for key in self.values:
            if key not in self.asked:
                raise DataError(
                    f"{self.path}: unknown key {self.prefix}{key}", hint=did_you_mean(key, sorted(self.asked))
                )
