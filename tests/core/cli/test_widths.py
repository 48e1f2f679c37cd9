"""Tables on terminals of any width: no number is broken or cut, and what has no room is named."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from cdner_bench.cli.common import make_table, show
from cdner_bench.cli.terminal import Terminal
from cdner_bench.data import Benchmark
from cdner_bench.drawing import Grid
from cdner_bench.records import Result
from cdner_bench.reporting import Column, Estimate, Several, Table, draw_table, make_boards, tabulate_corpora
from cdner_bench.types import Scenario
from samples import RESULT, measured, name_run

WIDTHS = (40, 60, 80, 120)
LONG = "a-method-of-a-very-long-name (learning_rate=0.00012345, lengths=1,234, layers=(10,11,120), epochs=12)"


def draw(monkeypatch: pytest.MonkeyPatch, table: Grid, width: int) -> str:
    """What a terminal of a width shows."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    Terminal(width=width).show(table)
    return stream.getvalue()


def make_results(method: str, seeds: int) -> list[Result]:
    facts = replace(RESULT.method, name=method)
    targets = ("ai", "literature", "music", "politics", "science")
    return [
        replace(RESULT, run=name_run(facts, t, s), method=facts, scenario=Scenario("single", ("news",), t), seed=s)
        for t in targets
        for s in range(seeds)
    ]


def make_board(mini: Benchmark) -> Grid:
    spread = [
        replace(r, scores={"span-f1": {"task": replace(r.scores["span-f1"]["task"], tp=1 + r.seed)}})
        for r in make_results("bert-tagger", 2)
    ]
    (board,) = make_boards([*spread, *make_results("other-method-of-somebody", 1)], mini)
    return draw_table(board.scores())


def make_scores(_: Benchmark) -> Grid:
    table = make_table("protocol", "precision", "recall", "F1", "tp", "fp", "fn", right=6, keep=("F1",))
    table.add_row("conlleval-stream", "57.81", "61.02", "59.37", "12345", "4321", "67890")
    return table


def make_named(_: Benchmark) -> Grid:
    estimates = [Estimate(57.81, 1.25, 3)] * 4
    columns = [
        Column[int]("Method", "left", lambda n: LONG, 9),
        *(Column[int](f"target {t}", "right", lambda n: estimates[n], 5 - t) for t in range(4)),
        Column[int]("Learnt from", "left", lambda n: Several(["source 2,560", "target 2,800"], " · ")),
    ]
    return draw_table(Table("Long names", columns, range(4)))


def make_unaligned(_: Benchmark) -> Grid:
    table = make_table("table", "printed", "follows from the others", "why")
    table.add_row("table-2-of-the-paper", "57.81", "1234567.81", "a word of explanation that goes on and on")
    return table


def make_analysis(_: Benchmark) -> Grid:
    return draw_table(tabulate_corpora([measured("gtok", d, variance=0.123456789) for d in "abcdefgh"]))


NUMBERS = {
    make_board: ("± ", "28.57"),
    make_scores: ("57.81", "61.02", "59.37", "12345", "4321", "67890"),
    make_named: ("57.81 ± 1.25", "0.00012345", "1,234", "2,560", "2,800", "120", "12"),
    make_unaligned: ("57.81", "1234567.81"),
    make_analysis: ("0.1235 [0.05000, 0.1500]",),
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("make", NUMBERS, ids=lambda make: make.__name__)
def test_no_number_is_broken(
    make: Callable[[Benchmark], Grid], width: int, mini: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every run of digits on a narrow terminal is one of a wide one, and what is not there is named."""
    table = make(mini)
    wide, narrow = draw(monkeypatch, table, 1000), draw(monkeypatch, table, width)
    known = set(re.findall(r"[\d.]*\d", wide))
    assert set(re.findall(r"[\d.]*\d", narrow.partition("no room")[0])) <= known
    assert max(map(len, narrow.splitlines())) <= width
    assert not re.search(r"±\s*\n|…", narrow)
    named = " ".join(narrow.partition("columns for:")[2].split())
    gone = [h for h in map(read_header, table.columns) if h and not is_shown(h, narrow)]
    assert all(header in named for header in gone)
    assert bool(named) == bool(gone)
    assert "To see them: a wider terminal, or | cat" in named or not gone


def read_header(column: object) -> str:
    return " ".join(str(getattr(column, "header", "")).split())


def is_shown(header: str, drawn: str) -> bool:
    """Whether every word of a header stands over the table."""
    return set(header.split()) <= set(drawn.partition("──")[0].split())


def test_the_most_important_stays(mini: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "59.37" in draw(monkeypatch, make_scores(mini), 40)
    assert "57.81 ± 1.25" in draw(monkeypatch, make_named(mini), 40)
    shown = draw(monkeypatch, make_board(mini), 40)
    assert "Avg." in shown.partition("──")[0]
    assert "bert-tagger" in shown


@pytest.mark.parametrize("make", NUMBERS, ids=lambda make: make.__name__)
def test_nothing_is_left_out_where_there_is_no_terminal(
    make: Callable[[Benchmark], Grid], mini: Benchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    show(make(mini))
    said = capsys.readouterr().out
    assert [number for number in NUMBERS[make] if number not in said] == []
    assert "no room" not in said
    if make is make_named:
        assert LONG in said
