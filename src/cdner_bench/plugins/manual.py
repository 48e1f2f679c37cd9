"""What there is to know of a method or an analysis before it is run: its options, in words."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from .method import Plugged, Spec
from .options import list_options, operational, read_option

_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_WORDS: Mapping[object, str] = {str: "text", Path: "path", bool: "true | false", NoneType: "none"}
_PATHS = {"file": "file", "dir": "folder"}


@dataclass(frozen=True)
class OptionFacts:
    """An option as it is typed: what it can be, what it is, what presets that name it set, and what it means, which is
    the text below it in the dataclass. One that is not `decisive` says how a run is made, and not what comes out.
    """

    name: str
    kind: str
    default: str
    presets: Mapping[str, str]
    meaning: str
    decisive: bool


@dataclass(frozen=True)
class OptionGroup:
    """The options of a group, or those in none, whose `name` is empty; and the docstring of their dataclass."""

    name: str
    meaning: str
    options: Sequence[OptionFacts]


def describe(spec: Spec, base: type[Plugged]) -> Iterator[OptionGroup]:
    """The options of a method or an analysis, group by group, first those that are in none."""
    options = spec.load(base).Options
    formerly: Mapping[str, str] = getattr(options, "formerly", {})
    default = spec.resolve(None, {}, base)
    presets = {
        preset: {name: read_option(made, name) for name in (formerly.get(key, key) for key in values)}
        for preset, values in spec.presets.items()
        for made in [spec.resolve(preset, {}, base)]
    }
    hints = list_options(options)
    for group, holder in _list_groups(options):
        meanings = _read_meanings(holder)
        yield OptionGroup(
            group,
            _read_docstring(holder),
            [
                OptionFacts(
                    name,
                    show_type(hint),
                    show_value(read_option(default, name)),
                    {preset: show_value(values[name]) for preset, values in presets.items() if name in values},
                    meanings.get(name.rpartition(".")[2], ""),
                    operational not in get_args(hint),
                )
                for name, hint in hints.items()
                if name.rpartition(".")[0] == group
            ],
        )


def _list_groups(options: type, name: str = "") -> Iterator[tuple[str, type]]:
    yield name, options
    for field, hint in get_type_hints(options).items():
        if isinstance(hint, type) and is_dataclass(hint):
            yield from _list_groups(hint, f"{name}.{field}".removeprefix("."))


def _read_docstring(options: type) -> str:
    """What a dataclass says of itself, unless it was left to make that up."""
    text = inspect.getdoc(options) or ""
    return "" if text.startswith(f"{options.__name__}(") else text


def _read_meanings(options: type) -> dict[str, str]:
    """The text below each field, also those of the classes that it inherits from."""
    meanings: dict[str, str] = {}
    for holder in reversed(options.__mro__[:-1]):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(holder))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue  # there is no file
        for field, below in pairwise(getattr(tree, "body", ())):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                meanings[ast.unparse(field.target)] = " ".join(str(below.value.value).split())
    return meanings


def show_type(hint: Any) -> str:
    """What may be typed for an option of a declared type: "int > 0", "sqrt | concat", "file | none"."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        marks = [mark for given in arguments[1:] for mark in (given, *getattr(given, "metadata", ()))]
        paths = [_PATHS[kind] for mark in marks if (kind := getattr(mark, "path_type", None)) in _PATHS]
        bounds = [
            f"{sign} {bound}"
            for mark in marks
            for name, sign in _BOUNDS.items()
            if (bound := getattr(mark, name, None)) is not None
        ]
        return f"{paths[0] if paths else show_type(arguments[0])} {' and '.join(bounds)}".rstrip()
    if origin is Literal:
        return " | ".join(map(show_value, arguments))
    if origin in (Union, UnionType):
        return " | ".join(map(show_type, arguments))
    return _WORDS.get(hint) or (hint.__name__ if isinstance(hint, type) and origin is None else str(hint))


def show_value(value: object) -> str:
    """A value as it is typed."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
