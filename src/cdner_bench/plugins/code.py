"""Which code a plugin is made of, as provenance: a hash of its own files and of what they import from the project.

Comments, docstrings and blank lines do not count. What a plugin is *declared* to be is `Spec.revision`; this hash says
whether its code was touched since, and stands in for a revision where none is declared.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from ..hashing import digest

CORE = "cdner_bench"
CONTRACT = ("plugins", "io", "errors", "hashing")
"""Parts of the core through which a method is called, and which decide nothing that it says."""


def hash_code(module: ModuleType) -> str:
    """Eight hex digits over the code of a plugin's top module, of its package, and of what those import.

    Followed are the packages beside it whose names begin with "cdner_", whole, and the modules of the core that its
    imported names come from, with what these import in turn, but for `CONTRACT`.
    """
    texts = sorted(strip_comments(path) for path in _closure(_files(Path(module.__file__ or ""))))
    return digest(texts)[:8]  # in an order that does not depend on where the files lie


def strip_comments(path: Path) -> str:
    """The text of a module without comments, docstrings (of fields, too), blank lines and trailing white space."""
    return _read(path.read_text(encoding="utf-8"))[0]


@cache
def _read(text: str) -> tuple[str, tuple[ast.ImportFrom, ...]]:
    """A module's text without what does not count, and what it imports from others: by its text, as a process asks for
    the same modules with every plugin.
    """
    lines = text.splitlines()
    imports: list[ast.ImportFrom] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            imports.append(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            end = node.end_lineno or node.lineno
            lines[node.lineno - 1 : end] = [""] * (end - node.lineno + 1)
    for token in tokenize.generate_tokens(io.StringIO(text).readline) if "#" in text else ():
        row, column = token.start
        if token.type == tokenize.COMMENT and lines[row - 1]:
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(filter(None, map(str.rstrip, lines))), tuple(imports)


def _files(top: Path) -> list[Path]:
    """The files of a package, or of a module that is one file."""
    return sorted(top.parent.rglob("*.py")) if top.name == "__init__.py" else [top]


def _closure(files: list[Path]) -> set[Path]:
    reached: set[Path] = set()
    waiting = list(files)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += _imported(path)
    return reached


def _imported(path: Path) -> Iterator[Path]:
    """The project's files that a file imports from, at its top or inside a function."""
    core = _package(CORE)
    inside = core is not None and core.parent in path.parents
    for node in _read(path.read_text(encoding="utf-8"))[1]:
        names = [alias.name for alias in node.names]
        if inside and core is not None and node.level:
            base = path.parent
            for _ in range(node.level - 1):
                base = base.parent
            yield from _of_core(base.joinpath(*(node.module or "").split(".")), names, core.parent)
        elif not node.level and node.module == CORE and core is not None:
            yield from _of_core(core.parent, names, core.parent)
        elif not node.level and node.module and node.module.startswith("cdner_") and node.module != CORE:
            top = _package(node.module.split(".")[0])
            yield from _files(top) if top else ()


def _of_core(place: Path, names: list[str], core: Path) -> Iterator[Path]:
    """Where names that are imported from a module or package of the core are defined."""
    module = place.with_suffix(".py") if place != core else place
    if module.is_file():
        if module.relative_to(core).parts[0].removesuffix(".py") not in CONTRACT:
            yield module
        return
    if place != core and place.relative_to(core).parts[0] in CONTRACT:
        return
    origins = _reexported(place / "__init__.py")
    for name in names:
        if name in origins and origins[name].name != name:
            yield from _of_core(origins[name], [name], core)
        elif name in origins:
            yield from _whole(origins[name], core)
        elif (place / f"{name}.py").is_file() or (place / name).is_dir():
            yield from _whole(place / name, core)


def _whole(place: Path, core: Path) -> Iterator[Path]:
    """A module of the core, or all modules of a package of it."""
    if place.relative_to(core).parts[0] not in CONTRACT:
        yield from [place.with_suffix(".py")] if place.with_suffix(".py").is_file() else sorted(place.rglob("*.py"))


@cache
def _reexported(init: Path) -> dict[str, Path]:
    """Which names a package takes from its modules, and from which."""
    origins: dict[str, Path] = {}
    if init.is_file():
        for node in ast.walk(ast.parse(init.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                place = init.parent.joinpath(*(node.module or "").split("."))
                for alias in node.names:
                    inner = place / alias.name
                    is_module = inner.with_suffix(".py").is_file() or inner.is_dir()
                    origins[alias.asname or alias.name] = inner if is_module else place
    return origins


@cache
def _package(name: str) -> Path | None:
    """The `__init__.py` or the file of a package that is installed, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin) if spec is not None and spec.origin else None
