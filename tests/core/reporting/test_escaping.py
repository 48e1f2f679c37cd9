"""Texts of plugins, servers and files on every page: they are shown, and are nothing but text."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from cdner_bench.data import Benchmark
from cdner_bench.plugins import Measurement, Plot
from cdner_bench.records import BenchmarkFacts, CorpusFacts, Measured, MethodFacts, Result
from cdner_bench.reporting import FORMATS, AnalysisPage, draw, draw_table, make_boards, make_pictures
from cdner_bench.types import Interval
from hostile import KEY, KEYS, TEXTS, find_harm
from samples import RESULT

ALL = [*TEXTS, *KEYS]
PLAIN = "word"
Make = Callable[[str], Any]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def board(mini: Benchmark) -> Make:
    """A board every text of which is the given one."""

    def make(text: str) -> Any:
        domains = {name: replace(domain, title=text) for name, domain in mini.domains.items()}
        settings = {name: replace(setting, title=text) for name, setting in mini.settings.items()}
        data = replace(mini, title=text, domains=domains, settings=settings)
        assert RESULT.usage is not None
        states = {"answered": 1, text: 2}
        usage = replace(RESULT.usage, model=text, prompt=text, first=text, last=text, states=states, fingerprint=text)
        facts = MethodFacts(text, "1", text, {"backbone": text, text: text}, text)
        phase = replace(RESULT.phases[0], name=text)
        other = replace(facts, options={**facts.options, text: 1})
        model = replace(RESULT.model, backbone=text, precision=text)
        base = replace(RESULT, benchmark=BenchmarkFacts(mini.name, mini.version, "00"), model=model, device=text)
        found = [replace(base, method=m, usage=usage, phases=[phase], reason=text) for m in (facts, other)]
        return make_boards(_for_all(found, mini), data)[0]

    return make


def _for_all(found: Sequence[Result], data: Benchmark) -> list[Result]:
    targets = data.setting("single").targets
    return [replace(r, scenario=replace(r.scenario, target=target)) for r in found for target in targets]


def measure(text: str) -> list[Measured]:
    """A measurement every text of which is the given one."""
    plots = [
        Plot(text, "points", y=text, y_label=text, x=f"{text}x", x_label=text),
        Plot(f"{text}2", "bars", y=text, y_label=text),
    ]
    found = Measurement(
        {text: -0.5, f"{text}y": None},
        parts={text: {text: 1}},
        columns={text: [-1.0, 2.0], f"{text}x": [0.5, 1.5]},
        plots=plots,
        notes=[text, f"{text} {text}"],
        intervals={text: Interval(-1, 1)},
    )
    facts = MethodFacts(text, "1", None, {text: text})
    return [Measured(facts, CorpusFacts(text, domain, text, "1", "00"), 0, found) for domain in (text, None)]


def analysis(text: str) -> AnalysisPage:
    return AnalysisPage(measure(text))


class Tags(HTMLParser):
    """The tags of a document, and the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(tag)

    def handle_comment(self, data: str) -> None:
        self.found.append("comment")


def read_html(page: str) -> object:
    tags = Tags()
    tags.feed(page)
    tags.close()
    return tags.found


def read_markdown(page: str) -> object:
    """The marks of a page as GitHub reads them: with tables, deleted text and addresses that are links."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    marks: list[object] = []
    for token in parser.parse(page):
        for each in token.children or [token]:
            if each.type not in ("text", "text_special"):
                html = each.content if each.type.startswith("html") else ""
                marks.append((each.type, re.sub(r'"[^"]*"', '""', html)))
    assert not re.search(r"https?://|www\.", re.sub(r'="[^"]*"', "", page)), "an address becomes a link"
    return marks


def read_latex(page: str) -> object:
    """The lines, and the commands and cells of each."""
    special = r"\\(?!textquotedbl|ensuremath|text|[&%$#_{}^])(\\|[a-z]*)|(?<!\\)[&%$#_^~]"
    return [[found[0] for found in re.finditer(special, line)] for line in page.splitlines() if line[0:1] != "%"]


def read_csv(page: str) -> object:
    rows = list(csv.reader(io.StringIO(page)))
    for cell in (cell for row in rows for cell in row):
        assert re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", cell) or not re.match(r"\s*[=+\-@|＝＋－＠]", cell), cell
    return [len(row) for row in rows]


def read_json(page: str) -> object:
    return [list(record)[:4] for record in json.loads(page)]


READERS = {"md": read_markdown, "html": read_html, "latex": read_latex, "csv": read_csv, "json": read_json}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("kind", ["board", "analysis"])
def test_a_text_is_nothing_but_text(kind: str, format_: str, board: Make) -> None:
    make = board if kind == "board" else analysis
    read, write = READERS[format_], FORMATS[format_]
    usual = read(write(make(PLAIN)))
    for text in ALL:
        page = write(make(text))
        assert find_harm(page) == [], ascii(text)
        assert read(page) == usual, ascii(text)


def test_json_keeps_every_character_that_is_no_key(board: Make) -> None:
    for text in TEXTS:
        (record, *_) = json.loads(FORMATS["json"](board(text)))
        assert (record["method"], record["preset"]) == (text, text)


@pytest.mark.parametrize("width", [40, 2000])
def test_a_table_on_a_terminal(width: int, board: Make) -> None:
    for text in ALL:
        stream = io.StringIO()
        terminal = Console(
            file=stream, width=width, force_terminal=True, color_system="truecolor", legacy_windows=False
        )
        for table in [*board(text).tables(), *analysis(text).tables()]:
            terminal.print(draw_table(table))
        shown = re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue())  # what the drawing itself makes bold
        assert find_harm(shown) == [], ascii(text)
        if "[bold]" in text or "[link=" in text:
            assert text in shown or width == 40


def test_pictures_are_named_and_labelled_with_text_only(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for text in (TEXTS[2], "a\rb", "\ud800", "\u202ex", "<script>", '"', "--> x", "../../x", "=1+1", "_$x$", KEY):
        place = tmp_path / "figures"
        paths = draw(measure(text), place)
        assert {path.parent for path in paths} == {place}
        for path in paths:
            if path.suffix == ".csv":
                read_csv(path.read_text())
            if path.suffix == ".svg":
                drawn = path.read_text(encoding="utf-8")
                assert find_harm(drawn.replace("\t", "")) == [], ascii(text)
                assert not {node.tag.rpartition("}")[2] for node in ET.fromstring(drawn).iter()} & {"script", "a"}
    assert [p.name for p in make_pictures(measure("../x"))] == [".._x-.._x-.._x", ".._x-.._x-.._x2"]
