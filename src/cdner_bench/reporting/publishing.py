"""Pages and pictures as files: what there is to write, whether the files say it already, and what is left over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..data import benchmark as benchmarks
from ..data import shots
from ..errors import ResultError
from ..io import write_atomic
from ..records import Result, measurements, results
from .analyses import FIGURES, AnalysisPage, Picture, make_pictures
from .curves import gather_curves, is_curve
from .formats import FORMATS, SUFFIXES
from .leaderboard import Board, make_boards
from .left_out import tell_left_out, tell_strangers
from .table import Supplement

ANALYSES = "analysis"
"""The name of the page of analyses."""
SITE = "site"
"""The folder of the linked pages, which are made when they are wanted."""


@dataclass(frozen=True)
class Publication:
    """The text of every page of a format, by its path, and the pictures that go with them.

    `left_out` are benchmarks that have results but no definition here, `remarks` say what boards leave out. `whole`
    says that the boards of all other benchmarks are among the pages.
    """

    folder: Path
    format: str
    pages: Mapping[Path, str]
    pictures: Sequence[Picture]
    left_out: Sequence[str]
    remarks: Sequence[str]
    whole: bool

    @property
    def drawn(self) -> Path:
        """The folder of the pictures."""
        return self.folder / FIGURES

    def write(self) -> Iterator[Path]:
        """Write every page, and the numbers behind the pictures; their paths."""
        for path, text in self.pages.items():
            write_atomic(path, text)
            yield path

    def draw(self) -> Iterator[Path]:
        """Draw the pictures that are not drawn yet; their paths. Raises `PluginError` without matplotlib."""
        for picture in self.pictures:
            if not picture.is_drawn(self.drawn):
                yield from (path for path in picture.save(self.drawn) if path.suffix != ".csv")

    def find_stale(self) -> list[Path]:
        """The files that writing and drawing would change."""
        stale = [p for p, text in self.pages.items() if not p.exists() or p.read_text("utf-8", "replace") != text]
        return stale + [self.drawn / f"{p.name}.svg" for p in self.pictures if not p.is_drawn(self.drawn)]

    def find_others(self) -> list[Path]:
        """Boards in other formats, which are made when they are wanted and are no part of what is published."""
        suffixes = {SUFFIXES.get(name, name) for name in FORMATS} - {SUFFIXES.get(self.format, self.format)}
        places = [*self.folder.glob("*/*"), *self.folder.glob(f"{ANALYSES}.*")]
        return sorted(
            p for p in places if p.suffix[1:] in suffixes - {"md"} and p.parent not in (self.drawn, self.folder / SITE)
        )

    def find_left_over(self) -> list[Path]:
        """The files that no result and no measurement says any more."""
        suffix = SUFFIXES.get(self.format, self.format)
        there = [self.folder / f"{ANALYSES}.{suffix}"]
        if self.whole:
            others = {self.drawn.name, *self.left_out}  # pages of benchmarks that are defined elsewhere are theirs
            there += [path for path in self.folder.glob(f"*/*.{suffix}") if path.parent.name not in others]
        if self.format == "md":
            there += self.drawn.glob("*")
        known = {*self.pages, *(self.drawn / f"{p.name}.{kind}" for p in self.pictures for kind in ("svg", "png"))}
        return [path for path in sorted(there) if path.exists() and path not in known]


@dataclass(frozen=True)
class Collection:
    """What there is to publish: the boards of benchmarks, and the page of analyses if anything was measured. `left_out`
    and the others are as in `Publication`.
    """

    folder: Path
    boards: Sequence[Board]
    analyses: AnalysisPage | None
    left_out: Sequence[str]
    remarks: Sequence[str]
    whole: bool


def publish(folder: Path, format_: str, names: Sequence[str], supplements: Sequence[Supplement]) -> Publication:
    """The boards of the named benchmarks, or of all, and the page of analyses, which is always whole.

    `folder` holds `results/` and `measurements/`; `format_` is one of `FORMATS`. Raises `ResultError` if there is
    nothing to publish, or nothing of a benchmark that is named.
    """
    found = collect(folder, names, supplements)
    if not found.boards and not found.analyses and not found.left_out and not found.remarks:
        raise _lack(folder)
    write, suffix = FORMATS[format_], SUFFIXES.get(format_, format_)
    boards = [board for board in found.boards if not is_curve(board)]
    pages = {folder / board.benchmark.name / f"{board.setting}.{suffix}": write(board) for board in boards}
    for curves in gather_curves(found.boards):
        pages[folder / curves.first.benchmark.name / f"{curves.name}.{suffix}"] = write(curves)
    if found.analyses:
        pages[folder / f"{ANALYSES}.{suffix}"] = write(found.analyses)
    shown = make_pictures(found.analyses.measured) if found.analyses and format_ == "md" else []
    pages |= {folder / FIGURES / f"{picture.name}.csv": picture.csv for picture in shown}
    return Publication(folder, format_, pages, shown, found.left_out, found.remarks, found.whole)


def collect_boards(folder: Path, names: Sequence[str]) -> list[Board]:
    """The boards of the named benchmarks, or of all that are shipped. Raises `ResultError` if there are none."""
    made = []
    for name in _list_benchmarks(folder, names)[0]:
        benchmark = benchmarks.load(name)
        made += make_boards(results.load_all(folder / "results", benchmark), benchmark)
    if not made:
        raise _lack(folder)
    return made


def _list_benchmarks(folder: Path, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The benchmarks that are named, or else that have results; and those that have some but no definition here."""
    present = sorted(p.name for p in (folder / "results").glob("*") if p.is_dir())
    left_out = [name for name in present if not names and name not in benchmarks.list_shipped()]
    return [name for name in names or present if name not in left_out], left_out


def _lack(folder: Path) -> ResultError:
    return ResultError(f"there are no results in {folder / 'results'}", hint="type: cdner-bench run --help")


def collect(folder: Path, names: Sequence[str], supplements: Sequence[Supplement]) -> Collection:
    """The boards of the named benchmarks, or of all, and what was measured. Raises `ResultError` if there are no
    results of a benchmark that is named.
    """
    measured = measurements.load_all(folder / "measurements")
    chosen, left_out = _list_benchmarks(folder, names)
    defined = {benchmark.name: benchmark for benchmark in map(benchmarks.load, chosen)}

    @cache
    def load_results(name: str) -> list[Result]:
        return results.load_all(folder / "results", defined.get(name, name))

    made: list[Board] = []
    remarks: list[str] = []
    for benchmark in defined.values():
        remarks += tell_strangers(load_results(benchmark.name), benchmark)
        boards = make_boards(load_results(benchmark.name), benchmark, supplements)
        if not boards and names:
            place = folder / "results" / benchmark.name
            said = f"there are no results of {benchmark.given} version {benchmark.version} in {place}"
            raise ResultError(said, hint="type: cdner-bench run --help")
        made += boards
        remarks += [remark for board in boards for remark in tell_left_out(board)]
    about = sorted({m.corpus.benchmark for m in measured if m.corpus.benchmark})
    whole = [r for name in about for r in load_results(name) if not shots.read_shots(r.scenario.setting)]
    page = AnalysisPage(measured, whole, supplements) if measured else None
    return Collection(folder, made, page, left_out, remarks, whole=not names)
