"""A virtual environment that belongs to a lock: where it is, whether it is made, and how something is run in it.

The lock is a requirements file beside the plugin's module, with every package pinned, those of the harness included.
The code of the harness and of the plugin is not installed: it is linked in from where it is, so that a run in the
environment is made by the same code as any other.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..errors import NotRunError, PluginError
from ..hashing import digest
from ..io import find_cache_dir, read_text, write_atomic

MADE = "made"
"""The file that tells a whole environment from one whose making was interrupted."""
_PINNED = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.+!-]+(\s*;[^#]*)?(\s+--hash=\w+:[0-9a-f]+)*")
_OWN = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Environment:
    """The environment of a lock, for a method as `typed` on the command line. `links` are the modules that are linked
    into it, by the names that they are imported by; `told` is what installed packages say of themselves, as files of a
    folder `*.dist-info`.
    """

    lock: Path
    typed: str
    links: Mapping[str, Path] = field(default_factory=dict, hash=False)
    told: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """The name and the hash of the lock."""
        return f"{self.lock.stem} {self.hash}"

    @cached_property
    def pins(self) -> Sequence[str]:
        """The lines of the lock that are no comments, in order of the alphabet.

        Raises `PluginError` for a lock that is not there, or has a package that is not pinned.
        """
        lines = read_text(self.lock, PluginError, f"to write it, type: {self.name_command('lock', 'PACKAGE...')}")
        joined = lines.replace("\\\n", " ").splitlines()
        pins = sorted(filter(None, (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined)))
        for pin in pins:
            if not _PINNED.fullmatch(pin):
                raise PluginError(f"{self.lock}: {pin!r} is not pinned", hint="write NAME==VERSION")
        return pins

    @cached_property
    def hash(self) -> str:
        """Twelve hex digits over what is pinned: part of the identity of runs."""
        return digest(list(self.pins))[:12]

    @cached_property
    def folder(self) -> Path:
        """Where it is, or would be, in the cache. Each version of Python has its own."""
        version = f"py{sys.version_info.major}.{sys.version_info.minor}"
        return find_cache_dir() / "environments" / f"{self.lock.stem}-{self.hash}-{version}"

    def name_command(self, command: str, *words: str) -> str:
        """What to type to have something done with it."""
        return " ".join(["cdner-bench environments", command, self.typed, *words])

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return find_python(self.folder)

    @property
    def is_made(self) -> bool:
        """Whether something can be run in it."""
        return (self.folder / MADE).is_file()

    @property
    def is_here(self) -> bool:
        """Whether this process runs in it."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def require(self) -> None:
        """Raises `NotRunError` if it is not made, with what makes it."""
        if not self.is_made:
            name = self.typed.partition(" ")[0]
            said = f"{name} runs in an environment of its own, {self}, which is not made"
            raise NotRunError(said, hint=f"type: {self.name_command('make')}")

    def describe_process(self) -> tuple[Path, dict[str, str]]:
        """Its interpreter, and the variables with which that finds the harness and the plugin."""
        return self.python, {**strip_variables(), "PYTHONPATH": str(self._link())}

    def _link(self) -> Path:
        """The folder with the links; it is another for other places."""
        places = {name: str(path.resolve()) for name, path in self.links.items()}
        folder = self.folder / "links" / digest([sorted(places.items()), sorted(self.told.items())])[:12]
        folder.mkdir(parents=True, exist_ok=True)
        for name, place in places.items():
            with suppress(FileExistsError):
                (folder / name).symlink_to(place, target_is_directory=Path(place).is_dir())
        for name, text in self.told.items():
            write_atomic(folder / name, text)
        return folder


def strip_variables() -> dict[str, str]:
    """The variables of this process, without those that say where Python finds modules."""
    return {name: value for name, value in os.environ.items() if name not in _OWN}


def find_python(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
