"""Typed options: a method's frozen dataclass filled from presets and `-o name=value`, each value checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from ..errors import OptionError, did_you_mean
from ..io import content

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


@dataclasses.dataclass(frozen=True)
class Supplies:
    """Marks an option that names a file to take instead of a resource of the benchmark."""

    resource: str


def supplies(resource: str) -> Supplies:
    """The role of an option that may name a file to take instead of a resource of the benchmark."""
    return Supplies(resource)


chooses_knowledge = "chooses knowledge"
"""Marks an option that chooses the corpus of explanations which a method learns from: runs that are alike in all other
options form a series over corpora.
"""


def names_with_role(options: Any, role: object) -> tuple[str, ...]:
    """The names of the options that are marked with a role."""
    hints = get_type_hints(type(options), include_extras=True)
    return tuple(field.name for field in dataclasses.fields(options) if role in get_args(hints[field.name]))


def with_role(options: Any, role: object) -> Any:
    """The value of the option that is marked with a role; None where there is no such option."""
    marked = names_with_role(options, role)
    return getattr(options, marked[0]) if marked else None


def resolve(options: type, layers: Iterable[Mapping[str, object]], owner: str) -> Any:
    """An instance of the dataclass `options`; later layers win, and text becomes the declared type ("1e-4", "true").

    Raises `OptionError` that names the option of `owner` and the choices.
    """
    from pydantic import TypeAdapter, ValidationError

    hints = get_type_hints(options, include_extras=True)
    names = [field.name for field in dataclasses.fields(options)]
    values: dict[str, object] = {}
    for layer in layers:
        for name, value in layer.items():
            if name not in names:
                raise OptionError(f"{owner} has no option {name!r}", hint=did_you_mean(name, names))
            try:
                values[name] = _validated(TypeAdapter(hints[name]), value)
            except ValidationError as error:
                problem = error.errors()[0]["msg"]
                raise OptionError(f"{owner}: option {name}={value!s}: {problem[0].lower()}{problem[1:]}") from None
    try:
        return options(**values)
    except TypeError as error:
        raise OptionError(f"{owner}: {str(error).removeprefix(f'{options.__qualname__}.__init__() ')}") from None


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
    """Resolved options as plain values, for the record and the id: a file or folder is its name and its content.
    Operational ones are left out.
    """
    from pydantic_core import to_jsonable_python

    hints = get_type_hints(type(options), include_extras=True)
    recorded = [f.name for f in dataclasses.fields(options) if operational not in get_args(hints[f.name])]
    values = {name: getattr(options, name) for name in recorded}
    return {
        name: f"{value.name} ({content(value)[:12]})" if isinstance(value, Path) else to_jsonable_python(value)
        for name, value in values.items()
    }


def _validated(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValueError:
        if not isinstance(value, str) or value.lower() not in ("none", "null"):
            raise
        return adapter.validate_python(None)
