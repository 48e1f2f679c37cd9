"""`cdner-bench plugin` starts a plugin and checks one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....errors import OptionError
from ...common import HERE, Disabled, PluginFiles
from .environments import enter

app = typer.Typer(help="Start a plugin, and check that a method keeps the contract.", no_args_is_help=True)


@app.command()
def new(
    name: str, folder: Annotated[Path, typer.Option("--in", help="Where to put it.", metavar="DIR")] = HERE
) -> None:
    """Write a small working plugin for a method called NAME."""
    from .... import plugins
    from ....plugins import scaffold

    if name in [entry.spec.name for entry in plugins.discover()]:
        raise OptionError(f"there is a method {name!r} already", hint="choose another name")
    place = scaffold.create(name, folder)
    module = next(place.glob("*.py"))
    print(f"wrote {place}; try it:")
    print(f"  cdner-bench plugin check {name} --plugin {module}")
    print(f"  cdner-bench run --method {name} --setting multi --benchmark mini --plugin {module}")
    print(f"or install it, and leave out --plugin: pip install -e {place}")


@app.command()
def check(
    context: typer.Context,
    name: str,
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
    option: Annotated[list[str], typer.Option("-o", "--option", metavar="KEY=VALUE")] = [],
) -> int:
    """Run the conformance suite on the method called NAME."""
    from .... import plugins
    from ....plugins import conformance, options

    entry = plugins.discover(plugin, no_plugin).get(name)
    if (status := enter(entry, context.obj)) is not None:
        return status
    broken = 0
    for result in conformance.check(entry, options.parse_assignments(option), plugin):
        verdict = "FAIL" if result.problem else "ok  "
        print(f"{verdict}  {result.promise}{result.problem and f': {result.problem}'}", flush=True)
        broken += bool(result.problem)
    print(f"{name} {'keeps the contract' if not broken else f'breaks {broken} promises'}")
    return min(broken, 1)
