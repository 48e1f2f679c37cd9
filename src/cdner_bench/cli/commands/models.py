"""`cdner-bench models` fetches small backbones."""

from __future__ import annotations

from typing import Annotated

import typer

from ..common import make_table, show

app = typer.Typer(help="Small backbones, shipped or out of registry packages, pinned by SHA-256.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """The small backbones that presets use."""
    from ...io import models

    shown = make_table("model", "package", "licence", "what it is")
    for model in models.read_catalogue().values():
        shown.add_row(model.name, model.origin, model.licence, model.summary)
    show(shown)


@app.command()
def fetch(names: Annotated[list[str], typer.Argument(metavar="NAME...")]) -> None:
    """Download models into the cache. Methods do so by themselves when they first need one."""
    from ...io import models

    for name in names:
        print(f"{name}: {models.fetch(name)}", flush=True)


@app.command()
def rm(names: Annotated[list[str], typer.Argument(metavar="NAME...")]) -> None:
    """Remove fetched models from the cache; methods fetch them again when they need them."""
    from ...io import models

    for name in names:
        removed = models.remove(name)
        print(f"{name}: removed {', '.join(map(str, removed))}" if removed else f"{name}: not in the cache")
