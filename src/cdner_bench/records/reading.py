"""Records read without being believed: each is checked, lies where its content says, and is there once.

The checks of one kind of record are a generator of (field, what is wrong with it); the first is what the user is told.
"""

from __future__ import annotations

import json
import os
import shlex
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import ValidationError

from ..errors import CdnerError, RefusedWarning, ResultError
from ..io import read_json
from ..names import is_name

MOST = 10**15
"""More than anything that is counted here: bytes, tokens, parameters, seconds."""
_LONGEST = 4096
_FREE = {("provenance",), ("method", "options"), ("analysis", "options"), ("measurement",), ("scores",)}
"""Parts of a record whose numbers may be negative, or are none."""

Fault = tuple[str, str]


class Placed(Protocol):
    """A record that knows where its file lies below the folder of all."""

    @property
    def path(self) -> Path:
        """The path below that folder."""
        ...

    @property
    def order(self) -> tuple[str, ...]:
        """A total order."""
        ...


R = TypeVar("R", bound=Placed)


@dataclass(frozen=True)
class Form(Generic[R]):
    """How a kind of record is read: what it is called, what lifts each older schema to the next, what makes a value of
    its fields and raises `ValidationError` or `ValueError`, what finds faults in that, and what to do about a file that
    is refused.
    """

    name: str
    migrations: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]
    build: Callable[[dict[str, Any]], R]
    find_faults: Callable[[R], Iterator[Fault]]
    remedy: str

    @property
    def schema(self) -> int:
        """The newest schema."""
        return max(self.migrations) + 1


def read(path: Path, form: Form[R]) -> R:
    """The record in a file of today's schema or an older one. Raises `ResultError` that names the file and the field,
    and says what to type.
    """
    hint = f"{form.remedy}: rm {shlex.quote(str(path))}"
    record = read_json(path, ResultError, hint)
    if not isinstance(record, dict) or "schema" not in record:
        raise ResultError(f"{path} is no {form.name}: it has no schema", hint=hint)
    schema = record.pop("schema")
    if type(schema) is not int or schema < 1:
        raise ResultError(f"{path}: schema is {show(schema)}, not a number from 1 to {form.schema}", hint=hint)
    if schema > form.schema:
        upgrade = "pip install --upgrade cdner-bench"
        raise ResultError(f"{path} has schema {schema}, this version reads up to {form.schema}", hint=upgrade)
    try:
        for step in range(schema, form.schema):
            record = form.migrations[step](record)
    except (CdnerError, LookupError, TypeError, ValueError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}" if not isinstance(error, KeyError) else f"it has no {error}"
        raise ResultError(f"{path} is not a {form.name} of schema {schema}: {why}", hint=hint) from None
    try:
        made = form.build(record)
        field, problem = next(chain(_find_wild(record), form.find_faults(made)), ("", ""))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field, problem = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
    except ValueError as error:
        field, problem = next(_find_half_letters(record), ("", str(error)))
    if problem:
        where = f"{field}: " if field else ""
        raise ResultError(f"{path} is not a {form.name} of schema {schema}: {where}{problem}", hint=hint)
    return made


def read_all(
    root: Path, within: str, form: Form[R], find_more: Callable[[R], Iterator[Fault]] | None = None
) -> list[R]:
    """Every record of a kind in the folder `within` a root, in a fixed order. What is refused is left out, with a
    `RefusedWarning`: what `read` or `find_more` refuses, and what does not lie where its content says.
    """
    found: list[R] = []
    for path in _list_files(root / within):
        try:
            record = read(path, form)
            place = root / record.path
            if path != place:
                doing = f"rm {shlex.quote(str(path))}"
                if not place.exists():
                    doing += f", or mv {shlex.quote(str(path))} {shlex.quote(str(place))}"
                raise ResultError(f"{path} is a copy, or was changed: its content belongs at {place}", hint=doing)
            field, problem = next(find_more(record) if find_more else iter(()), ("", ""))
            if problem:
                hint = f"{form.remedy}: rm {shlex.quote(str(path))}"
                raise ResultError(f"{path}: {field}: {problem}", hint=hint)
            found.append(record)
        except ResultError as error:
            refuse(error)
    return sorted(found, key=lambda record: record.order)


def refuse(error: CdnerError) -> None:
    """Say that a file is not believed, and go on."""
    warnings.warn(f"refused: {error}" + (f"\n  → {error.hint}" if error.hint else ""), RefusedWarning, stacklevel=2)


def _list_files(folder: Path) -> Iterator[Path]:
    """What is called .json below a folder, whatever it is. A folder that cannot be looked into is told."""

    def tell(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            refuse(ResultError(f"cannot look into {error.filename}: {error.strerror}"))

    for place, folders, files in os.walk(folder, onerror=tell):
        folders.sort()
        yield from (Path(place, name) for name in sorted([*folders, *files]) if name.endswith(".json"))


def show(value: object) -> str:
    """A value out of a file, in a message."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def find_bad_names(names: Mapping[str, str | None]) -> Iterator[Fault]:
    """The fields that cannot be part of a path."""
    for field, name in names.items():
        if name is not None and not is_name(name):
            yield field, f"{show(name)} cannot be a name"


def find_long_names(names: Mapping[str, str | None]) -> Iterator[Fault]:
    """The fields that are longer than the path of a file can be."""
    for field, name in names.items():
        if name is not None and len(name) > _LONGEST:
            yield field, f"{show(name)} has {len(name)} characters"


def find_bad_provenance(provenance: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with what is read of a provenance."""
    if not isinstance(provenance.get("created", ""), str):
        yield "provenance.created", f"{show(provenance['created'])} is no time"
    plugin = provenance.get("plugin", {})
    if not isinstance(plugin, dict) or not isinstance(plugin.get("code") or "", str):
        yield "provenance.plugin", f"{show(plugin)} does not say which code"


def find_repeated(records: Iterable[str]) -> set[str]:
    """What is there more than once."""
    return {name for name, count in Counter(records).items() if count > 1}


def _find_wild(record: Mapping[str, Any] | list[Any], where: tuple[str, ...] = ()) -> Iterator[Fault]:
    """Numbers that count or time nothing."""
    for key, value in record.items() if isinstance(record, dict) else enumerate(record):
        if isinstance(value, int | float):
            if not 0 <= value <= MOST:
                yield ".".join((*where, str(key))), f"{show(value)} is not from 0 to 10^15"
        elif isinstance(value, dict | list) and (inner := (*where, str(key))) not in _FREE:
            yield from _find_wild(value, inner)


def _find_half_letters(record: object, where: tuple[str, ...] = ()) -> Iterator[Fault]:
    """Texts that no file in UTF-8 can hold."""
    if isinstance(record, dict | list):
        for key, value in record.items() if isinstance(record, dict) else enumerate(record):
            yield from _find_half_letters(str(key), where)
            yield from _find_half_letters(value, (*where, str(key)))
    elif isinstance(record, str) and not record.isascii():
        try:
            record.encode("utf-8")
        except UnicodeEncodeError:
            yield ".".join(where), f"{show(record)} is no text"
