"""`cdner-bench leaderboard` writes the pages from the files of results and measurements, or shows a part of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError, PluginError, count, did_you_mean
from ..common import HERE, Out, name_command, show, split_names, uncollected

if TYPE_CHECKING:
    from ...data import Benchmark
    from ...reporting import Board, Choice, Publication

ONLY = "Show only these and write no page."
MORE = "the same command with --format csv"
"""What shows every column of what was chosen."""
TOLD = 10
"""Pages that are named one by one."""


@uncollected()
def leaderboard(
    out: Out = HERE,
    benchmark: Annotated[list[str], typer.Option(help="Only these; .toml files for your own.", metavar="NAME")] = [],
    format_: Annotated[
        str | None, typer.Option("--format", help="md, csv, latex, html or json; md for pages.", metavar="NAME")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file would change.")] = False,
    method: Annotated[str | None, typer.Option(help=ONLY, metavar="NAME[,NAME]")] = None,
    setting: Annotated[str | None, typer.Option(help=ONLY, metavar="NAME[,NAME]")] = None,
    target: Annotated[str | None, typer.Option(help=ONLY, metavar="NAME[,NAME]")] = None,
    columns: Annotated[str | None, typer.Option(help=ONLY, metavar="NAME[,NAME]")] = None,
    protocol: Annotated[str | None, typer.Option(help="Show the scores under this one.", metavar="NAME")] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Write what is shown there; with --format html alone, the site.", metavar="PLACE"),
    ] = None,
) -> int:
    """Regenerate leaderboards/<benchmark>/<setting>.md from the result files, and analysis.md from measurements; or
    show the rows and columns that are asked for, which changes no page. With --format html all of it is a site of
    linked pages, which open from the disk: in leaderboards/site, or where --output says.
    """
    from ...data import benchmark as benchmarks
    from ...papers import list_supplements
    from ...reporting import FORMATS, SITE, Choice, collect, publish

    if format_ is not None and format_ not in FORMATS:
        raise OptionError(f"unknown format {format_!r}", hint=did_you_mean(format_, FORMATS))
    named = {"--method": method, "--setting": setting, "--target": target, "--columns": columns}
    chosen = protocol is not None or any(text is not None for text in named.values())
    whole = format_ == "html" and not chosen and (output is None or output.suffix != ".html")
    if not whole and (chosen or output is not None):
        if check:
            raise OptionError("--check is about whole pages", hint="leave out what chooses a part of them, or --check")
        parts = [split_names(name, text) if text is not None else [] for name, text in named.items()]
        choice = Choice(*parts, **({} if protocol is None else {"protocol": protocol}))  # type: ignore[arg-type]
        _show_chosen(out / "leaderboards", benchmark, choice, format_, output)
        return 0
    if whole:
        from ...site import build_site

        found = collect(out / "leaderboards", benchmark, list_supplements())
        publication: Publication = build_site(found, output or out / "leaderboards" / SITE)
    else:
        publication = publish(out / "leaderboards", format_ or "md", benchmark, list_supplements())
    for name in publication.left_out:
        print(f"left out: {'; '.join(benchmarks.describe_unshipped(name))}; a first trial, by its name")
    for remark in publication.remarks:
        print(remark)
    if check:
        return _check_pages(publication, out)
    return _write_site(publication) if whole else _write_pages(publication)


def _check_pages(publication: Publication, out: Path) -> int:
    """Say which files are not what they should be, or that all are; 1 if some are not."""
    stale, left_over = publication.find_stale(), publication.find_left_over()
    command = name_command("leaderboard", "--format", publication.format, out=out)
    for path in stale[:TOLD]:
        print(f"{path} is not what the result files say; type: {command}")
    if more := len(stale[TOLD:]):
        print(f"and {more} more")
    for path in left_over:
        print(f"{path} is left over; type: rm {path}")
    for path in publication.find_others():
        print(f"{path} is fine: a page in another format, which is not committed")
    if stale or left_over:
        return 1
    print(f"{count(len(publication.pages), 'page')} checked: as the result files say")
    return 0


def _write_pages(publication: Publication) -> int:
    """Write every page and draw every picture; 1 if there is no page."""
    for path in publication.write():
        print(f"wrote {path}")
    try:
        for path in publication.draw():
            print(f"wrote {path}")
    except PluginError as error:
        print(f"pictures in {publication.drawn} stay as they are: {error}; type: {error.hint}")
    return int(not publication.pages)


def _write_site(site: Publication) -> int:
    """Write every page of a site, and say where to begin."""
    number = sum(1 for _ in site.write())
    print(f"wrote {site.folder / 'index.html'} and {number - 1} more files: open it in a browser, or send the folder")
    return 0


def _show_chosen(folder: Path, names: list[str], choice: Choice, format_: str | None, output: Path | None) -> None:
    """Draw what was chosen, or write it in a format: to standard output, or to a file whose name may say which."""
    from ...io import write_atomic
    from ...reporting import FORMATS, SUFFIXES, choose, collect_boards, draw_table, tell_left_out

    chosen = choose(collect_boards(folder, names), choice)
    for board in chosen.boards:
        for remark in tell_left_out(board):
            print(remark, file=sys.stderr)
    if output is None and format_ is None:
        for table in chosen.tables():
            show(draw_table(table, MORE))
        return
    if format_ is None and output is not None:
        by_suffix = {SUFFIXES.get(name, name): name for name in FORMATS}
        format_ = by_suffix.get(output.suffix[1:], "md")
    text = FORMATS[format_ or "md"](chosen)
    if output is None:
        print(text, end="")
        return
    if folder.resolve() in output.resolve().parents:
        raise OptionError(f"{output} is among the pages that are made of all results", hint="name a file elsewhere")
    write_atomic(output, text)
    print(f"wrote {output}")


def print_boards(benchmark: Benchmark, out: Path, settings: Iterable[str]) -> None:
    """Show the scores of some settings on the terminal; those with fewer labels side by side."""
    from ...records import results
    from ...reporting import draw_table, gather_curves, make_boards, tell_left_out, tell_strangers

    found = results.load_all(out / "leaderboards" / "results", benchmark)
    named = set(settings)
    here = [result for result in found if result.scenario.setting in named]
    boards = make_boards(here, benchmark)
    curves = gather_curves(boards)
    aside = {id(board) for page in curves for board in page.boards.values()}
    for board in boards:
        if id(board) not in aside:
            scores = board.scores()
            show(draw_table(replace(scores, title=f"{board.title}\n{scores.title}"), _tell_more(board, out)))
            if tried := board.also_tried():
                show(draw_table(tried, _tell_more(board, out)))
    for page in curves:
        for n, scores in enumerate(page.scores()):
            title = scores.title if n else f"{page.title}\n{scores.title}"
            show(draw_table(replace(scores, title=title), _tell_more(page.first, out)))
    for board in boards:
        for remark in tell_left_out(board):
            print(remark)
    for remark in tell_strangers(here, benchmark):
        print(remark)


def _tell_more(board: Board, out: Path) -> str:
    """What to type to see every column of a board."""
    words = ["leaderboard", "--benchmark", board.benchmark.given, "--setting", board.setting]
    return name_command(*words, "--format", "csv", out=out)
