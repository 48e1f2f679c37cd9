"""`cdner-bench compare` says where two methods differ, and how sure that is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import Annotated

import typer

from ....errors import OptionError, did_you_mean
from ...common import HERE, UNBOUNDED, BenchmarkName, Out, split_names
from ...streams import find_drawn

FEW = 5
_NAMED = "A method, a row (method-1a2b3c4d), a run (its id, METHOD/TARGET/SEED or its file) or a file of predictions."


def compare(
    a: Annotated[str, typer.Argument(help=_NAMED, metavar="A")],
    b: Annotated[str, typer.Argument(help="The same.", metavar="B")],
    setting: Annotated[str | None, typer.Option(help="Results of this setting.", metavar="NAME")] = None,
    target: Annotated[str | None, typer.Option(help="Only these domains.", metavar="NAME[,NAME]")] = None,
    benchmark: BenchmarkName = None,
    out: Out = HERE,
    protocol: Annotated[str | None, typer.Option(help="Compare the scores under this one.", metavar="NAME")] = None,
    sentences: Annotated[
        int | None,
        typer.Option(min=0, help=f"How many sentences to show; {FEW} as text, 100 as html, else all.", metavar="N"),
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="html, json or csv in place of text.", metavar="NAME")
    ] = None,
) -> None:
    """Compare A with B on the test sentences that both answer: the difference with its interval and p, the entities
    gained and lost, and the sentences that changed, those on which A loses most first.
    """
    from ....comparing import FORMATS, draw_figures, draw_sentences
    from ....comparing import compare as compare_sides
    from ....marking import Marked
    from ...terminal import Terminal

    if format_ is not None and format_ not in ("text", *FORMATS):
        raise OptionError(f"unknown format {format_!r}", hint=did_you_mean(format_, ["text", *FORMATS]))
    found = compare_sides(
        a,
        b,
        benchmark=benchmark,
        setting=setting,
        targets=split_names("--target", target) if target is not None else [],
        out=out,
        **({} if protocol is None else {"protocol": protocol}),
    )
    if format_ is not None and format_ in FORMATS:
        print(FORMATS[format_](found, sentences), end="")
        return
    terminal = Terminal(width=None if sys.stdout.isatty() else UNBOUNDED)
    number = FEW if sentences is None else sentences
    with terminal.capture() as said:
        for part in (*draw_figures(found, terminal.width), *draw_sentences(found, number, terminal.width)):
            if isinstance(part, Marked):
                terminal.print(part)
            else:
                terminal.show(part)
    show_paged(said.get(), terminal.height)


def show_paged(text: str, height: int) -> None:
    """Print what is drawn already; through $PAGER, or less, where both ends are a terminal that it does not fit."""
    pager = shlex.split(os.environ.get("PAGER", "")) or ["less"]
    if sys.stdout.isatty() and sys.stdin.isatty() and text.count("\n") >= height and shutil.which(pager[0]):
        shown = text.encode(sys.stdout.encoding, "replace")
        subprocess.run(pager, input=shown, env={"LESS": "-R", **os.environ}, check=False)
    else:
        find_drawn(sys.stdout).write(text)
