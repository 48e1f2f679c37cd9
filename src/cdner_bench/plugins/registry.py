"""Finding plugins: installed entry points (group `cdner_bench`) and files named by `--plugin`. One registry."""

from __future__ import annotations

import difflib
import importlib.util
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pluggy

from ..environments import Environment
from ..errors import OptionError, PluginError, did_you_mean
from ..names import check_name
from ..version import __version__
from . import hookspecs
from .code import hash_code
from .method import Spec, name_entry

GROUP = "cdner_bench"
LARGEST = 1_000_000
"""How many characters are looked at of a file that may be a plugin."""


@dataclass(frozen=True)
class PluginFacts:
    """Where a plugin comes from: its name, its release, how it was found ("file", "editable" or "installed"), and the
    hash of its code. This is provenance, and no part of a run's identity.
    """

    name: str
    release: str
    origin: str
    code: str


_Loaded = tuple[str, str, ModuleType]
_Candidate = tuple[str, str, str, Callable[[], ModuleType]]
"""A plugin's name, its release, how it is found, and how to import it."""


@dataclass(frozen=True)
class Registered:
    """A method or an analysis, and the plugin it comes from."""

    spec: Spec
    plugin: str
    release: str
    origin: str
    module: ModuleType

    def __post_init__(self) -> None:
        """Raises `PluginError` for a name that is none: names become paths."""
        check_name(self.plugin, "a plugin", PluginError)
        who = f"plugin {self.plugin!r}: "
        check_name(self.spec.name, f"{who}a method or an analysis", PluginError)
        named = {"preset": self.spec.presets, "resource": list(map(name_entry, self.spec.resources))}
        named["environment"] = (self.spec.environment,) if self.spec.environment is not None else ()
        for kind, names in named.items():
            for name in names:
                check_name(name, f"{who}a {kind} of {self.spec.name}", PluginError)

    @cached_property
    def facts(self) -> PluginFacts:
        """Where the plugin comes from. Its code is read when this is first asked for."""
        return PluginFacts(self.plugin, self.release, self.origin, hash_code(self.module))

    @property
    def revision(self) -> str:
        """What stands for the code in a run's identity: the declared revision, or the code's hash if there is none; and
        the lock of the environment, if it has one of its own. Raises `PluginError` for a lock that is none.
        """
        own = f"code {self.facts.code}" if self.spec.revision is None else str(self.spec.revision)
        return f"{own}, environment {self.environment}" if self.environment else own

    def list_words(self) -> list[str]:
        """What to type so that a plugin is known that is not installed; nothing for one that is."""
        return ["--plugin", os.path.relpath(self.module.__file__ or "")] if self.origin == "file" else []

    @cached_property
    def environment(self) -> Environment | None:
        """The interpreter of its own that makes its runs, if its spec names one."""
        if self.spec.environment is None:
            return None
        lock = Path(self.module.__file__ or "").absolute().with_name(f"{self.spec.environment}.lock")
        return Environment(lock, shlex.join([self.spec.name, *self.list_words()]), *_list_links(self, lock))


