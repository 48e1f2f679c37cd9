"""`cdner-bench leaderboard` writes the pages from the files of results and measurements."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError, PluginError, did_you_mean
from ..common import HERE, Out, show

if TYPE_CHECKING:
    from ...data import Benchmark


def leaderboard(
    out: Out = HERE,
    benchmark: Annotated[list[str], typer.Option(help="Only these; .toml files for your own.", metavar="NAME")] = [],
    format_: Annotated[str, typer.Option("--format", help="md, csv, latex, html or json.")] = "md",
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file would change.")] = False,
) -> int:
    """Regenerate leaderboards/<benchmark>/<setting>.md from the result files, and analysis.md from measurements."""
    from ...papers import list_supplements
    from ...reporting import FORMATS, publish

    if format_ not in FORMATS:
        raise OptionError(f"unknown format {format_!r}", hint=did_you_mean(format_, FORMATS))
    publication = publish(out / "leaderboards", format_, benchmark, list_supplements())
    for name in publication.left_out:
        print(f"left out {name}, which is not shipped: name its file, --benchmark FILE.toml")
    for remark in publication.remarks:
        print(remark)
    if check:
        stale, left_over = publication.find_stale(), publication.find_left_over()
        for path in stale:
            print(f"{path} is not what the result files say; type: cdner-bench leaderboard --format {format_}")
        for path in left_over:
            print(f"{path} is left over; type: rm {path}")
        return int(bool(stale or left_over))
    for path in publication.write():
        print(f"wrote {path}")
    try:
        for path in publication.draw():
            print(f"wrote {path}")
    except PluginError as error:
        print(f"pictures in {publication.drawn} stay as they are: {error}; type: {error.hint}")
    return int(not publication.pages)


def print_boards(benchmark: Benchmark, out: Path, setting: str) -> None:
    """Show the scores of one setting on the terminal."""
    from ...records import results
    from ...reporting import draw_table, make_boards, tell_left_out, tell_strangers

    found = results.load_all(out / "leaderboards" / "results", benchmark)
    here = [result for result in found if result.scenario.setting == setting]
    for board in make_boards(here, benchmark):
        scores = board.scores()
        show(draw_table(replace(scores, title=f"{board.title}\n{scores.title}")))
        for remark in tell_left_out(board):
            print(remark)
    for remark in tell_strangers(here, benchmark):
        print(remark)
