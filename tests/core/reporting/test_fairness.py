"""What a board says of how fair its comparison is: who was given what, and what was known before."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from cdner_bench import Counts, Given, Scenario
from cdner_bench.data import Benchmark
from cdner_bench.records import Result, results
from cdner_bench.reporting import FORMATS, HOLE, Board, make_boards, write_rows
from cdner_bench.scoring import HEADLINE
from samples import RESULT, name_run

TARGETS = ("ai", "literature", "music", "politics", "science")
KNOWN, OTHER = Counts(8, 0, 0), Counts(1, 1, 3)
BY_TRAIN = {"seen": Counts(8, 0, 0), "seen as another type": Counts(0, 1, 1), "unseen": Counts(1, 0, 2)}


def result(target: str, name: str = "m", backbone: str = "b", **changed: Any) -> Result:
    """A result whose first test sentence is all right, and stands in train, too."""
    facts = replace(RESULT.method, name=name, options={"backbone": backbone}, backbone=backbone)
    made = replace(
        RESULT,
        run=name_run(facts, target, 0),
        method=facts,
        model=replace(RESULT.model, backbone=backbone),
        scenario=Scenario("single", ("news",), target),
        scores={HEADLINE: {"task": KNOWN + OTHER}},
        sentences=[KNOWN, OTHER],
        given=(Given.SOURCE_LABELS, Given.PRETRAINED),
        repeated={"news/train": (0,), f"{target}/dev": (0,)},
        by_train=BY_TRAIN,
    )
    return replace(made, **changed)


def board(mini: Benchmark, *results: Result) -> Board:
    (made,) = make_boards(results, mini)
    return made


def shown(made: Board) -> dict[str, str]:
    """What the first row of the table says, by its columns."""
    table = made.fairness()
    assert table is not None
    return dict(zip(table.headers, write_rows(table)[0], strict=True))


def test_the_table_says_what_was_given_and_what_was_known(mini: Benchmark) -> None:
    made = board(mini, *(result(t) for t in TARGETS))
    assert shown(made) == {
        "Method": "m",
        "Backbone": "b",
        "Preset": "quick",
        "Was given": "source labels, a pre-trained model",
        "Published": HOLE,
        "Avg.": "81.82",  # 18 / 22
        "Without known": "33.33",  # 2 / 6
        "Seen in train": "100.00",
        "Unseen": "50.00",
        "Read in part": "0.0 %",
    }
    table = made.fairness()
    assert table is not None
    assert table.legend.startswith("Test sentences that stand in other splits, too. AI: 1 in news/train, 1 in ai/dev; ")
    assert "AI 1, Lit. 1" in made.scores().legend  # one sentence, though it stands in two splits
    assert "stand" not in made.scores("topt-released").legend


@pytest.mark.parametrize(
    ("changed", "column", "cell"),
    [
        ({"given": None}, "Was given", HOLE),
        ({"given": ()}, "Was given", "nothing"),
        ({"repeated": None}, "Without known", HOLE),
        ({"repeated": {}}, "Without known", "81.82"),
        ({"repeated": {"news/train": (0, 1)}}, "Without known", HOLE),  # nothing is left
        ({"by_train": {}}, "Seen in train", HOLE),
        ({"by_train": {}}, "Unseen", HOLE),
        ({"by_train": {**BY_TRAIN, "unseen": Counts(0, 3, 0)}}, "Unseen", HOLE),  # gold has none
        ({"answers": {"unseen sentences": 1, "unseen tokens": 9}}, "Read in part", "50.0 %"),
        ({"answers": {"prompt cut": 1}}, "Read in part", "50.0 %"),
        ({"answers": {"prompt cut": 1, "unseen sentences": 1}}, "Read in part", "50.0 %"),
        ({"answers": {"answer cut": 2}}, "Read in part", "0.0 %"),
        ({"method": replace(RESULT.method, name="m", revision=results.PREDICTIONS_ONLY)}, "Read in part", HOLE),
    ],
)
def test_what_no_record_says_is_a_hole(mini: Benchmark, changed: dict[str, Any], column: str, cell: str) -> None:
    assert shown(board(mini, *(result(t, **changed) for t in TARGETS)))[column] == cell


def test_a_mean_is_of_all_domains_or_none(mini: Benchmark) -> None:
    found = [result(t) for t in TARGETS[1:]]
    made = board(mini, result("ai", by_train={}, repeated=None), *found)
    assert (shown(made)["Avg."], shown(made)["Unseen"], shown(made)["Without known"]) == ("81.82", HOLE, HOLE)
    table = made.fairness()
    assert table is not None
    assert table.legend.endswith(" No record says which test sentences of AI stand in other splits.")
    assert "AI" not in made.scores().legend
    by_target = {r["target"]: r for r in made.records() if r["protocol"] == HEADLINE}
    assert (
        by_target["ai"]["f1_unseen"] is by_target["average"]["f1_unseen"] is by_target["ai"]["known_sentences"] is None
    )
    assert by_target["music"]["f1_unseen"] == 50.0


@pytest.mark.parametrize(
    ("public", "backbone", "marked"),
    [
        ("2020-12", "gpt-4", True),
        ("2020-12", "gpt-4o-2024-08-06", True),
        ("2020-12", "bert-base-cased", False),
        ("2020-12", "minit5", False),
        ("2020-12", "somebody's", False),  # not known
        ("2020-12", "none", False),
        ("2023-03", "gpt-4", False),  # of the same month
        ("", "gpt-4", False),  # nobody says since when the test sentences are public
    ],
)
def test_models_that_may_have_read_the_test_sentences_are_marked(
    mini: Benchmark, public: str, backbone: str, marked: bool
) -> None:
    made = board(replace(mini, public=public), *(result(t, backbone=backbone) for t in TARGETS))
    table = made.fairness()
    assert table is not None
    published = write_rows(table)[0][table.headers.index("Published")]
    assert published.endswith(" (later)") == marked
    assert (f"(later): published after the test sentences ({public})" in table.note) == bool(public)
    assert {r["younger_than_test"] for r in made.records()} == {marked}


def test_scores_of_rows_that_read_sentences_in_part_are_marked(mini: Benchmark) -> None:
    cut = [result(t, answers={"unseen sentences": int(t == "ai"), "unseen tokens": 3}) for t in TARGETS]
    made = board(mini, *cut, *(result(t, "whole") for t in TARGETS))
    marks = {row[1]: row[4:10] for row in write_rows(made.scores())}
    assert ["(a)" in cell or ", a" in cell for cell in marks["m"]] == [True, False, False, False, False, True]
    assert not any("a)" in cell for cell in marks["whole"])
    assert "(a) some test sentences were read only in part (share under Fairness)" in made.scores().legend
    assert {r["target"]: r["read_in_part"] for r in made.records() if r["method"] == "m"} == {
        **dict.fromkeys(TARGETS, 0.0), "ai": 50.0, "average": 10.0, "pooled": 10.0,
    }  # fmt: skip


def test_programs_get_all_of_it(mini: Benchmark) -> None:
    made = board(mini, *(result(t) for t in TARGETS))
    (record,) = [r for r in json.loads(FORMATS["json"](made)) if (r["target"], r["protocol"]) == ("ai", HEADLINE)]
    expected = {
        "given": "source labels, a pre-trained model",
        "published": None,
        "known_sentences": 1,
        "f1_without_known": pytest.approx(100 / 3),
        "f1_seen": 100.0,
        "f1_retyped": 0.0,
        "f1_unseen": 50.0,
        "recall_seen": 100.0,
        "recall_retyped": 0.0,
        "recall_unseen": pytest.approx(100 / 3),
        "read_in_part": 0.0,
    }
    assert {name: record[name] for name in expected} == expected
    assert expected.keys() <= next(csv.DictReader(io.StringIO(FORMATS["csv"](made)))).keys()