def _list_links(entry: Registered, lock: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """What an environment needs of the harness and of an installed plugin: modules, and what says that there are these.
    A plugin file is read from where it is.
    """
    links = {"cdner_bench": Path(__file__).parents[1]}
    told = {f"cdner_bench-{__version__}.dist-info/METADATA": _tell("cdner-bench", __version__)}
    if entry.origin != "file":
        own = entry.module.__name__.partition(".")[0]
        top = Path(sys.modules[own].__file__ or "")
        folder = top.parent.parent if top.name == "__init__.py" else top.parent
        found = (path for name in (own, f"{own}.py", "cdner_*") for path in folder.glob(name))
        modules = [path for path in found if path.suffix == ".py" or (path / "__init__.py").is_file()]
        links = {path.name: path for path in (*modules, lock)} | links
        info = f"cdner_bench_plugin_{entry.plugin}-{entry.release}.dist-info"
        told[f"{info}/METADATA"] = _tell(f"cdner-bench-plugin-{entry.plugin}", entry.release)
        told[f"{info}/entry_points.txt"] = f"[{GROUP}]\n{entry.plugin} = {entry.module.__name__}\n"
        if entry.origin == "editable":
            told[f"{info}/direct_url.json"] = json.dumps({"dir_info": {"editable": True}})
    return links, told


def _tell(name: str, release: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n"


class Registry:
    """All methods and all analyses by name."""

    def __init__(self, methods: Iterable[Registered], analyses: Iterable[Registered] = ()) -> None:
        self._methods = _by_name("a method", methods)
        self._analyses = _by_name("an analysis", analyses)

    def __iter__(self) -> Iterator[Registered]:
        """Go through the methods, in the order of their plugins."""
        return iter(self._methods.values())

    @property
    def analyses(self) -> list[Registered]:
        """The analyses, in the order of their plugins."""
        return list(self._analyses.values())

    def get(self, name: str) -> Registered:
        """The method called `name`. Raises `OptionError` with the nearest name."""
        return _found("method", name, self._methods)

    def analysis(self, name: str) -> Registered:
        """The analysis called `name`. Raises `OptionError` with the nearest name."""
        return _found("analysis", name, self._analyses)


def _by_name(what: str, entries: Iterable[Registered]) -> dict[str, Registered]:
    named: dict[str, Registered] = {}
    for entry in entries:
        other = named.setdefault(entry.spec.name, entry)
        if other is not entry:
            raise PluginError(
                f"plugins {other.plugin!r} and {entry.plugin!r} both register {what} {entry.spec.name!r}",
                hint=f"disable one of them: --no-plugin {entry.plugin}",
            )
    return named


def _found(kind: str, name: str, named: Mapping[str, Registered]) -> Registered:
    try:
        return named[name]
    except KeyError:
        files = [f"--plugin {shlex.quote(str(path))}" for path in _find_files(kind, name)]
        hint = f"a plugin file? add {' or '.join(files)}" if files else did_you_mean(name, named)
        raise OptionError(f"unknown {kind} {name!r}", hint=hint) from None


def _find_files(kind: str, name: str) -> list[Path]:
    """The plugin files at hand that are called like a method or an analysis, or register one; not what is loaded."""
    hook = f"def register_{'methods' if kind == 'method' else 'analyses'}("
    found = []
    for path in _list_files(Path()):
        called = path.stem.replace("_", "-").removeprefix("cdner-") == name.replace("_", "-")
        if path.stem not in sys.modules and (
            called or _holds(path, hook, f'"{name}"') or _holds(path, hook, f"'{name}'")
        ):
            found.append(path)
    return found


def _list_files(folder: Path) -> list[Path]:
    """The Python files in a folder, and in the folders in it, which `plugin new` makes."""
    return [path for path in sorted([*folder.glob("*.py"), *folder.glob("*/*.py")]) if path.is_file()]


def _holds(path: Path, *texts: str) -> bool:
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as stream:
        read = stream.read(LARGEST)
        return all(text in read for text in texts)
    return False


def discover(files: Iterable[Path] = (), disabled: Iterable[str] = ()) -> Registry:
    """Load every installed plugin and every file, but the disabled ones.

    Raises `PluginError` that names the plugin and how to disable it, for one that does not import, implements an
    unknown hook, registers nonsense, or takes a name that is taken.
    """
    blocked = frozenset(disabled)
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    loaded: dict[str, _Loaded] = {}
    found = [*_installed(), *map(_from_file, files)]
    names = [name for name, _, _, _ in found]
    for name in blocked - set(names):
        raise OptionError(f"--no-plugin {name}: there is no such plugin", hint=did_you_mean(name, names))
    for name, release, origin, load in found:
        if name in blocked:
            continue
        if name in loaded:
            raise PluginError(f"there are two plugins called {name!r}", hint=f"disable them: --no-plugin {name}")
        try:
            module = load()
            loaded[name] = (release, origin, module)
            manager.register(module, name=name)
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"plugin {name!r} fails to import: {error!r}", hint=f"disable it: --no-plugin {name}"
            ) from error
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(str(error), hint="the hooks are register_methods and register_analyses") from None
    return Registry(_registered(manager, "register_methods", loaded), _registered(manager, "register_analyses", loaded))


def _registered(manager: pluggy.PluginManager, hook: str, loaded: dict[str, _Loaded]) -> Iterator[Registered]:
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        name = implementation.plugin_name
        try:
            specs: list[object] = list(implementation.function())
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"plugin {name!r} fails in {hook}: {error!r}",
                hint=f"disable it: --no-plugin {name}",
            ) from error
        for spec in specs:
            if not isinstance(spec, Spec):
                raise PluginError(f"plugin {name!r} registers {spec!r}, which is not a cdner_bench.Spec")
            yield Registered(spec, name, *loaded[name])


def _installed() -> Iterator[_Candidate]:
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        yield point.name, point.dist.version if point.dist else "0", _how_installed(point), point.load


def _how_installed(point: EntryPoint) -> str:
    """An editable install says so in the file that pip leaves beside it."""
    said = (point.dist.read_text("direct_url.json") if point.dist else None) or "{}"
    return "editable" if json.loads(said).get("dir_info", {}).get("editable") else "installed"


def _from_file(path: Path) -> _Candidate:
    """Raises `PluginError` with the nearest file for one that is not there."""
    if not path.is_file():
        if path.is_dir():
            near = [file for file in _list_files(path) if _holds(file, "def register_")]
        else:
            files = {file.name: file for file in reversed(_list_files(path.parent))}
            near = [files[name] for name in difflib.get_close_matches(path.name, files, n=1)]
        hint = (
            f"did you mean --plugin {shlex.quote(str(near[0]))}?"
            if near
            else "name one that is there: --plugin FILE.py"
        )
        raise PluginError(f"{path} is a folder" if path.is_dir() else f"there is no file {path}", hint=hint)

    def load() -> ModuleType:
        if path.suffix != ".py" or path.stem in sys.stdlib_module_names:
            raise ImportError(f"{path.name} cannot be a plugin: name it my_method.py, say")
        module_spec = importlib.util.spec_from_file_location(path.stem, path)
        assert module_spec is not None, path
        assert module_spec.loader is not None, path
        module = importlib.util.module_from_spec(module_spec)
        sys.modules[path.stem] = module  # so that "module:Class" finds it
        module_spec.loader.exec_module(module)
        return module

    return path.stem, "0", "file", load
