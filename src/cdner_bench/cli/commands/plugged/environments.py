"""`cdner-bench environments` makes the interpreters of methods whose libraries conflict with those of others."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import OptionError
from ...common import Disabled, PluginFiles, make_table, show

if TYPE_CHECKING:
    from ....environments import Environment
    from ....plugins import Registered

app = typer.Typer(
    help="Interpreters of their own for methods whose libraries conflict with others.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="METHOD")]


@app.command("list")
def list_(plugin: PluginFiles = [], no_plugin: Disabled = []) -> None:
    """The methods that have one, whether it is made, and where."""
    from ....errors import PluginError
    from ....plugins import discover

    shown = make_table("method", "environment", "made", "lock", keep=("environment",))
    for entry in discover(plugin, no_plugin):
        if entry.environment:
            try:
                made = "yes" if entry.environment.is_made else "no"
                shown.add_row(entry.spec.name, str(entry.environment), made, str(entry.environment.lock))
            except PluginError as error:
                made = f"no: {error}"
                shown.add_row(entry.spec.name, entry.spec.environment, made, str(entry.environment.lock))
    if shown.rows:
        show(shown)
    else:
        print("no method here has an environment of its own (docs/add-a-method.md)")


@app.command()
def make(name: Name, plugin: PluginFiles = [], no_plugin: Disabled = []) -> None:
    """Make the environment of METHOD from its lock, with pip."""
    from .... import environments

    environment = _find(name, plugin, no_plugin)
    environments.make(environment)
    print(f"{environment}: {environment.folder}")


@app.command()
def lock(
    name: Name,
    packages: Annotated[list[str], typer.Argument(metavar="PACKAGE...", help="As pip takes them: 'gliner<0.3', say.")],
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> None:
    """Write the lock of METHOD: what these packages and the harness need together, pinned. Runs of another lock are
    other runs.
    """
    from .... import environments

    environment = _find(name, plugin, no_plugin)
    count = environments.write_lock(environment, packages)
    print(f"{environment.lock}: {count} packages")
    print(f"  → {environment.name_command('make')}")


@app.command()
def rm(name: Name, plugin: PluginFiles = [], no_plugin: Disabled = []) -> None:
    """Remove the environment of METHOD; its lock stays, and so do the runs."""
    environment = _find(name, plugin, no_plugin)
    there = environment.folder.is_dir()
    shutil.rmtree(environment.folder, ignore_errors=True)
    print(f"{environment}: {f'removed {environment.folder}' if there else 'is not made'}")


def enter(entry: Registered, words: Sequence[str]) -> int | None:
    """Type a command again in the environment of a method, and return its exit status. None if the method has none, or
    this is it. Raises `NotRunError` if it is not made.
    """
    apart = entry.environment
    if not apart or apart.is_here:
        return None
    apart.require()
    python, variables = apart.describe_process()
    return subprocess.run([python, "-m", "cdner_bench", *_leave_out(words)], env=variables, check=False).returncode


def _leave_out(words: Sequence[str]) -> Iterator[str]:
    """The words without what disables plugins: there are no others there."""
    rest = iter(words)
    for word in rest:
        if word == "--no-plugin":
            next(rest, None)
        elif not word.startswith("--no-plugin="):
            yield word


def _find(name: str, plugin: PluginFiles, no_plugin: Disabled) -> Environment:
    from ....plugins import discover

    entry = discover(plugin, no_plugin).get(name)
    if entry.environment is None:
        raise OptionError(
            f"{name} has no environment of its own: it runs where cdner-bench is installed",
            hint="for a method whose libraries conflict with others: docs/add-a-method.md",
        )
    return entry.environment
