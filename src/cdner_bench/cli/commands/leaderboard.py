"""`cdner-bench leaderboard`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError, PluginError, ResultError, did_you_mean
from ...io import write_atomic
from ..common import HERE, Out, show, table

if TYPE_CHECKING:
    from ...data import Benchmark
    from ...records import Measured
    from ...reporting import Picture

PAGE = "analysis"


def leaderboard(
    out: Out = HERE,
    benchmark: Annotated[list[str], typer.Option(help="Only these; .toml files for your own.", metavar="NAME")] = [],
    format_: Annotated[str, typer.Option("--format", help="md, csv, latex, html or json.")] = "md",
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file would change.")] = False,
) -> int:
    """Regenerate leaderboards/<benchmark>/<setting>.md from the result files, and analysis.md from measurements."""
    from ...records import measurements
    from ...reporting import FORMATS, SUFFIXES, figures

    if format_ not in FORMATS:
        raise OptionError(f"unknown format {format_!r}", hint=did_you_mean(format_, FORMATS))
    suffix = SUFFIXES.get(format_, format_)
    folder = out / "leaderboards"
    measured = measurements.load_all(folder / "measurements")
    pictures = figures.pictures(measured) if format_ == "md" else []
    pages = _pages(folder, benchmark, format_, suffix, measured)
    pages |= {folder / "figures" / f"{picture.name}.csv": picture.csv for picture in pictures}
    if check:
        problems = _stale(pages, pictures, folder, format_) + _left_over(pages, pictures, folder, suffix, not benchmark)
        print("\n".join(problems), end="\n" if problems else "")
        return int(bool(problems))
    for path, text in pages.items():
        write_atomic(path, text)
        print(f"wrote {path}")
    _draw(pictures, folder / "figures")
    return 0


def _pages(folder: Path, names: list[str], format_: str, suffix: str, measured: list[Measured]) -> dict[Path, str]:
    """The text of every page: the boards of the named benchmarks, or of all; the page of analyses, always whole."""
    from ...data import benchmark as benchmarks
    from ...records import results
    from ...reporting import FORMATS, AnalysisPage, boards

    @cache
    def found(name: str) -> list[results.Result]:
        return results.load_all(folder / "results" / name)

    present = sorted(p.name for p in (folder / "results").glob("*") if p.is_dir())
    if not present and not measured:
        raise ResultError(f"there are no results in {folder / 'results'}", hint="type: cdner-bench run --help")
    pages = {}
    for name in names or present:
        if not names and name not in benchmarks.available():
            print(f"left out {name}: name its file, --benchmark {name}.toml")
            continue
        chosen = benchmarks.load(name)
        for board in boards(found(chosen.name), chosen):
            pages[folder / chosen.name / f"{board.setting}.{suffix}"] = FORMATS[format_](board)
    if measured:
        about = sorted({m.corpus.benchmark for m in measured if m.corpus.benchmark})
        page = AnalysisPage(measured, [r for name in about for r in found(name)])
        pages[folder / f"{PAGE}.{suffix}"] = FORMATS[format_](page)
    return pages


def _stale(pages: dict[Path, str], pictures: list[Picture], folder: Path, format_: str) -> list[str]:
    """What would change."""
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stale += [folder / "figures" / f"{p.name}.svg" for p in pictures if not p.is_drawn(folder / "figures")]
    return [
        f"{path} is not what the result files say; type: cdner-bench leaderboard --format {format_}" for path in stale
    ]


def _left_over(pages: dict[Path, str], pictures: list[Picture], folder: Path, suffix: str, boards: bool) -> list[str]:
    """What no file says any more; `boards` of all benchmarks are among the pages."""
    drawn = folder / "figures"
    there = [folder / f"{PAGE}.{suffix}"]
    if boards:
        there += [path for path in folder.glob(f"*/*.{suffix}") if path.parent != drawn]
    if suffix == "md":
        there += drawn.glob("*")
    known = {*pages, *(drawn / f"{p.name}.{kind}" for p in pictures for kind in ("svg", "png"))}
    return [f"{path} is left over; type: rm {path}" for path in sorted(there) if path.exists() and path not in known]


def _draw(pictures: list[Picture], folder: Path) -> None:
    """Draw what is not drawn yet. Without matplotlib, pictures stay as they are."""
    for picture in pictures:
        if not picture.is_drawn(folder):
            try:
                paths = picture.save(folder)
            except PluginError as error:
                print(f"pictures in {folder} stay as they are: {error}; type: {error.hint}")
                return
            print("\n".join(f"wrote {path}" for path in paths if path.suffix != ".csv"))


def print_boards(found: Benchmark, out: Path, setting: str) -> None:
    """Show the scores of one setting on the terminal."""
    from ...records import results
    from ...reporting import boards

    for board in boards(results.load_all(out / "leaderboards" / "results" / found.name), found):
        if board.setting == setting:
            scores = board.scores()
            shown = table(*scores.headers, title=f"{board.title}\n{scores.title}", right=len(scores.headers) - 4)
            for row in scores.rows:
                shown.add_row(*row)
            show(shown)
