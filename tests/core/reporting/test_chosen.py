"""A part of the boards: rows and columns as they were asked for, and no page rewritten."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import Counts, Scenario
from cdner_bench.cli import main
from cdner_bench.data import Benchmark
from cdner_bench.errors import OptionError
from cdner_bench.records import Result, results
from cdner_bench.reporting import FORMATS, Choice, Chosen, choose, make_boards, write_rows
from cdner_bench.scoring import PROTOCOLS
from samples import RESULT, name_run
from support import ROOT

TARGETS = {"single": ("ai", "literature", "music", "politics", "science"), "demo": ("ai", "literature")}


def make_result(setting: str, method: str, target: str, tp: int) -> Result:
    facts = replace(RESULT.method, name=method)
    scores = {p: {"task": Counts(tp, 100 - tp, 100 - tp)} for p in PROTOCOLS}
    run = name_run(facts, f"{setting}/{target}", 0)
    sentences = [Counts(tp, 100 - tp, 100 - tp)]
    scenario = Scenario(setting, ("news",), target)
    return replace(RESULT, run=run, method=facts, scenario=scenario, scores=scores, sentences=sentences)


FOUND = [
    make_result(setting, method, target, tp + n)
    for setting, targets in TARGETS.items()
    for method, tp in (("good", 60), ("weak", 30), ("demo-only", 10))
    for n, target in enumerate(targets)
    if setting == "demo" or method != "demo-only"
]


def make(mini: Benchmark, **chosen: Any) -> Chosen:
    return choose(make_boards(FOUND, mini), Choice(**chosen))


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ({"methods": ["weak"], "settings": ["demo"], "columns": ["method", "avg"]}, [[["weak", "30.50 (=)"]]]),
        ({"methods": ["weak"], "settings": ["demo"], "columns": ["Avg.", "place"]}, [[["30.50 (=)", "2"]]]),
        ({"methods": ["demo-only"], "columns": ["method"]}, [[["demo-only"]]]),
        ({"targets": ["music"], "columns": ["method", "Mus."]}, [[["good", "62.00"], ["weak", "32.00"]]]),
        ({"settings": ["demo"], "columns": ["strict-reading", "peak_memory", "Train s"], "methods": ["good"]}, None),
        ({"columns": ["ai", "music"], "methods": ["good"]}, [[["60.00", "62.00"]], [["60.00"]]]),
        ({"columns": ["model", "cost", "sentences", "device"], "methods": ["good"]}, None),
        ({"columns": ["music"], "methods": ["good"]}, [[["62.00"]]]),
    ],
)
def test_rows_and_columns_as_asked_for(mini: Benchmark, chosen: Any, shown: Any) -> None:
    tables = make(mini, **chosen).tables()
    assert shown is None or [write_rows(table) for table in tables] == shown
    assert all(len(row) == len(chosen["columns"]) for table in tables for row in write_rows(table)) or shown


def test_targets_are_the_columns_and_the_average_stays_what_it_is(mini: Benchmark) -> None:
    (table,) = make(mini, settings=["single"], targets=["music", "ai"]).tables()
    assert table.headers == [
        "#", "Method", "Backbone", "Preset", "Mus.", "AI", "Avg.", "95 %", "Train s", "Seeds", "Device",
    ]  # fmt: skip
    assert write_rows(table)[0][4:7] == ["62.00", "60.00", "62.00 (=)"]
    assert "over all 5 domains" in table.note


def test_another_protocol(mini: Benchmark) -> None:
    other = {"topt-released": {"task": Counts(50, 50, 50)}}
    boards = make_boards([replace(r, scores={**r.scores, **other}) for r in FOUND], mini)
    (table,) = choose(boards, Choice(settings=["single"], protocol="topt-released", columns=["ai", "span-f1"])).tables()
    assert "topt-released" in table.title
    assert write_rows(table)[0] == ["50.00", "62.00"]


@pytest.mark.parametrize(
    ("chosen", "said", "hint"),
    [
        ({"methods": ["goood"]}, "--method goood", "good"),
        ({"settings": ["dmo"]}, "--setting dmo", "demo"),
        ({"targets": ["musik"]}, "--target musik", "music"),
        ({"columns": ["Avrg"]}, "--columns Avrg", "avg"),
        ({"columns": ["method", "train_sec"]}, "--columns train_sec", "train_s"),
        ({"protocol": "span-f2"}, "--protocol span-f2", "span-f1"),
        ({"settings": ["single"], "methods": ["demo-only"]}, "--method demo-only", "good"),
        ({"methods": ["demo-only"], "targets": ["music"]}, "no board has", "leave some of it out"),
        ({"protocol": "topt-released", "columns": ["avg", "interval"]}, "--columns interval", "avg"),
        ({"methods": ["demo-only"], "columns": ["music"]}, "no board has", "leave some of it out"),
    ],
)
def test_unknown_names_suggest(mini: Benchmark, chosen: Any, said: str, hint: str) -> None:
    with pytest.raises(OptionError) as caught:
        make(mini, **chosen)
    assert said in str(caught.value)
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_holds_the_part(mini: Benchmark, format_: str) -> None:
    page = FORMATS[format_](make(mini, methods=["weak"], columns=["method", "ai", "avg", "train_s"]))
    assert "weak" in page
    assert "good" not in page
    if format_ in ("csv", "json"):
        rows = json.loads(page) if format_ == "json" else list(csv.DictReader(io.StringIO(page)))
        assert [(r["setting"], r["method"], float(r["ai"]), float(r["avg"]), float(r["train_s"])) for r in rows] == [
            ("single", "weak", 30.0, 32.0, 1.5), ("demo", "weak", 30.0, 30.5, 1.5),
        ]  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["leaderboard", *map(str, words)])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def list_pages(folder: Path) -> dict[Path, str]:
    return {p: p.read_text() for p in folder.rglob("*") if p.is_file() and "results" not in p.parts}


def test_no_page_is_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boards = tmp_path / "leaderboards"
    for r in FOUND:
        results.save(r, boards / "results" / r.path)
    (boards / "mini").mkdir()
    (boards / "mini" / "single.md").write_text("as it was")
    before = list_pages(boards)
    common = ("--out", tmp_path, "--benchmark", "mini")
    status, out, err = run(capsys, *common, "--method", "weak", "--setting", "demo")
    assert err == ""
    assert (status, "weak" in out, "good" in out) == (0, True, False)
    status, out, _ = run(capsys, *common, "--setting", "demo", "--columns", "method,avg", "--format", "csv")
    assert out.splitlines()[1].startswith("mini,demo,good,60.5,")
    for name, begins in {
        "a.csv": "benchmark,",
        "a.tex": "% In",
        "a.html": "<!doctype",
        "a.json": "[",
        "a": "# ",
    }.items():
        status, out, _ = run(capsys, *common, "--setting", "demo", "--output", tmp_path / name)
        assert (status, out) == (0, f"wrote {tmp_path / name}\n")
        assert (tmp_path / name).read_text().startswith(begins)
    for wrong in (["--output", boards / "mini" / "single.md"], ["--check", "--method", "good"]):
        status, _, err = run(capsys, *common, *wrong)
        assert (status, err.count("\n")) == (1, 2)
    assert list_pages(boards) == before


def test_boards_in_other_formats_are_fine_and_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for r in FOUND:
        results.save(r, tmp_path / "leaderboards" / "results" / r.path)
    for format_ in FORMATS:
        assert run(capsys, "--out", tmp_path, "--format", format_)[0] == 0
    status, out, _ = run(capsys, "--out", tmp_path, "--check")
    assert status == 0
    pages = [p.relative_to(tmp_path) for p in list_pages(tmp_path) if p.suffix != ".md"]
    made = [p for p in pages if "site" not in p.parts]
    assert len(made) == 2 * 3
    assert "leaderboards/site/index.html" in map(str, pages)
    assert all(f"{tmp_path / path} is fine" in out for path in made)
    kept = [
        "results/mini/demo/ai/x.json",
        "measurements/mini/uid/x.json",
        "figures/x.csv",
        "mini/demo.md",
        "analysis.md",
    ]
    wanted = [*map(str, pages), *(f"leaderboards/analysis.{kind}" for kind in ("csv", "tex", "html", "json"))]
    asked = "\n".join([*wanted, *(f"leaderboards/{name}" for name in kept)])
    words = ["git", "check-ignore", "--no-index", "--stdin"]
    done = subprocess.run(words, cwd=ROOT, input=asked, capture_output=True, text=True, check=False)
    assert sorted(done.stdout.split()) == sorted(wanted)
