"""Typed options: a method's frozen dataclass filled from presets and `-o name=value`, each value checked.

A field of the dataclass may be a frozen dataclass itself, a group: its options are called `group.name`.
`Options.formerly`, a mapping, says what options were called before: such names are accepted wherever one is named.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import json
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from ..errors import CdnerWarning, OptionError, did_you_mean
from ..foreign import HIDDEN, hide, names_key, redact_all
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
    """The value of the first option that is marked with a role; None where there is no such option."""
    marked = names_with_role(options, role)
    return read_option(options, marked[0]) if marked else None


def all_with_role(options: Any, role: object) -> list[Any]:
    """The values of the options that are marked with a role, without those that are None."""
    values = (read_option(options, name) for name in names_with_role(options, role))
    return [value for value in values if value is not None]


def list_options(options: type) -> dict[str, Any]:
    """The declared type of every option, with its marks, those of groups by their dotted names."""
    hints = _read_hints(options)
    named: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            named |= {f"{field.name}.{name}": inner for name, inner in list_options(hint).items()}
        else:
            named[field.name] = hint
    return named


_read_hints = functools.cache(lambda options: get_type_hints(options, include_extras=True))


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
                raise OptionError(
                    f"{owner}: option {given}={value!s}: {problem[0].lower()}{problem[1:]}",
                    hint=f"type: cdner-bench list {owner.rpartition(' ')[2]}, which says what each option takes",
                ) from None
    try:
        return _make(options, values)
    except TypeError as error:
        raise OptionError(f"{owner}: {str(error).removeprefix(f'{options.__qualname__}.__init__() ')}") from None


def _make(options: type, values: Mapping[str, object]) -> Any:
    """An instance with values by name; a group that has some keeps its other defaults."""
    own = {name: value for name, value in values.items() if "." not in name}
    return _change(options(**own), {name: value for name, value in values.items() if "." in name})


def _change(made: Any, values: Mapping[str, object]) -> Any:
    changed: dict[str, object] = {name: value for name, value in values.items() if "." not in name}
    for group in dict.fromkeys(name.partition(".")[0] for name in values if "." in name):
        inner = {name.removeprefix(f"{group}."): v for name, v in values.items() if name.startswith(f"{group}.")}
        changed[group] = _change(getattr(made, group), inner)
    return dataclasses.replace(made, **changed) if changed else made


def _suggest(given: str, names: Iterable[str], formerly: Mapping[str, str], addresses: Iterable[str] = ()) -> str:
    """What may have been meant: options that end alike, or are of that group; else the one with the nearest name, of
    today or of before, or the nearest of the `addresses`.
    """
    known = list(names)
    ending = [name for name in known if name.rpartition(".")[2] == given or name.startswith(f"{given}.")]
    if ending:
        return f"did you mean {', '.join(map(repr, ending))}?"
    near = difflib.get_close_matches(given, [*known, *formerly, *addresses], n=1)
    near = near or [name for name in known if name.rpartition(".")[2] == given.rpartition(".")[2]][:1]
    return f"did you mean {formerly.get(near[0], near[0])!r}?" if near else did_you_mean(given, known)


def deal(given: Mapping[str, object], owners: Mapping[str, type]) -> dict[str, dict[str, object]]:
    """The options that each of several methods, or analyses, gets; `owners` has the dataclasses of theirs by name.
    `METHOD.KEY` is for one of them, and wins over a plain `KEY`, which all get that have it; who has not is said.

    Raises `OptionError` for an option that none has, and for a name that can be read in two ways.
    """
    formerly = {owner: dict(getattr(options, "formerly", {})) for owner, options in owners.items()}
    names = {owner: [*list_options(options), *formerly[owner]] for owner, options in owners.items()}
    plain: dict[str, dict[str, object]] = {owner: {} for owner in owners}
    addressed: dict[str, dict[str, object]] = {owner: {} for owner in owners}
    for name, value in given.items():
        having = [owner for owner in owners if name in names[owner]]
        aimed = {owner: name.removeprefix(f"{owner}.") for owner in owners if name.startswith(f"{owner}.")}
        if having:
            _refuse_two_readings(name, having, [owner for owner, key in aimed.items() if key in names[owner]])
            plain |= {owner: {**plain[owner], name: value} for owner in having}
            if lacking := [owner for owner in owners if owner not in having]:
                verb = "have" if len(lacking) > 1 else "has"
                said = f"-o {name} is for {', '.join(having)}; {', '.join(lacking)} {verb} no such option"
                warnings.warn(said, CdnerWarning, stacklevel=2)
        elif aimed or len(owners) == 1:  # who has no such option says so when its own are resolved
            for owner, key in (aimed or dict.fromkeys(owners, name)).items():
                addressed[owner][key] = value
        else:
            known = dict.fromkeys(option for options in owners.values() for option in list_options(options))
            before = {old: new for names_of in formerly.values() for old, new in names_of.items() if old not in known}
            addresses = (f"{owner}.{option}" for owner in owners for option in names[owner])
            raise OptionError(
                f"none of {', '.join(owners)} has an option {name!r}", hint=_suggest(name, known, before, addresses)
            )
    return {owner: plain[owner] | addressed[owner] for owner in owners}


def _refuse_two_readings(name: str, having: Iterable[str], aimed: Iterable[str]) -> None:
    for owner in aimed:
        other = next(iter(having))
        key = name.removeprefix(f"{owner}.")
        raise OptionError(
            f"-o {name} can be the option {key!r} of {owner}, and the option {name!r} of {', '.join(having)}",
            hint=f"write -o {other}.{name}=… for the latter; for the former, run {owner} alone, with -o {key}=…",
        )


def settle(options: Any) -> Any:
    """Resolved options as a run takes them. A dataclass of which something depends on where it runs, such as on an
    address in the environment, has a method `settle`: it returns the options with that filled in, so that it counts.
    """
    return options.settle() if hasattr(options, "settle") else options


def parse_assignments(assignments: Iterable[str], typed: str = "-o") -> dict[str, str]:
    """`["epochs=10"]` as a mapping; of two for one name, the last counts. Raises `OptionError` for anything without a
    name and a `=`, as it was `typed`.
    """
    parsed: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise OptionError(f"{assignment!r} is no option", hint=f"write {typed} name=value")
        parsed[name.strip()] = value
    return parsed


def as_dict(options: Any) -> dict[str, Any]:
    """Resolved options, or those of one group, as plain values, for the record and the id: a file or folder is its name
    and its content, an option in a group has its dotted name. Operational ones are left out, and so is every key: what
    an option holds whose name says that it is one, and what looks like one. Raises `OptionError` for a text, or the
    name of a file, that no file in UTF-8 can hold.
    """
    from pydantic_core import to_jsonable_python

    recorded = [name for name, hint in list_options(type(options)).items() if operational not in get_args(hint)]
    values = {name: read_option(options, name) for name in recorded}
    plain = {name: _to_plain(name, value, to_jsonable_python) for name, value in values.items()}
    for name, value in plain.items():
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise OptionError(f"option {name}={value}: no record can hold it", hint="write it in UTF-8") from None
    return plain


def _to_plain(name: str, value: object, to_json: Callable[[object], Any]) -> Any:
    if isinstance(value, Path):
        return f"{value.name} ({hash_content(value)[:12]})"
    if names_key(name) and value is not None:
        hide(str(value))
        return HIDDEN
    return redact_all(to_json(value))


def reread(options: type, recorded: Mapping[str, object]) -> dict[str, object]:
    """What of recorded options (`as_dict`) can be resolved again anywhere: not the files, which only training reads,
    and not the keys. Raises `OptionError` for one that is never recorded.
    """
    formerly: Mapping[str, str] = getattr(options, "formerly", {})
    hints = list_options(options)
    read = {}
    for given, value in recorded.items():
        name = formerly.get(given, given)
        if name not in hints or operational in get_args(hints[name]):
            raise OptionError(f"the record has an option {given!r}, which no record of this method has")
        if value != HIDDEN and not (value is not None and _names_file(hints[name])):
            read[name] = value
    return read


def _names_file(hint: Any) -> bool:
    return (isinstance(hint, type) and issubclass(hint, Path)) or any(map(_names_file, get_args(hint)))


def _validated(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValueError:
        if not isinstance(value, str) or value.lower() not in ("none", "null"):
            raise
        return adapter.validate_python(None)
