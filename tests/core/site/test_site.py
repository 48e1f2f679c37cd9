"""The site: what its pages say, that they hang together, and that they are the same every time."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from cdner_bench import Counts, Scenario
from cdner_bench.data import Benchmark
from cdner_bench.errors import CdnerError, OptionError
from cdner_bench.records import BenchmarkFacts, Comparable, MethodFacts, Result, Status, results
from cdner_bench.reporting import collect, make_boards
from cdner_bench.site import build_site
from cdner_bench.site.answers import rank_boards
from hostile import KEY, KEYS, TEXTS, find_harm
from samples import RESULT, measured, name_run
from support import Run

TARGETS = ("ai", "literature", "music", "politics", "science")


def make(method: str, tp: int, seconds: float = 10.0, seeds: Sequence[int] = (0,), **changes: object) -> list[Result]:
    """Finished runs of one row on every target of the sample, whose F1 is `tp` percent in each of 50 sentences."""
    facts = replace(RESULT.method, name=method, options={"backbone": "b"})
    found = [
        replace(
            RESULT,
            method=facts,
            scenario=Scenario("single", ("news",), target),
            seed=seed,
            run=name_run(facts, target, seed),
            scores={"span-f1": {"person": Counts(tp * 50, (100 - tp) * 50, (100 - tp) * 50)}},
            sentences=[Counts(tp, 100 - tp, 100 - tp)] * 50,
            phases=[replace(RESULT.phases[0], seconds=seconds)],
            usage=None,
        )
        for target in TARGETS
        for seed in seeds
    ]
    return [replace(result, **changes) for result in found]  # type: ignore[arg-type]


def save(root: Path, found: Sequence[Result]) -> Path:
    """A folder of boards with these results."""
    for result in found:
        results.save(result, root / "leaderboards" / "results" / result.path)
    return root / "leaderboards"


def build(root: Path, found: Sequence[Result], names: Sequence[str] = ()) -> dict[str, str]:
    """The pages of a site by their names."""
    site = build_site(collect(save(root, found), names, []), root / "site")
    return {path.relative_to(root / "site").as_posix(): text for path, text in site.pages.items()}


class Read(HTMLParser):
    """The words of a page, its tables, where its links lead, its ids and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[object] = []
        self.words: list[str] = []
        self._cell: list[str] | None = None
        self._silent = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, *values))
        self.links += [value for name in ("href", "src") if (value := values.get(name))]
        self.ids += [values["id"] or ""] if "id" in values else []
        self._silent = tag in ("style", "script")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        self._silent = False
        if tag in ("td", "th"):
            self.tables[-1][-1].append(" ".join("".join(self._cell or []).split()))
            self._cell = None

    def handle_comment(self, data: str) -> None:
        self.tags.append("comment")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)
            if self._cell is not None:
                self._cell.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [("good", 60, 50.0), ("poor", 20, 5.0)],
            ["good on b", "F1 60.00", "Yes: it can be told", "50.0 s", "One seed"],
        ),
        ([("good", 60, 50.0), ("twin", 60, 5.0)], ["No: it cannot be told from", "trains fastest: 5.0 s"]),
        ([("alone", 60, 50.0)], ["It stands alone", "no money"]),
    ],
    ids=["a lead", "no lead", "one row"],
)
def test_the_first_page_answers_what_a_reader_asks_first(
    rows: list[tuple[str, int, float]], said: list[str], tmp_path: Path
) -> None:
    found = [result for method, tp, seconds in rows for result in make(method, tp, seconds)]
    text = Read(build(tmp_path, found)["index.html"]).text
    for words in said:
        assert words in text


def test_money_and_several_seeds_are_told(tmp_path: Path) -> None:
    found = make("asks", 60, usage=replace(RESULT.usage, cost=0.5)) if RESULT.usage else []
    assert "$2.50 for all its runs" in Read(build(tmp_path / "a", found)["index.html"]).text
    text = Read(build(tmp_path / "b", make("m", 60, seeds=(0, 1)))["index.html"]).text
    assert "F1 60.00" in text


@pytest.mark.parametrize(
    ("sizes", "first"),
    [
        ({"single": (1000, 500), "multi": (120, 50)}, "multi"),
        ({"single": (120, 500), "multi": (100, 50)}, "single"),
        ({"single": (150, 50), "multi": (100, 50)}, "multi"),
        ({"single": (40, 50), "multi": (3000, 40)}, "single"),
    ],
)
def test_the_board_that_is_asked_about_comes_first(
    sizes: dict[str, tuple[int, int]], first: str, mini: Benchmark
) -> None:
    found = [
        replace(
            result,
            scenario=replace(result.scenario, setting=setting),
            comparable=Comparable("mini", "2", "data", ("person",), (train, 20, test)),
        )
        for setting, (train, test) in sizes.items()
        for result in make("m", 60)
    ]
    assert rank_boards(make_boards(found, mini))[0].board.setting == first


