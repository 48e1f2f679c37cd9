"""`cdner-bench leaderboard`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import OptionError, ResultError, did_you_mean
from ..files import write_atomic
from .common import HERE, Out, show, table

if TYPE_CHECKING:
    from ..benchmark import Benchmark


def leaderboard(
    out: Out = HERE,
    benchmark: Annotated[list[str], typer.Option(help="Only these; .toml files for your own.", metavar="NAME")] = [],
    format_: Annotated[str, typer.Option("--format", help="md, csv, latex, html or json.")] = "md",
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file would change.")] = False,
) -> int:
    """Regenerate leaderboards/<benchmark>/<setting>.md from the result files."""
    from ..formats import FORMATS, SUFFIXES

    if format_ not in FORMATS:
        raise OptionError(f"unknown format {format_!r}", hint=did_you_mean(format_, FORMATS))
    suffix = SUFFIXES.get(format_, format_)
    pages = _pages(out, benchmark, format_, suffix)
    if not check:
        for path, text in pages.items():
            write_atomic(path, text)
            print(f"wrote {path}")
        return 0
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if not benchmark:
        stale += sorted(set((out / "leaderboards").glob(f"*/*.{suffix}")) - pages.keys())
    for path in stale:
        print(f"{path} is not what the result files say; type: cdner-bench leaderboard --format {format_}")
    return int(bool(stale))


def _pages(out: Path, names: list[str], format_: str, suffix: str) -> dict[Path, str]:
    from .. import benchmark as benchmarks
    from .. import results
    from ..formats import FORMATS
    from ..leaderboard import boards

    folder = out / "leaderboards"
    present = sorted(p.name for p in (folder / "results").glob("*") if p.is_dir())
    if not present:
        raise ResultError(f"there are no results in {folder / 'results'}", hint="type: cdner-bench run --help")
    pages = {}
    for name in names or present:
        if not names and name not in benchmarks.available():
            print(f"left out {name}: name its file, --benchmark {name}.toml")
            continue
        found = benchmarks.load(name)
        for board in boards(results.load_all(folder / "results" / found.name), found):
            pages[folder / found.name / f"{board.setting}.{suffix}"] = FORMATS[format_](board)
    return pages


def print_boards(found: Benchmark, out: Path, setting: str) -> None:
    """Show the scores of one setting on the terminal."""
    from .. import results
    from ..leaderboard import boards

    for board in boards(results.load_all(out / "leaderboards" / "results" / found.name), found):
        if board.setting == setting:
            scores = board.scores()
            shown = table(*scores.headers, title=f"{board.title}\n{scores.title}", right=len(scores.headers) - 4)
            for row in scores.rows:
                shown.add_row(*row)
            show(shown)
