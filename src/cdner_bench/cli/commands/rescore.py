"""`cdner-bench rescore`."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from ..common import HERE, Disabled, Out, PluginFiles


def rescore(
    out: Out = HERE,
    benchmark: Annotated[list[str], typer.Option(help="Only these; .toml files for your own.", metavar="NAME")] = [],
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> None:
    """Bring results to today's scorer and protocols, from the predictions that are kept beside them; trains nothing."""
    from ...data import benchmark as benchmarks
    from ...errors import ResultError
    from ...plugins import discover
    from ...running import Change
    from ...running import rescore as bring_to_today

    folder = out / "leaderboards" / "results"
    names = benchmark or [p.name for p in sorted(folder.glob("*")) if p.name in benchmarks.available()]
    if not names:
        raise ResultError(
            f"there are no results of shipped benchmarks in {folder}", hint="name yours: --benchmark FILE.toml"
        )
    registry = discover(plugin, no_plugin)
    changes: Counter[Change] = Counter()
    for name in names:
        for rescored in bring_to_today(out, benchmarks.load(name), registry):
            changes[rescored.change] += 1
            if rescored.change is not Change.NOTHING:
                print(f"{rescored.path}: {rescored.change}", flush=True)
    print("; ".join(f"{changes[change]} {change}" for change in Change if changes[change]) or "there are no results")
