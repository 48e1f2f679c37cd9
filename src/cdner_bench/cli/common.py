"""Arguments that several commands share, and small pieces of output."""

from __future__ import annotations

import gc
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import OptionError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..data import Benchmark
    from ..drawing import Grid

BenchmarkName = Annotated[
    str | None,
    typer.Option("--benchmark", help="A shipped benchmark, or the .toml file of one.", metavar="NAME"),
]
PluginFiles = Annotated[list[Path], typer.Option("--plugin", help="A plugin that is one Python file.", metavar="FILE")]
Disabled = Annotated[list[str], typer.Option("--no-plugin", help="Leave out an installed plugin.", metavar="NAME")]
Out = Annotated[Path, typer.Option("--out", help="The folder with runs/ and leaderboards/.", metavar="DIR")]
HERE = Path()
UNBOUNDED = 100_000
"""The width of what is no terminal."""


@contextmanager
def uncollected() -> Iterator[None]:
    """In the block nothing is collected: what a file holds is no garbage, and to look for it there takes up to a third
    of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def choose_benchmark(name: str | None, *, recorded: str | None = None, quiet: bool = False) -> Benchmark:
    """The benchmark asked for, or the one that a record names, or the default one; says which and why, unless
    `quiet`.
    """
    from ..data import benchmark

    if name is not None:
        data, why = benchmark.load(name), "as asked"
    elif recorded is not None:
        data, why = benchmark.load_recorded(recorded), "as recorded"
    else:
        data, why = benchmark.choose_default()
    if not quiet:
        print(f"benchmark {data.given} version {data.version} ({why})", flush=True)
    return data


def split_names(option: str, text: str) -> list[str]:
    """`"ai, music"` as a list, each name once. Raises `OptionError` if there is none."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise OptionError(f"{option} names nothing", hint=f"write {option} NAME, or several with commas between")
    return list(dict.fromkeys(names))


def name_out(out: Path) -> list[str]:
    """What to type for the folder of runs and leaderboards; nothing where it is this one."""
    return [] if out.resolve() == HERE.resolve() else ["--out", str(out)]


def name_command(*words: str, out: Path = HERE) -> str:
    """A command of this program as it is typed, for the folder that somebody has named."""
    return shlex.join(["cdner-bench", *words, *name_out(out)])


def tell_command(*words: str, out: Path = HERE) -> None:
    """Print what to type next."""
    print(f"  → {name_command(*words, out=out)}")


def make_table(*headers: str, title: str = "", right: int = 0, keep: Sequence[str] = ()) -> Grid:
    """An empty table, its last `right` columns right-aligned. Where there is no room for all, the first stays longest,
    then those that `keep` names; the others go from the right.
    """
    from ..drawing import Grid

    made = Grid(title)
    ranks = {name: len(keep) - n for n, name in enumerate(keep)} | {headers[0]: len(keep) + 1}
    for n, header in enumerate(headers):
        made.add(header, "right" if n >= len(headers) - right else "left", ranks.get(header, 0))
    return made


def show(*renderables: RenderableType) -> None:
    """Print tables and lines. Where there is no terminal, every line is as long as it is."""
    import sys

    from .terminal import Terminal

    Terminal(width=None if sys.stdout.isatty() else UNBOUNDED).show(*renderables)
