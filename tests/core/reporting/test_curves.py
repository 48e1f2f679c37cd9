"""Scores by the number of labelled sentences."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest

from cdner_bench import Counts
from cdner_bench.data import Benchmark
from cdner_bench.records import Result
from cdner_bench.reporting import FORMATS, HOLE, Curves, gather_curves, make_boards, write_rows
from cdner_bench.scoring import PROTOCOLS
from samples import RESULT, name_run
from support import Run

TARGETS = ("ai", "literature", "music", "politics", "science")


def make(method: str, setting: str, f1: int, targets: tuple[str, ...] = TARGETS) -> list[Result]:
    """Two seeds of a method in a setting, one point apart."""
    scores = {s: {p: {"task": Counts(f1 + s, 100 - f1 - s, 100 - f1 - s)} for p in PROTOCOLS} for s in (0, 1)}
    made = []
    for target in targets:
        for seed, of_seed in scores.items():
            result = replace(
                RESULT,
                scenario=replace(RESULT.scenario, setting=setting, target=target),
                method=replace(RESULT.method, name=method),
                seed=seed,
                scores=of_seed,
                sentences=[of_seed["span-f1"]["task"]],
            )
            made.append(replace(result, run=name_run(result.method, f"{setting}/{target}", seed)))
    return made


def gather(mini: Benchmark, *found: list[Result]) -> list[Curves]:
    return gather_curves(make_boards([result for each in found for result in each], mini))


def test_boards_with_fewer_labels_stand_side_by_side(mini: Benchmark) -> None:
    (page,) = gather(
        mini,
        make("good", "single-shots10", 30),
        make("good", "single-shots5", 20),
        make("good", "single", 60),
        make("late", "single", 90),
        make("holey", "single-shots10", 50, TARGETS[1:]),
    )
    averages, *_ = page.tables()
    assert averages.headers == ["Method", "Backbone", "Preset", "5", "10", "all"]
    assert [[row[0], *row[3:]] for row in write_rows(averages)] == [
        ["late", HOLE, HOLE, "90.50 [89.8, 91.2]"],
        ["good", "20.50 [19.8, 21.2]", "30.50 [29.8, 31.2]", "60.50 [59.8, 61.2]"],
        ["holey", HOLE, HOLE, HOLE],
    ]
    assert page.name == "single-shots"
    ai = next(table for table in page.tables() if table.title == "AI")
    assert write_rows(ai)[1][3:] == ["20.50 ± 0.71", "30.50 ± 0.71", "60.50 ± 0.71"]


def test_what_is_left_of_dev_is_another_page(mini: Benchmark) -> None:
    pages = gather(mini, make("m", "multi-shots5", 20), make("m", "multi-shots5-full-dev", 30), make("m", "multi", 60))
    assert [page.name for page in pages] == ["multi-shots", "multi-shots-full-dev"]
    assert [list(page.boards) for page in pages] == [["5", "all"], ["5", "all"]]
    assert gather(mini, make("m", "multi", 60)) == []


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_writes_the_page(mini: Benchmark, format_: str) -> None:
    (page,) = gather(mini, make("m", "single-shots5", 20), make("m", "single", 60))
    text = FORMATS[format_](page)
    assert "20.5" in text
    if format_ == "csv":
        records = list(csv.DictReader(io.StringIO(text)))
        assert {(r["shots"], r["mean"]) for r in records} == {("5", "20.5"), ("all", "60.5")}


def test_a_run_with_fewer_labels(typed: Run) -> None:
    """From the command to the page; the same command again makes nothing."""
    command = ("run", "--method", "gazetteer", "--benchmark", "mini", "--setting", "single", "--target", "ai")
    done = typed(*command, "--shots", "5,10", "--seeds", "2")
    assert done.returncode == 0, done.stderr
    assert "by the number of labelled sentences\nStrict span micro-F1 (span-f1), AI\n" in done.stdout
    assert re.search(r"^ gazetteer +none +quick +\d+\.\d\d ± \d\.\d\d +\d+\.\d\d ± \d\.\d\d ", done.stdout, re.M)
    again = typed(*command, "--shots", "10", "--seeds", "2", "--quiet")
    assert [line.split()[:4] for line in again.stdout.splitlines()] == [
        ["single-shots10/ai", "gazetteer", str(seed), "skipped"] for seed in (0, 1)
    ]
    assert typed("leaderboard").stdout.count("single-shots.md") == 1
    assert typed("leaderboard", "--check").returncode == 0
    for wrong, said in (
        (["--shots", "41"], "ai has 40 labelled sentences"),
        (["--shots", "few"], "write --shots 10,25,50,100"),
        (["--full-dev"], "--full-dev says how much of dev goes with --shots"),
    ):
        refused = typed(*command, *wrong)
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    assert "says how many labels already" in typed(*command[:6], "single-shots5", "--shots", "5").stderr
