"""Typed options: a method's frozen dataclass filled from presets and `-o name=value`, each value checked.

A field of the dataclass may be a frozen dataclass itself, a group: its options are called `group.name`.
`Options.formerly`, a mapping, says what options were called before: such names are accepted wherever one is named.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from ..errors import OptionError, did_you_mean
from ..io import hash_content

if TYPE_CHECKING:
    from pydantic import TypeAdapter

operational = "operational"
"""Marks an option that says how a run is made and not what comes out, `Annotated[int, operational]`: a limit, a place,
a rate. It is no part of the run's identity, so that changing it goes on with the same run.
"""

backbone = "backbone"
"""Marks the option that names the model a method starts from or asks, `Annotated[str, backbone]`: the record shows it
as such, and what it names is part of the run's identity by its content.
"""


chooses_knowledge = "chooses knowledge"
"""Marks an option that chooses the corpus of explanations which a method learns from: runs that are alike in all other
options form a series over corpora.
"""


@dataclasses.dataclass(frozen=True)
class Supplies:
    """Marks an option that names a file to take instead of a resource of the benchmark."""

    resource: str


def supplies(resource: str) -> Supplies:
    """The role of an option that may stand in for the file of a resource.

    Written `Annotated[FilePath | None, supplies("gtok")]`: where the option is given, the benchmark need not have it.
    """
    return Supplies(resource)


def names_with_role(options: Any, role: object) -> tuple[str, ...]:
    """The names of the options that are marked with a role, those of groups dotted."""
    return tuple(name for name, hint in list_options(type(options)).items() if role in get_args(hint))


def with_role(options: Any, role: object) -> Any:
    """The value of the option that is marked with a role; None where there is no such option."""
    marked = names_with_role(options, role)
    return read_option(options, marked[0]) if marked else None


def list_options(options: type) -> dict[str, Any]:
    """The declared type of every option, with its marks, those of groups by their dotted names."""
    hints = get_type_hints(options, include_extras=True)
    named: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            named |= {f"{field.name}.{name}": inner for name, inner in list_options(hint).items()}
        else:
            named[field.name] = hint
    return named


def read_option(options: Any, name: str) -> Any:
    """The value of an option by its name, dotted if it is in a group."""
    for part in name.split("."):
        options = getattr(options, part)
    return options


def resolve(options: type, layers: Iterable[Mapping[str, object]], owner: str) -> Any:
    """An instance of the dataclass `options`; later layers win, and text becomes the declared type ("1e-4", "true").

    Raises `OptionError` that names the option of `owner` and the choices.
    """
    from pydantic import TypeAdapter, ValidationError

    hints = list_options(options)
    formerly: Mapping[str, str] = getattr(options, "formerly", {})
    values: dict[str, object] = {}
    for layer in layers:
        for given, value in layer.items():
            name = formerly.get(given, given)
            if name not in hints:
                raise OptionError(f"{owner} has no option {given!r}", hint=_suggest(given, hints, formerly))
            try:
                values[name] = _validated(TypeAdapter(hints[name]), value)
            except ValidationError as error:
                problem = error.errors()[0]["msg"]
                raise OptionError(f"{owner}: option {given}={value!s}: {problem[0].lower()}{problem[1:]}") from None
    try:
        return _make(options, values)
    except TypeError as error:
        raise OptionError(f"{owner}: {str(error).removeprefix(f'{options.__qualname__}.__init__() ')}") from None


def _make(options: type, values: Mapping[str, object]) -> Any:
    """An instance with values by name; a group that has some keeps its other defaults."""
    own = {name: value for name, value in values.items() if "." not in name}
    grouped: dict[str, dict[str, object]] = {}
    for name, value in values.items():
        group, dot, inner = name.partition(".")
        if dot:
            grouped.setdefault(group, {})[inner] = value
    made = options(**own)
    return dataclasses.replace(made, **dict(_changed(made, grouped))) if grouped else made


def _changed(made: Any, grouped: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[str, Any]]:
    for group, values in grouped.items():
        yield group, dataclasses.replace(getattr(made, group), **values)


def _suggest(given: str, names: Iterable[str], formerly: Mapping[str, str]) -> str:
    """What may have been meant: options that end alike, or are of that group; else the one with the nearest name, of
    today or of before.
    """
    known = list(names)
    ending = [name for name in known if name.rpartition(".")[2] == given or name.startswith(f"{given}.")]
    if ending:
        return f"did you mean {', '.join(map(repr, ending))}?"
    near = difflib.get_close_matches(given, [*known, *formerly], n=1)
    return f"did you mean {formerly.get(near[0], near[0])!r}?" if near else did_you_mean(given, known)


def settle(options: Any) -> Any:
    """Resolved options as a run takes them. A dataclass of which something depends on where it runs, such as on an
    address in the environment, has a method `settle`: it returns the options with that filled in, so that it counts.
    """
    return options.settle() if hasattr(options, "settle") else options


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """`["epochs=10"]` as a mapping. Raises `OptionError` for anything without a name and a `=`."""
    parsed = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise OptionError(f"{assignment!r} is no option", hint="write -o name=value")
        parsed[name.strip()] = value
    return parsed


def as_dict(options: Any) -> dict[str, Any]:
    """Resolved options, or those of one group, as plain values, for the record and the id: a file or folder is its name
    and its content, an option in a group has its dotted name. Operational ones are left out.
    """
    from pydantic_core import to_jsonable_python

    recorded = [name for name, hint in list_options(type(options)).items() if operational not in get_args(hint)]
    values = {name: read_option(options, name) for name in recorded}
    return {
        name: f"{value.name} ({hash_content(value)[:12]})" if isinstance(value, Path) else to_jsonable_python(value)
        for name, value in values.items()
    }


def _validated(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValueError:
        if not isinstance(value, str) or value.lower() not in ("none", "null"):
            raise
        return adapter.validate_python(None)
