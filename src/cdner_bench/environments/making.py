"""Making environments out of locks, and locks out of what a method needs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path

from ..errors import PluginError
from ..io import lock, write_atomic
from .environment import MADE, Environment, find_python, strip_variables

PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
_HEAD = """\
# The packages of an environment of its own, with those of the harness. Made by:
#   {typed}
"""


def make(environment: Environment) -> None:
    """Make an environment from its lock, if that is not done yet; pip shows how far it is. Two processes do not make
    the same one. Raises `PluginError` if pip cannot install what is pinned, if that does not fit together, or if the
    harness does not run on it.
    """
    folder = environment.folder
    with lock(folder.with_name(folder.name + ".lock"), wait=True):
        if environment.is_made:
            return
        shutil.rmtree(folder, ignore_errors=True)
        _make_empty(folder)
        with tempfile.TemporaryDirectory() as place:
            pins = Path(place) / "pins.txt"
            pins.write_text("\n".join(environment.pins) + "\n", encoding="utf-8")
            _call(environment.python, *PIP, "install", "--no-deps", "-r", str(pins))
        _check(environment)
        write_atomic(folder / MADE, "")


def _check(environment: Environment) -> None:
    """Raises `PluginError` if a pinned package lacks another, or the harness one of its own."""
    again = f"to pin what is missing, type: {environment.name_command('lock', 'PACKAGE...')}"
    python, variables = environment.describe_process()
    for words, place in (
        ((*PIP, "check"), strip_variables()),
        (("-c", "from cdner_bench.running import runner"), variables),
    ):
        done = subprocess.run([python, *words], capture_output=True, text=True, env=place, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines()
            raise PluginError(f"{environment.lock} does not suffice: {said[-1] if said else 'no reason'}", hint=again)


def write_lock(environment: Environment, wanted: Sequence[str]) -> int:
    """Write the lock of an environment with what the requirements `wanted` and the harness need together, in the newest
    versions that fit. Returns how many packages it has. Raises `PluginError` if pip finds none.
    """
    own = [line for line in requires("cdner-bench") or () if "extra ==" not in line]
    with tempfile.TemporaryDirectory() as folder:
        python = _make_empty(Path(folder) / "environment")
        _call(python, *PIP, "install", *own, *wanted)
        frozen = subprocess.run(
            [python, *PIP, "freeze"], capture_output=True, text=True, env=strip_variables(), check=True
        ).stdout
    head = _HEAD.format(typed=environment.name_command("lock", *map(shlex.quote, wanted)))
    write_atomic(environment.lock, head + frozen)
    return len(frozen.splitlines())


def _make_empty(folder: Path) -> Path:
    venv.create(folder, with_pip=True, symlinks=sys.platform != "win32")
    return find_python(folder)


def _call(python: Path, *words: str) -> None:
    if subprocess.run([python, *words], stdout=sys.stderr, env=strip_variables(), check=False).returncode:
        raise PluginError("pip could not install the packages: what it said stands above")
