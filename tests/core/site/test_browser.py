"""The site in a real browser: needs Debian's chromium, `pip install playwright`, and npm for the checks of axe-core."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdner_bench.papers import list_supplements
from cdner_bench.reporting import collect
from cdner_bench.site import build_site
from support import ROOT

playwright: Any = pytest.importorskip("playwright.sync_api", reason="needs a driver: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = "4.14.1"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
BOARD = "boards/mini/demo/index.html"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the sample's real results, one of which has a learning curve."""
    root = tmp_path_factory.mktemp("site")
    boards = root / "leaderboards"
    for name in ("results", "predictions", "measurements"):
        shutil.copytree(ROOT / "leaderboards" / name / "mini", boards / name / "mini")
    shutil.copytree(ROOT / "leaderboards" / "figures", boards / "figures")
    for answers in sorted((boards / "predictions/mini/demo").rglob("*.jsonl.gz")):
        curve = answers.with_name(answers.name.replace(".jsonl.gz", ".curve.jsonl"))
        lines = [f'{{"phase": "target", "epoch": {n}, "numbers": {{"dev_f1": {n + 0.5}}}}}\n' for n in range(1, 9)]
        curve.write_text("".join(lines))
    made = build_site(collect(boards, [], list_supplements()), root / "site")
    list(made.write())
    return made.folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any, site: Path) -> Iterator[Any]:
    """Open a page as a reader would; what the browser complains of fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_it(name: str, width: int = 1280, **how: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **how)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto((site / name).as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


def list_kinds(site: Path) -> list[str]:
    """A page of each kind, the run with the most on it."""
    runs = sorted((site / "runs").iterdir(), key=lambda path: path.stat().st_size)
    within = [BOARD.replace("index", name) for name in ("index", "domains", "curves")]
    return ["index.html", "boards.html", *within, "analysis.html", "provenance.html", f"runs/{runs[-1].name}"]


def read_rows(page: Any, table: int = 0) -> list[list[str]]:
    """The texts of the rows of a table that are shown."""
    script = """n => [...document.querySelectorAll("table.data")[n].tBodies[0].rows].filter(row => !row.hidden)
        .map(row => [...row.cells].filter(cell => !cell.hidden).map(cell => cell.textContent.trim()))"""
    return list(page.evaluate(script, table))


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_pages_open_without_a_complaint_and_never_scroll_sideways(width: int, open_page: Any, site: Path) -> None:
    for name in list_kinds(site):
        page = open_page(name, width)
        assert page.locator("h1").count() == 1, name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_a_table_is_sorted_by_mouse_and_by_keyboard(open_page: Any) -> None:
    page = open_page("boards.html")
    head = page.locator("th", has=page.get_by_role("button", name="Average F1"))
    place = page.locator("thead th").all_text_contents().index("Average F1")
    button = head.get_by_role("button")
    button.click()
    assert head.get_attribute("aria-sort") == "ascending"
    shown = [row[place] for row in read_rows(page)]
    numbers = [float(text.split()[0]) for text in shown if text != "–"]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) > 1
    assert all(text == "–" for text in shown[len(numbers) :])
    button.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [float(row[place].split()[0]) for row in read_rows(page)][: len(numbers)] == numbers[::-1]
    page.get_by_role("button", name="Method").click()
    assert page.locator("[aria-sort]").count() == 1
    names = [row[3] for row in read_rows(page)]
    assert names == sorted(names, key=str.casefold)


def test_rows_are_chosen_and_columns_hidden(open_page: Any) -> None:
    page = open_page("boards.html")
    every = read_rows(page)
    titles = page.locator("thead th").all_text_contents()
    chosen = {"Setting": "demo", "Backbone": "minilm"}
    for title, value in chosen.items():
        page.locator(".tools > label", has_text=title).locator("select").select_option(value)
    left = [row for row in every if all(row[titles.index(title)] == value for title, value in chosen.items())]
    assert 0 < len(left) < len(every)
    assert read_rows(page) == left
    assert page.get_by_role("status").text_content() == f"{len(left)} of {len(every)} rows"
    for title in chosen:
        page.locator(".tools > label", has_text=title).locator("select").select_option("all")
    assert read_rows(page) == every
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="Device").uncheck()
    place = titles.index("Device")
    assert read_rows(page) == [row[:place] + row[place + 1 :] for row in every]
    assert not page.locator("thead th").nth(place).is_visible()


def test_a_download_has_the_rows_of_the_table(open_page: Any) -> None:
    page = open_page(BOARD)
    with page.expect_download() as waiting:
        page.get_by_text("Download as CSV").first.click()
    keys, *records = csv.reader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8")))
    rows = read_rows(page)
    assert [record[keys.index("method")] for record in records] == [row[1] for row in rows]
    average = keys.index("avg")
    assert [f"{float(record[average]):.2f}" for record in records] == [row[-5].split()[0] for row in rows]


def test_without_javascript_everything_is_there_and_nothing_that_does_nothing(open_page: Any, site: Path) -> None:
    for name in list_kinds(site):
        plain = open_page(name, java_script_enabled=False)
        assert plain.locator("button, select, input").count() == 0
        cells = plain.locator("table.data tbody").all_text_contents()
        assert cells == open_page(name).locator("table.data tbody").all_text_contents()
        assert plain.locator(".tools").count() == 0


def test_the_first_key_leads_past_the_links_and_focus_is_seen(open_page: Any) -> None:
    page = open_page("index.html")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    box = skip.bounding_box()
    assert box["x"] >= 0
    assert skip.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_print_has_the_content_and_no_controls(open_page: Any) -> None:
    page = open_page(BOARD, 700)
    page.emulate_media(media="print", color_scheme="dark")
    for controls in ("nav", ".tools", ".download"):
        assert not page.locator(controls).first.is_visible()
    assert page.locator("table.data").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 27, 27)"
    folded = page.locator("figure details table").first
    assert folded.bounding_box()["height"] > 0
    assert page.pdf().startswith(b"%PDF")


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest) -> str:
    """The script of axe-core, fetched once by npm; it is no part of this repository."""
    place = Path(str(request.config.cache.mkdir("axe-core"))) / f"axe-{AXE}.js"
    if not place.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("needs axe-core, which npm fetches: apt-get install npm")
        command = [npm, "pack", f"axe-core@{AXE}", "--pack-destination", str(place.parent)]
        if subprocess.run(command, capture_output=True, check=False, timeout=120).returncode:
            pytest.skip(f"npm cannot fetch axe-core@{AXE}")
        with tarfile.open(place.parent / f"axe-core-{AXE}.tgz") as packed:
            script = packed.extractfile("package/axe.min.js")
            assert script is not None
            place.write_bytes(script.read())
    assert hashlib.sha256(place.read_bytes()).hexdigest() == AXE_SHA256
    return place.read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_no_page_shuts_anybody_out(width: int, scheme: str, open_page: Any, site: Path, axe: str) -> None:
    for name in list_kinds(site):
        page = open_page(name, width, color_scheme=scheme)
        page.evaluate(f"{axe}; undefined")
        page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        said = [(v["id"], v["impact"], v["nodes"][0]["html"][:200]) for v in found["violations"]]
        assert [each for each in said if each[1] in ("serious", "critical")] == [], name
        assert found["testEngine"]["version"] == AXE