def test_boards_with_fewer_labels_stand_side_by_side(tmp_path: Path) -> None:
    few = [replace(r, scenario=replace(r.scenario, setting="single-shots10")) for r in make("m", 30)]
    few = [replace(r, run=name_run(replace(r.method, name="few"), r.scenario.target, 0)) for r in few]
    pages = build(tmp_path, [*make("m", 60), *few])
    assert "boards/mini/labels-single-shots.html" in Read(pages["index.html"]).links
    table = Read(pages["boards/mini/labels-single-shots.html"]).tables[0]
    assert [cell.split()[0] for cell in table[1] if cell[:1].isdigit()] == ["30.00", "60.00"]


def test_a_row_with_holes_is_no_answer(tmp_path: Path) -> None:
    text = Read(build(tmp_path, make("m", 60)[:2])["index.html"]).text
    assert "No row has every domain yet" in text


def test_without_results_the_first_page_says_how_to_start(tmp_path: Path, typed: Run) -> None:
    pages = build(tmp_path, [])
    assert set(pages) == {"index.html", "boards.html", "provenance.html", "site.txt"}
    assert "cdner-bench run --method" in pages["index.html"]
    with pytest.raises(CdnerError, match="there are no results of mini"):
        build(tmp_path, [], ["mini"])


def test_every_link_leads_to_a_page_and_every_id_is_given_once(tmp_path: Path) -> None:
    found = [*make("m", 60), *make("n", 30)]
    pages = build(tmp_path, found)
    assert sum(name.startswith("runs/") for name in pages) == len(found)
    reached = {"index.html"}
    for name, text in pages.items():
        if not name.endswith(".html"):
            continue
        page = Read(text)
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            if link.startswith("#"):
                assert link[1:] in page.ids
            elif not link.startswith("data:"):
                place = Path("/", name).parent.joinpath(link).resolve().relative_to("/").as_posix()
                assert place in pages, (name, link)
                reached.add(place)
    assert reached == set(pages) - {"site.txt"}
    assert pages["site.txt"].split() == sorted(set(pages) - {"site.txt"})


def test_nothing_is_loaded_and_nothing_runs_but_what_the_policy_names(tmp_path: Path) -> None:
    for name, text in build(tmp_path, make("m", 60)).items():
        if name.endswith(".html"):
            assert re.findall(r"https?://|@import|url\(|style=\"|\son\w+=", text) == [], name
            assert text.count("<script") == text.count("<style") == 1
            policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
            assert policy
            assert policy[1].startswith("default-src &#39;none&#39;")
            assert policy[1].count("sha256-") == 2


def read_csv(link: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(unquote(link.partition(",")[2]))))


def test_a_download_is_the_table_above_it(tmp_path: Path) -> None:
    page = Read(build(tmp_path, [*make("m", 60), *make("n", 30)])["boards/mini/single/index.html"])
    files = [read_csv(link) for link in page.links if link.startswith("data:text/csv")]
    assert len(files) == len(page.tables)
    for (head, *rows), (keys, *records) in zip(page.tables, files, strict=True):
        assert len(records) == len(rows)
        assert len(keys) >= len(head)
        if "Method" in head and "method" in keys:
            column = [row[head.index("Method")] for row in rows]
            assert [record[keys.index("method")] for record in records] == column
    (head, *rows), (keys, *records) = page.tables[0], files[0]
    for row, record in zip(rows, records, strict=True):
        for target, title in (("ai", "AI"), ("science", "Sci.")):
            place = next(n for n, name in enumerate(head) if name == title)
            assert row[place] == f"{float(record[keys.index(target)]):.2f}"


