"""`cdner-bench models` fetches small backbones; `cdner-bench predict` uses the model of a finished run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError, did_you_mean
from ..common import HERE, Disabled, Out, PluginFiles, make_table, show
from ..streams import check_output, write_files
from .plugged.environments import enter

if TYPE_CHECKING:
    from ...types import Prediction

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
        models.find(name)  # before anything is done with the others
    for name in names:
        print(f"{name}: {models.fetch(name)}", flush=True)


@app.command()
def rm(names: Annotated[list[str], typer.Argument(metavar="NAME...")]) -> None:
    """Remove fetched models from the cache; methods fetch them again when they need them."""
    from ...io import models

    for name in names:
        models.find(name)  # before anything is done with the others
    for name in names:
        removed = models.remove(name)
        print(f"{name}: removed {', '.join(map(str, removed))}" if removed else f"{name}: not in the cache")


def predict(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(help="The id of a finished run, or its first digits; its result; the folder of a model.")
    ],
    file: Annotated[
        Path,
        typer.Argument(help="Sentences in any of the formats of docs/formats.md, or one a line as text; - is stdin."),
    ],
    to: Annotated[str, typer.Option(help="jsonl, bio, character-spans or brat.", metavar="NAME")] = "jsonl",
    output: Annotated[
        Path | None,
        typer.Option(help="Where to write; else standard output. brat needs it: the name before .txt and .ann."),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="What FILE is, text say; else told from its content.", metavar="NAME")
    ] = None,
    option: Annotated[
        list[str],
        typer.Option("-o", "--option", help="How the model is asked: base_url=..., say.", metavar="KEY=VALUE"),
    ] = [],
    out: Out = HERE,
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> int:
    """Label sentences with the model that a finished run has kept."""
    from dataclasses import replace

    from ... import plugins
    from ...data import readers
    from ...plugins import options
    from ...running import kept_models
    from ..display import Notes

    if to not in readers.WRITERS:
        raise OptionError(f"there is no format {to!r}", hint=did_you_mean(to, readers.WRITERS))
    if output is None and to == "brat":
        raise OptionError("brat is several files", hint="name them: --output NAME")
    if output is not None and (output.is_dir() or not output.name):
        raise OptionError(f"--output: {output} is a folder", hint="name a file in it")
    registry = plugins.discover(plugin, no_plugin)
    folder = kept_models.find(run, out, registry)
    card = kept_models.read(folder)
    if (status := enter(registry.get(card.method.name), context.obj)) is not None:
        return status
    found = readers.read_unlabelled(file, format)
    if output is not None:
        check_output("--output", output, to, file)
    readers.check_writable(found.sentences, to)
    labeller = kept_models.prepare(folder, card, registry, options.parse_assignments(option))
    for line in (str(card), card.terms, str(found), *found.remarks):
        _say(line)
    said = labeller.label([s.tokens for s in found.sentences], out, Notes())
    labelled = [replace(s, entities=p.entities) for s, p in zip(found.sentences, said, strict=True)]
    written = readers.write(labelled, to)
    write_files(written.files, output, to)
    for line in (*written.losses, *_describe(said)):
        _say(line)
    return 0


def _describe(said: Sequence[Prediction]) -> Iterator[str]:
    """What came of sentences, and what of them the model could not read or place."""
    from ...types import Cut

    entities = sum(len(p.entities) for p in said)
    yield f"{entities:,} entities in {sum(bool(p.entities) for p in said):,} of {len(said):,} sentences"
    if long := sum(Cut.PROMPT in p.cut or p.unseen > 0 for p in said):
        yield f"{long:,} sentences are longer than what the model reads, and not labelled to their ends: shorten them"
    if cut := sum(Cut.ANSWER in p.cut for p in said):
        yield f"{cut:,} answers were cut off by a limit"
    if rejected := sum(len(p.rejected) for p in said):
        yield f"{rejected:,} things that the model said are no entity of a sentence, and left out"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
