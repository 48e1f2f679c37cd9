"""What papers print on boards: the shipped numbers, and a second paper that is only a folder of data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench import Scenario
from cdner_bench.data import Benchmark
from cdner_bench.errors import DataError
from cdner_bench.papers import list_supplements, load, load_all
from cdner_bench.reporting import FORMATS, HOLE, Board, Supplement, make_boards, write_rows
from samples import RESULT

ABOUT = 'title = "Another"\ncalled = "a paper | of others"\n'
TABLE = """
table = "3"
benchmark = "crossner"

[[rows]]
method = "X"
setting = "single"
f1 = { ai = 50.0, literature = 60, music = 70.0, politics = 80.0, science = 90.0 }

[[rows]]
method = "Y"
setting = "multi"
f1 = { ai = 1.0 }
"""


def board(crossner: Benchmark, *supplements: Supplement) -> Board:
    facts = replace(RESULT.benchmark, name="crossner", version=crossner.version)
    scenario = Scenario("single", ("news",), "ai")
    (made,) = make_boards([replace(RESULT, benchmark=facts, scenario=scenario)], crossner, supplements)
    return made


def put(papers: Path, about: str = ABOUT, table: str = TABLE) -> Path:
    (papers / "other").mkdir()
    (papers / "other" / "paper.toml").write_text(about)
    (papers / "other" / "table-03.toml").write_text(table)
    return papers


def test_reported_numbers_are_the_paper_s(crossner: Benchmark) -> None:
    (reported,) = [t for s in list_supplements() for t in s.board_tables(board(crossner))]
    assert reported.title == "Reported in the TOPT paper"
    rows = {row[0]: row[1:] for row in write_rows(reported)}
    assert rows["TOPT"] == ["72.34", "77.85", "82.03", "81.55", "80.16", "78.78", "78.79", "Table 2"]
    assert rows["DAPTN"][-3:] == ["69.63", "68.72", "Table 2"]
    assert rows["BERT + GTOK"] == ["41.39", HOLE, "47.06", HOLE, HOLE, HOLE, HOLE, "Table 9"]
    assert len(rows) == 12


def test_a_folder_of_data_is_another_paper(crossner: Benchmark, tmp_path: Path) -> None:
    (other,) = load_all(put(tmp_path))
    made = board(crossner, other)
    reported = made.tables()[-1]
    assert reported.title == "Reported in a paper | of others"
    assert write_rows(reported) == [["X", "50.00", "60.00", "70.00", "80.00", "90.00", HOLE, "70.00", "Table 3"]]
    assert "## Reported in a paper \\| of others" in FORMATS["md"](made)
    assert len(made.tables()) == len(board(crossner).tables()) + 1


def test_a_paper_says_nothing_of_another_benchmark(mini: Benchmark, tmp_path: Path) -> None:
    (made,) = make_boards([replace(RESULT, scenario=Scenario("single", ("news",), "ai"))], mini)
    assert load("other", put(tmp_path)).board_tables(made) == []


@pytest.mark.parametrize(
    ("about", "table", "said"),
    [
        ('title = "Another"\n', TABLE, "called is missing"),
        (ABOUT + "colour = 1\n", TABLE, "unknown key colour"),
        ("title =", TABLE, "paper.toml is not TOML: "),
        (ABOUT, TABLE.replace('method = "X"\n', ""), "rows.method is missing"),
        (ABOUT, TABLE.replace("50.0", '"50"'), "rows.f1.ai cannot be '50'"),
        (ABOUT, TABLE.replace('benchmark = "crossner"\n', ""), "benchmark is missing"),
        (ABOUT, TABLE.replace("[[rows]]", "[[row]]"), "unknown key row"),
        (ABOUT, TABLE.replace("f1 =", "averag = 1.0\nf1 ="), "unknown key rows.averag"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, about: str, table: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        load("other", put(tmp_path, about, table))
