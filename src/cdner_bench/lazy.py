"""Names of a package that are imported when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def import_later(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """A `__getattr__` for a package. `names` lists, under each module of the package, what is imported from it when it
    is first used; under `""` stand modules themselves. For the type checker, the package imports the same names as
    usual, under `TYPE_CHECKING`.
    """
    modules = {name: module for module, several in names.items() for name in several}

    def look_up(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = modules[name]
        value = getattr(import_module(f".{module}", package), name) if module else import_module(f".{name}", package)
        setattr(sys.modules[package], name, value)
        return value

    return look_up
