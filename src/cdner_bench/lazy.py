"""Names of a package that are imported when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def import_later(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """A `__getattr__` for a package, that finds each name in its module below the package (`""`: the name is a module
    itself). To the type checker such names are imported as usual, beside it.
    """

    def look_up(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = modules[name]
        value = getattr(import_module(f".{module}", package), name) if module else import_module(f".{name}", package)
        setattr(sys.modules[package], name, value)
        return value

    return look_up
