"""Pages as they are opened: HTML on a phone and on paper, LaTeX as it is compiled."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cdner_bench.reporting import FORMATS, Cell, Column, Estimate, Hole, Remarked, Table

CELLS: Sequence[Cell] = [
    Estimate(57.81, 1.25, 3), Estimate(9.5, None, 1), Estimate(57.812, 10.5, 3), Hole("not run"),
    Remarked(Estimate(33, 0.5, 2), "a, b"), Remarked(Estimate(44.444, None, 1), "c"),
]  # fmt: skip
HARD = [
    "[x] & 5% of $_{y}^2$ #1 ~\\",
    "*",
    "ρ ≤ 0.5 → Δ",
    "naïve Žižek “q” … 'x' `y`",
    "名前 🙂",
    "e\u0301",
    '"',
    "a-b",
]


@dataclass(frozen=True)
class Pages:
    """A page of tables."""

    shown: Sequence[Table]
    title: str = "A <title>"
    lead: str = ""

    def tables(self) -> Sequence[Table]:
        return self.shown

    def records(self) -> Sequence[dict[str, object]]:
        return []


SCORES = Table(
    "Scores",
    [Column[int]("Method", "left", lambda n: f"m{n}"), Column[int]("Avg. & co", "right", lambda n: CELLS[n])],
    range(len(CELLS)),
    legend="(a) some 5 % & more.",
)
NAMES = Table("Names", [Column[str](HARD[0], "left", lambda name: name), Column[str]("#", "right", len)], HARD)


def read_rows(page: str) -> list[list[str]]:
    """The cells of every row of every tabular."""
    lines = [line.strip() for line in page.splitlines() if line.endswith("\\\\")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line.removesuffix("\\\\"))] for line in lines]


def test_latex_rows_fit_their_columns_and_braces_their_partners() -> None:
    page = FORMATS["latex"](Pages([SCORES, NAMES]))
    for needed in ("booktabs", "[T1]{fontenc}"):
        assert needed in page.partition("\\begin{tabular}")[0]
    sides = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", page)
    assert sides == ["lr", "lr"]
    assert {len(row) for row in read_rows(page)} == {2}
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", page):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert page.count("\\begin{") == page.count("\\end{")
    body = "".join(line for line in page.splitlines() if not line.startswith("%"))
    assert [c for c in body if not c.isascii() and c not in "ïŽž“”é"] == []


def test_latex_numbers_stand_under_one_another_and_the_best_is_bold() -> None:
    cells = [row[1] for row in read_rows(FORMATS["latex"](Pages([SCORES])))[1:]]
    assert cells == [
        r"\textbf{57.81} $\pm$ 1.25\phantom{0}\phantom{ (a, b)}",
        r"9.50\phantom{ $\pm$ 10.50}\phantom{ (a, b)}",
        r"\textbf{57.81} $\pm$ 10.50\phantom{ (a, b)}",
        "not run",
        r"33.00 $\pm$ 0.50\phantom{0} (a, b)",
        r"44.44\phantom{ $\pm$ 10.50} (c)\phantom{ b)}",
    ]
    after = {re.sub(r"\\phantom\{((?:[^{}])*)\}", r"\1", c).partition(".")[2] for c in cells if "." in c}
    assert len({len(re.sub(r"[${}\\]|textbf|pm", "", text)) for text in after}) == 1


ENGINES = [e for e in ("pdflatex", "xelatex", "lualatex", "tectonic") if shutil.which(e)]


@pytest.mark.skipif(not ENGINES, reason="no LaTeX here")
@pytest.mark.parametrize("engine", ENGINES)
def test_latex_compiles(engine: str, tmp_path: Path) -> None:
    page = FORMATS["latex"](Pages([SCORES, NAMES]))
    needed = re.sub(r"^% (?=\\)", "", page.partition("\n\n")[0], flags=re.MULTILINE)
    text = f"\\documentclass{{article}}\n{needed}\n\\begin{{document}}\n{page}\\end{{document}}\n"
    (tmp_path / "page.tex").write_text(text, encoding="utf-8")
    words = [engine, "page.tex"] if engine == "tectonic" else [engine, "-halt-on-error", "page.tex"]
    done = subprocess.run(words, check=False, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-2000:]


class Opened(HTMLParser):
    """The attributes of every tag, and what stands in the style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.style, self.inside = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data: str) -> None:
        self.style += data if self.inside == "style" else ""


def test_html_is_read_on_a_phone_in_the_dark_and_on_paper() -> None:
    """Without a script, and without anything from elsewhere."""
    opened = Opened(FORMATS["html"](Pages([SCORES, NAMES])))
    names = [tag for tag, _ in opened.tags]
    assert not {"script", "link", "iframe"} & set(names)
    assert not re.search(r"url\(|@import|https?:", opened.style)
    viewport = {attrs.get("name"): attrs.get("content") for tag, attrs in opened.tags if tag == "meta"}["viewport"]
    assert viewport == "width=device-width, initial-scale=1"
    cells = [attrs["data-label"] for tag, attrs in opened.tags if tag == "td"]
    assert cells == [*["Method", "Avg. & co"] * len(CELLS), *[HARD[0], "#"] * len(HARD)]
    narrow = opened.style.partition("(max-width: 40rem)")[2].partition("@media")[0]
    assert "attr(data-label)" in narrow
    assert "flex-wrap: wrap" in narrow
    for seen in ("prefers-color-scheme: dark", "@media print", "color-scheme: light dark", "overflow-x: auto"):
        assert seen in opened.style
    assert opened.style.count("{") == opened.style.count("}")
