"""Reading TOML by name: every mistake in a file is answered with the file, the key and the nearest right one."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import DataError, did_you_mean
from .reading import read_toml


class TomlTable:
    """A TOML table that knows its file and its place, and that notices keys nobody asked for."""

    def __init__(self, path: Path, prefix: str, values: dict[str, Any]) -> None:
        self.path, self.prefix, self.values, self.asked = path, prefix, values, set[str]()

    @classmethod
    def read(cls, path: Path) -> TomlTable:
        """The table of a whole file. Raises `DataError` for a file that cannot be read, or holds none."""
        return cls(path, "", read_toml(path, DataError))

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        """The value of a key, of one of the kinds. Raises `DataError` if it is missing without a default."""
        self.asked.add(key)
        value = self.values.get(key, default)
        if value is None:
            raise DataError(f"{self.path}: {self.prefix}{key} is missing")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise DataError(f"{self.path}: {self.prefix}{key} cannot be {reprlib.repr(value)}")
        return value

    def take_named(self, key: str) -> Iterator[tuple[str, TomlTable]]:
        """The tables below a key, by name."""
        for name, values in self.take(key, dict, {}).items():
            if not isinstance(values, dict):
                raise DataError(f"{self.path}: {self.prefix}{key}.{name} is not a table")
            yield name, TomlTable(self.path, f"{self.prefix}{key}.{name}.", values)

    def take_tables(self, key: str) -> list[TomlTable]:
        """The tables of an array of tables, in the order of the file. Raises `DataError` for anything else."""
        array = self.take(key, list, [])
        if not all(isinstance(values, dict) for values in array):
            raise DataError(f"{self.path}: {self.prefix}{key} is no array of tables")
        return [TomlTable(self.path, f"{self.prefix}{key}.", values) for values in array]

    def take_texts(self, key: str, least: int = 0) -> tuple[str, ...]:
        """An array of at least so many texts."""
        values = self.take(key, list)
        if len(values) < least or not all(isinstance(value, str) for value in values):
            raise DataError(f"{self.path}: {self.prefix}{key} cannot be {reprlib.repr(values)}")
        return tuple(values)

    def finish(self) -> None:
        """Raises `DataError` for a key that was never taken."""
        for key in self.values:
            if key not in self.asked:
                raise DataError(
                    f"{self.path}: unknown key {self.prefix}{key}", hint=did_you_mean(key, sorted(self.asked))
                )
