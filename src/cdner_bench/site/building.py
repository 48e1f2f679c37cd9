"""Boards, runs and analyses in, the pages of a site out: whatever is not markup of the templates is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..errors import OptionError
from ..foreign import show_line
from ..io import find_below
from ..records import locate_run
from ..reporting import (
    DEVICE,
    FIGURES,
    INTERVAL,
    METHOD,
    MODEL,
    PARAMETERS,
    TRAINED,
    Board,
    Collection,
    Column,
    Hole,
    Picture,
    Publication,
    Ranked,
    Table,
    gather_curves,
    make_pictures,
)
from .answers import MONEY, Answer, rank_boards, tabulate
from .boards import draw_all_costs, draw_curves, list_domains, name_page, view_runs
from .origins import list_origins
from .portraits import SENTENCES, show_run
from .views import View, address

TEMPLATES = Path(__file__).parent / "templates"
MANIFEST = "site.txt"
"""The file that names the pages of a site, one a line: by it a folder is known as one, and what is left over in it."""


_Placed = tuple[Board, Ranked]
PLACE: Column[Ranked] = Column("#", "right", lambda ranked: ranked.place or Hole(), key="place")
AVERAGE: Column[Ranked] = Column("Average F1", "right", lambda ranked: ranked.row.average() or Hole())
GROUP: Column[Ranked] = Column("Best group", "left", lambda ranked: "yes" if ranked.tied else "")
SEEDS: Column[Ranked] = Column("Seeds", "right", lambda ranked: a.n if (a := ranked.row.average()) else Hole())
OVERVIEW = (PLACE, METHOD, MODEL[0], AVERAGE, INTERVAL, GROUP, SEEDS, TRAINED, PARAMETERS, MONEY, DEVICE)
"""What is shown of a row beside those of other boards."""


@dataclass(frozen=True)
class Site(Publication):
    """A site as files, the first page and the manifest among them."""

    def find_left_over(self) -> list[Path]:
        """The pages that an earlier site in the same folder had, and this one has not."""
        manifest = self.folder / MANIFEST
        named = manifest.read_text("utf-8", "replace").splitlines() if manifest.is_file() else []
        there = [find_below(self.folder, name, str(manifest)) for name in named if name.endswith(".html")]
        return [path for path in there if path.is_file() and path not in self.pages]

    def write(self) -> Iterator[Path]:
        """Write every page, after removing those that are left over. Raises `OptionError` for a folder that holds
        something else.
        """
        hint = "name a new folder: --output DIR"
        if self.folder.exists() and not self.folder.is_dir():
            raise OptionError(f"{self.folder} is a file, and a site is a folder", hint=hint)
        if not (self.folder / MANIFEST).is_file() and self.folder.exists() and any(self.folder.iterdir()):
            raise OptionError(f"{self.folder} holds other files than a site", hint=hint)
        for path in self.find_left_over():
            path.unlink()
        yield from super().write()


def build_site(found: Collection, folder: Path) -> Site:
    """The pages of all boards and analyses that were found, to lie in a folder."""
    builder = _Builder(found)
    pages = dict(builder.make_pages())
    pages[MANIFEST] = "".join(f"{name}\n" for name in sorted(pages))
    placed = {folder / name: text for name, text in pages.items()}
    return Site(folder, "html", placed, (), found.left_out, found.remarks, found.whole)


class _Builder:
    def __init__(self, found: Collection) -> None:
        self.found = found
        self.answers = rank_boards(found.boards)
        self.boards = [answer.board for answer in self.answers]
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            finalize=_Shown(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
        self.environment.globals |= {
            "style": Markup(f"\n{style}"),
            "script": Markup(f"\n{script}"),
            "policy": f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
            "base-uri 'none'; form-action 'none'",
            "analyses": found.analyses is not None,
        }

    def make_pages(self) -> Iterator[tuple[str, str]]:
        """The path of every page in the site, and its text."""
        best = View(
            "best",
            tabulate(self.answers),
            lambda answer, column: [(answer.board.setting, _place(answer.board))] if column.title == "Setting" else (),
            "Benchmark",
        )
        labels = []
        for curves in gather_curves(self.boards):
            page = f"boards/{quote(curves.first.benchmark.name, safe='')}/labels-{quote(curves.name, safe='')}.html"
            labels.append((curves.title, page))
            views = [View(f"labels-{n}", table, head=_head(table)) for n, table in enumerate(curves.tables())]
            yield self._render("labels.html", page, title=curves.title, views=views)
        yield self._render("index.html", "index.html", answers=self.answers, best=best, place=_place, labels=labels)
        yield self._render("boards.html", "boards.html", view=self._view_every_row())
        for answer in self.answers:
            yield from self._make_board(answer)
        if self.found.analyses:
            tables = [
                (View(f"analysis-{n}", table, head=_head(table)), list(self._list_pictures(table)))
                for n, table in enumerate(self.found.analyses.tables())
            ]
            yield self._render("analysis.html", "analysis.html", title=self.found.analyses.title, tables=tables)
        yield self._render(
            "provenance.html",
            "provenance.html",
            views=list_origins(self.boards),
            left_out=self.found.left_out,
            remarks=self.found.remarks,
        )

    def _render(self, template: str, page: str, **values: Any) -> tuple[str, str]:
        root = "../" * page.count("/")
        return page, self.environment.get_template(template).render(root=root, page=page, **values)

    def _make_board(self, answer: Answer) -> Iterator[tuple[str, str]]:
        board = answer.board
        runs = {r.run: locate_run(self.found.folder, r) for row in board.every_row for r in row.results}
        around = {"board": board, "home": _place(board).removesuffix("index.html")}
        views = [View(f"table-{n}", table, head=_head(table)) for n, table in enumerate(board.tables())]
        yield self._render(
            "board.html",
            _place(board),
            **around,
            answer=answer,
            views=views,
            pictures=draw_all_costs(board),
            runs=view_runs(board),
        )
        domains = list(list_domains(board))
        yield self._render("domains.html", f"{around['home']}domains.html", **around, domains=domains)
        curves, lack = draw_curves(board, runs)
        yield self._render("curves.html", f"{around['home']}curves.html", **around, curves=curves, lack=lack)
        labels = {r.run: ranked.label for ranked in board.every_ranked for r in ranked.row.results}
        for run in runs.values():
            shown = show_run(run, board.benchmark)
            yield self._render(
                "run.html", name_page(run.result), **around, run=shown, label=labels[run.result.run], most=SENTENCES
            )

    def _view_every_row(self) -> View:
        """The rows of all boards, by board and place."""
        rows = [(board, ranked) for board in self.boards for ranked in board.every_ranked]
        columns: list[Column[_Placed]] = [
            Column("Benchmark", "left", lambda row: row[0].benchmark.name),
            Column("Setting", "left", lambda row: row[0].setting),
            *(column.of(itemgetter(1)) for column in OVERVIEW),
        ]
        note = (
            "Averages of different benchmarks and settings do not compare: choose one. Best group: the best average of "
            "a board, and those that cannot be told from it."
        )
        table = Table("Every row of every board", columns, rows, note)
        return View(
            "rows", table, lambda row, column: [(row[0].setting, _place(row[0]))] if column.title == "Setting" else ()
        )

    def _list_pictures(self, table: Table) -> Iterator[tuple[str, str, str]]:
        """The pictures of a table: what each shows, itself as an address if it is drawn, and the numbers behind it."""
        for path, title in table.pictures.items():
            picture = self._pictures[path]
            drawn = self.found.folder / f"{path}.svg" if picture.is_drawn(self.found.folder / FIGURES) else None
            inside = base64.b64encode(drawn.read_bytes()).decode() if drawn else ""
            yield title, f"data:image/svg+xml;base64,{inside}" if drawn else "", address(picture.csv)

    @cached_property
    def _pictures(self) -> dict[str, Picture]:
        measured = self.found.analyses.measured if self.found.analyses else ()
        return {f"{FIGURES}/{picture.name}": picture for picture in make_pictures(measured)}


def _place(board: Board) -> str:
    """Where the page of a board lies in the site."""
    return "/".join(["boards", *(quote(name, safe="") for name in (board.benchmark.name, board.setting)), "index.html"])


def _head(table: Table) -> str:
    """The column that names the rows of a table: the method where there is one, else the first of words."""
    titles = [METHOD.title, *(column.title for column in table.columns if column.align == "left"), *table.headers]
    return next(title for title in titles if title in table.headers)


def _hash(text: str) -> str:
    """What a policy calls a style or script that stands in a page."""
    return f"sha256-{base64.b64encode(hashlib.sha256(f'{chr(10)}{text}'.encode()).digest()).decode()}"


class _Shown:
    """What a template is about to write: texts on one line, with nothing in them that cannot be seen, and no key. Each
    is looked at once for a whole site.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, str) or isinstance(value, Markup):
            return value
        if value not in self._known:
            self._known[value] = show_line(value)
        return self._known[value]