def test_costs_are_pictures_with_words_and_numbers_behind_them(tmp_path: Path) -> None:
    found = [*make("slow", 60, 500.0), *make("quick", 50, 5.0), *make("bad", 10, 50.0)]
    text = build(tmp_path, found)["boards/mini/single/index.html"]
    page = Read(text)
    assert "None is both better and cheaper than: quick (F1 50.00, 5); slow (F1 60.00, 500)" in page.text
    (numbers,) = [table for table in page.tables if "seconds of training" in table[0]]
    assert {row[1]: row[-1] for row in numbers[1:]} == {"slow": "yes", "quick": "yes", "bad": "no"}
    assert "No row here cost any." in page.text
    drawn = re.findall(r"<svg viewBox.*?</svg>", text, re.DOTALL)
    assert len(drawn) == 2
    assert [len(re.findall("<circle", svg)) for svg in drawn] == [3, 3]
    for svg in drawn:
        labels = [word for words in re.findall(r'aria-labelledby="([^"]*)"', svg) for word in words.split()]
        assert labels
        assert set(labels) <= set(page.ids)


def test_a_model_that_does_not_say_how_many_parameters_it_has_is_not_one_without_any(tmp_path: Path) -> None:
    found = [*make("asks", 60, model=replace(RESULT.model, trained=0, total=0)), *make("learns", 50)]
    pages = build(tmp_path, found)
    assert "parameters unknown" in Read(pages["index.html"]).text
    page = Read(pages["boards/mini/single/index.html"])
    (numbers,) = [table for table in page.tables if "parameters" in table[0]]
    assert [row[1] for row in numbers[1:]] == ["learns"]
    (costs,) = [table for table in page.tables if "Learnt from" in table[0]]
    assert [row[3] for row in costs[1:]] == ["0 / –", "0.0M / 0.0M"]


def test_the_page_of_origins_says_which_release_of_a_plugin_made_the_runs(tmp_path: Path) -> None:
    plugin = {"name": "mine", "release": "1.2", "origin": "installed", "code": "ab"}
    found = make("m", 60, provenance={**RESULT.provenance, "plugin": plugin})
    pages = build(tmp_path, found)
    assert "mine 1.2" in Read(pages["provenance.html"]).text
    assert "mine 1.2 ab" in Read(pages[f"runs/{found[0].run}.html"]).text


def test_a_run_has_a_page_with_its_types_phases_and_reason(tmp_path: Path) -> None:
    done = make("m", 60)
    failed = replace(done[0], status=Status.INCOMPLETE, reason="answers are missing", scores={}, sentences=[])
    pages = build(tmp_path, [failed, *done[1:]])
    first, second = (Read(pages[f"runs/{result.run}.html"]) for result in (done[0], done[1]))
    assert "answers are missing" in first.text
    assert ["person", "60.00", "60.00", "60.00", "3,000", "2,000", "2,000"] in second.tables[0]
    assert "no errors with their sentences" in second.text
    assert str(tmp_path) not in second.text


def test_a_board_without_curves_says_so_and_one_with_them_draws_them(tmp_path: Path) -> None:
    found = make("m", 60)
    lacking = "No learning curve: m on b (AI, Lit., Mus., Pol., Sci.)."
    assert lacking in Read(build(tmp_path, found)["boards/mini/single/curves.html"]).text
    place = tmp_path / "leaderboards" / "predictions" / found[0].path.with_suffix(".curve.jsonl")
    place.parent.mkdir(parents=True)
    lines = [
        f'{{"phase": "target", "epoch": {n}, "numbers": {{"loss": {1 / n}, "dev_f1": {10.0 * n}}}}}' for n in (1, 2)
    ]
    place.write_text("\n".join(lines) + "\n")
    pages = build(tmp_path, found)
    text = Read(pages["boards/mini/single/curves.html"]).text
    assert "m on b, seed 0: 10.00 in epoch 1, 20.00 in 2" in text
    assert "No learning curve: m on b (Lit., Mus., Pol., Sci.)." in text
    assert pages[f"runs/{found[0].run}.html"].count("<svg viewBox") == 2
    place.write_text("{}\n")
    assert lacking in Read(build(tmp_path, found)["boards/mini/single/curves.html"]).text


def test_the_same_results_make_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    found = [*make("m", 60, seeds=(0, 1)), *make("n", 60), *make("o", 30)]
    assert build(tmp_path / "a", found) == build(tmp_path / "b", found[::-1])


