"""`plugin new`: a small working plugin to start from."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from ..errors import OptionError


def create(name: str, folder: Path) -> Path:
    """Write a package for a method called `name` into `folder/name` and return that path.

    Raises `OptionError` for a name that cannot be one, or a folder that is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789") or "my-method"
        raise OptionError(
            f"{name!r} cannot be a method's name, which is lower-case words joined by '-'",
            hint=f"type: cdner-bench plugin new {near}",
        )
    place = folder / name
    if place.exists():
        raise OptionError(f"{place} is there already", hint="choose another name, or remove it")
    words = name.split("-")
    names = {
        "name": name,
        "module": f"cdner_{'_'.join(words)}",
        "class_name": "".join(w.capitalize() for w in words),
    }
    place.mkdir(parents=True)
    for template, target in (
        ("pyproject.toml.txt", "pyproject.toml"),
        ("plugin.py.txt", f"{names['module']}.py"),
    ):
        text = (files("cdner_bench.plugins") / "template" / template).read_text(encoding="utf-8")
        (place / target).write_text(Template(text).substitute(names), encoding="utf-8")
    return place