def test_a_site_takes_its_own_pages_away_and_no_other_file(tmp_path: Path) -> None:
    found = [*make("m", 60), *make("n", 30)]
    folder = save(tmp_path, found)
    place = tmp_path / "site"
    list(build_site(collect(folder, [], []), place).write())
    (place / "mine.html").write_text("x")
    gone = found[-1]
    (folder / "results" / gone.path).unlink()
    site = build_site(collect(folder, [], []), place)
    assert site.find_left_over() == [place / "runs" / f"{gone.run}.html"]
    list(site.write())
    assert not site.find_left_over()
    assert not site.find_stale()
    assert (place / "mine.html").exists()
    assert not (place / "runs" / f"{gone.run}.html").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("x")
    with pytest.raises(OptionError, match="holds other files than a site"):
        list(build_site(collect(folder, [], []), other).write())
    assert [path.name for path in other.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("name", ["../x.html", "/etc/x.html"])
def test_a_manifest_names_nothing_outside_its_folder(name: str, tmp_path: Path) -> None:
    site = build_site(collect(save(tmp_path, make("m", 60)), [], []), tmp_path / "site")
    list(site.write())
    (tmp_path / "x.html").write_text("x")
    (tmp_path / "site" / "site.txt").write_text(f"{name}\n")
    with pytest.raises(CdnerError):
        list(site.write())
    assert (tmp_path / "x.html").exists()


def test_the_command_writes_a_site_or_one_page_of_what_is_chosen(tmp_path: Path, typed: Run) -> None:
    save(tmp_path, make("m", 60))
    done = typed("leaderboard", "--format", "html")
    assert "wrote leaderboards/site/index.html and 11 more files" in done.stdout
    assert (tmp_path / "leaderboards/site/boards/mini/single/index.html").is_file()
    assert typed("leaderboard", "--format", "html", "--check").returncode == 0
    typed("leaderboard", "--format", "html", "--output", "elsewhere")
    assert (tmp_path / "elsewhere" / "index.html").is_file()
    assert typed("leaderboard", "--format", "html", "--method", "m").stdout.startswith("<!doctype html>")
    typed("leaderboard", "--format", "html", "--output", "one.html")
    assert (tmp_path / "one.html").is_file()


def write(root: Path, text: str) -> list[tuple[str, str]]:
    """A site every text of which is the given one."""
    found = []
    for result in make("m", 60):
        facts = MethodFacts("m", "1", text, {"backbone": text, text: text}, text)
        assert RESULT.usage is not None
        usage = replace(RESULT.usage, model=text, prompt=text, server=text)
        phases = [replace(RESULT.phases[0], name=text)]
        scores = {"span-f1": {text: Counts(1, 2, 3)}}
        provenance = {"plugin": {"name": text, "code": text}, "commit": text, "packages": {text: text}}
        changed = replace(
            result,
            method=facts,
            usage=usage,
            phases=phases,
            device=text,
            scores=scores,
            departures=(text,),
            reason=text,
        )
        model = replace(result.model, backbone=text)
        found.append(replace(changed, model=model, provenance={**result.provenance, **provenance}))
    collected = collect(save(root, make("m", 60)), [], [])
    (board,) = collected.boards
    rows = [replace(row, results=found) for row in board.rows]
    made = replace(collected, boards=[replace(board, rows=rows)], remarks=[text], left_out=[text])
    site = build_site(made, root / "site")
    return sorted((path.name, page) for path, page in site.pages.items() if path.suffix == ".html")


def test_a_text_on_a_site_is_nothing_but_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    usual = [Read(page).tags for _, page in write(tmp_path, "word")]
    for text in [*TEXTS, *KEYS]:
        for (name, page), tags in zip(write(tmp_path, text), usual, strict=True):
            assert find_harm(page) == [], (name, ascii(text))
            assert find_harm(unquote(page)) == [], (name, ascii(text))
            assert Read(page).tags == tags, (name, ascii(text))


def test_analyses_have_their_page(tmp_path: Path) -> None:
    from cdner_bench.records import measurements

    folder = save(tmp_path, make("m", 60, benchmark=BenchmarkFacts("mini", "2", "00")))
    for name in ("gtok", "dapt"):
        one = measured(name, "ai")
        measurements.save(one, folder / "measurements" / one.path)
    site = build_site(collect(folder, [], []), tmp_path / "site")
    page = Read(site.pages[tmp_path / "site" / "analysis.html"])
    assert "not drawn yet" in page.text
    assert any("domain,corpus,seed" in unquote(link) for link in page.links)
    assert 'href="analysis.html"' in site.pages[tmp_path / "site" / "index.html"]


def test_a_site_is_no_file(typed: Run, tmp_path: Path) -> None:
    (tmp_path / "site.txt").write_text("mine")
    done = typed("leaderboard", "--format", "html", "--output", "site.txt")
    assert done.returncode == 1
    assert "site.txt is a file, and a site is a folder\n  → name a new folder: --output DIR" in done.stderr
    assert (tmp_path / "site.txt").read_text() == "mine"
