from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench import Counts, Doubt, Scenario
from cdner_bench.data import Benchmark
from cdner_bench.io import Phase
from cdner_bench.records import Comparable, Result, Status, results
from cdner_bench.reporting import (
    FORMATS,
    HOLE,
    Board,
    Table,
    make_boards,
    tell_left_out,
    tell_strangers,
    write_rows,
)
from cdner_bench.scoring import HEADLINE, PROTOCOLS, total
from samples import RESULT, name_run
from support import ROOT, Run

TARGETS = ("ai", "literature", "music", "politics", "science")


def result(method: str, target: str, seed: int, tp: int, **options: object) -> Result:
    """A result whose F1 is `tp` percent."""
    facts = replace(RESULT.method, name=method, options={"backbone": "b", **options})
    return replace(
        RESULT,
        run=name_run(facts, target, seed),
        method=facts,
        scenario=Scenario("single", ("news",), target),
        seed=seed,
        scores={protocol: {"task": Counts(tp, 100 - tp, 100 - tp)} for protocol in PROTOCOLS},
        sentences=[Counts(tp, 100 - tp, 100 - tp)],
    )


def board(mini: Benchmark, found: list[Result]) -> Board:
    (made,) = make_boards(found, mini)
    return made


FULL = [result("good", t, s, 60 + 2 * s) for t in TARGETS for s in (0, 1)]
WEAK = [result("weak", t, 0, 30) for t in TARGETS]
HOLEY = [result("holey", t, 0, 90) for t in TARGETS[1:]]


def cell(table: Table, title: str) -> str:
    """What the first row of a table says in a column."""
    return write_rows(table)[0][table.headers.index(title)]


def test_best_average_first_and_holes_last(mini: Benchmark) -> None:
    rows = write_rows(board(mini, [*HOLEY, *WEAK, *FULL]).scores())
    assert [row[1] for row in rows] == ["good", "weak", "holey"]
    average = ["61.00 ± 1.41 (=)", "59.6–62.4"]
    assert rows[0] == ["1", "good", "b", "quick", *["61.00 ± 1.41"] * 5, *average, "1.5", "2", "cpu"]
    assert rows[1] == ["2", "weak", "b", "quick", *["30.00"] * 5, "30.00", "30.0–30.0", "1.5", "1", "cpu"]
    assert rows[2] == [HOLE, "holey", "b", "quick", HOLE, *["90.00"] * 4, HOLE, HOLE, "1.5", "0–1", "cpu"]


def test_rows_that_cannot_be_told_from_the_best_are_marked(mini: Benchmark) -> None:
    """By sentence: the same score, reached on other sentences, is no difference; a difference in every sentence is."""

    def of(name: str, counts: list[Counts]) -> list[Result]:
        whole = total(counts)
        scores = {protocol: {"task": whole} for protocol in PROTOCOLS}
        return [replace(result(name, t, 0, 1), scores=scores, sentences=counts) for t in TARGETS]

    right, wrong = Counts(2, 0, 1), Counts(1, 1, 2)
    best = of("best", [right] * 60 + [wrong] * 40)
    near = of("near", [wrong] * 39 + [right] * 59 + [wrong] * 2)
    far = of("far", [right] * 30 + [wrong] * 70)
    made = board(mini, [*best, *near, *far])
    assert [(r.row.method, r.place, r.tied) for r in made.ranked] == [
        ("best", 1, True),
        ("near", 2, True),
        ("far", 3, False),
    ]
    assert [row[9].partition(" ")[2] for row in write_rows(made.scores())] == ["(=)", "(=)", ""]
    assert "corrected over the 2 rows compared (Holm)." in made.scores().legend
    records = [r for r in made.records() if (r["target"], r["protocol"]) == ("average", HEADLINE)]
    assert all(r["low"] < r["mean"] < r["high"] for r in records)
    assert [r["tied_with_best"] for r in records] == [True, True, False]
    assert {r["tied_with_best"] for r in made.records() if r["target"] != "average"} == {None}
    (alone,) = board(mini, best).ranked
    assert (alone.tied, board(mini, best).scores().legend) == (False, "")


def test_the_average_of_domains_is_not_the_score_of_all_entities(mini: Benchmark) -> None:
    found = [result("m", "ai", 0, 90), *(result("m", t, 0, 10) for t in TARGETS[1:])]
    big = replace(found[0], scores={HEADLINE: {"task": Counts(900, 100, 100)}}, sentences=[Counts(900, 100, 100)])
    means = {r["target"]: r["mean"] for r in board(mini, [big, *found[1:]]).records() if r["protocol"] == HEADLINE}
    assert means["average"] == pytest.approx((90 + 4 * 10) / 5)
    assert means["pooled"] == pytest.approx(100 * (900 + 4 * 10) / (1000 + 400))


def test_what_was_tried_beside_the_board_stands_below_it(mini: Benchmark) -> None:
    """A row that departs from its preset, unless the file of the benchmark counts it among the board's."""
    tried = [replace(r, departures=("mode",)) for t in TARGETS for r in [result("m", t, 0, 99, mode="x")]]
    more = [replace(r, departures=("mode", "same")) for t in TARGETS for r in [result("m", t, 0, 98, mode="y", same=2)]]
    assert [r.label for r in board(mini, [*WEAK, *tried]).ranked] == ["m (mode=x)", "weak"]  # a file that says nothing
    made = board(replace(mini, board={"m": [frozenset({"mode", "same"})]}), [*WEAK, *tried, *more])
    assert [(r.place, r.label) for r in made.ranked] == [(1, "m (mode=y, same=2)"), (2, "weak")]
    table = made.also_tried()
    assert table is not None
    assert [row[0] for row in write_rows(table)] == ["m (mode=x)"]
    assert table.headers[0] == "Method"
    said = {(r["method"], r["options"].get("mode")): r["on_board"] for r in made.records()}
    assert said == {("m", "x"): False, ("m", "y"): True, ("weak", None): True}
    page = FORMATS["md"](made)
    assert page.index("## Also tried") < page.index("m (mode=x)") < page.index("## Average under")


def test_the_average_is_over_seeds_that_every_domain_has(mini: Benchmark) -> None:
    extra = result("weak", "ai", 1, 90)
    row = write_rows(board(mini, [*WEAK, extra]).scores())[0]
    assert (row[4], row[9], row[12]) == ("60.00 ± 42.43", "30.00", "1–2")


def test_not_run_is_shown_as_such(mini: Benchmark) -> None:
    missing = replace(
        result("none", "ai", 0, 1), status=Status.NOT_RUN, scores={}, sentences=(), phases=(), reason="no corpus"
    )
    row = write_rows(board(mini, [missing]).scores())[0]
    assert row[4:10] == ["not run", *[HOLE] * 5]


def test_incomplete_runs_are_shown_as_such(mini: Benchmark) -> None:
    missing = replace(
        result("none", "ai", 0, 1), status=Status.INCOMPLETE, scores={}, sentences=(), reason="no answers"
    )
    assert write_rows(board(mini, [missing, *WEAK]).scores())[1][4:10] == ["incomplete", *[HOLE] * 5]


def test_what_was_asked_of_language_models_is_summed(mini: Benchmark) -> None:
    """With what was asked for once more."""
    table = board(mini, [*FULL, *(replace(r, usage=None) for r in WEAK)]).models()
    assert table is not None
    (row,) = write_rows(table)
    assert row == [
        "good", "m-2026-01-01", "2026-01-01 to 2026-01-02", "0123abcd", "40", "10 refused", "4,000", "350", "$5.00",
        "0.50 / 1.00 / 2.00", "0",
    ]  # fmt: skip
    assert board(mini, [replace(r, usage=None) for r in WEAK]).models() is None


def test_seconds_of_a_replay_are_not_shown(mini: Benchmark) -> None:
    assert RESULT.usage is not None
    replayed = [replace(r, usage=replace(RESULT.usage, replayed=3, cost=None)) for r in FULL]
    assert [cell(board(mini, replayed).cost(), title) for title in ("s/sentence", "Train s")] == [HOLE, HOLE]
    table = board(mini, replayed).models()
    assert table is not None
    assert (write_rows(table)[0][8], write_rows(table)[0][-1]) == (HOLE, HOLE)


def test_a_row_is_named_by_what_is_not_its_preset_s(mini: Benchmark) -> None:
    """Whatever other rows there are, and but for the backbone, which has a column."""
    found = [result("m", t, 0, n, mode=m, same=1) for t in TARGETS for m, n in (("x", 50), ("y", 40))]
    departing = [replace(r, departures=("mode", "backbone") if r.method.options["mode"] == "y" else ()) for r in found]
    alone = [r for r in departing if r.method.options["mode"] == "y"]
    assert [row[1] for row in write_rows(board(mini, departing).scores())] == ["m", "m (mode=y)"]
    assert [row[1] for row in write_rows(board(mini, alone).scores())] == ["m (mode=y)"]
    many = [result("m", t, 0, 50, **dict.fromkeys("pqrstu", 1)) for t in TARGETS]
    named = board(mini, [replace(r, departures=tuple("pqrstu")) for r in many])
    assert cell(named.scores(), "Method") == "m (p=1, q=1, r=1, s=1, and 2 more)"
    none = [replace(result("m", t, 0, 50, longest=None), departures=("longest",)) for t in TARGETS]
    without = [replace(r, method=replace(r.method, backbone=None)) for r in none]
    assert cell(board(mini, without).scores(), "Method") == "m (longest=None)"


def test_cost(mini: Benchmark) -> None:
    assert write_rows(board(mini, FULL).cost())[0] == [
        "good", "b", "quick", "0.0M / 0.0M", "fit 30", "0.50", "1.5", HOLE, "0.2500", "0.00 GiB", "fp32", "cpu",
    ]  # fmt: skip


def test_seconds_of_a_busy_machine_are_left_out_or_marked(mini: Benchmark) -> None:
    def taken(r: Result, seconds: float, others: float | None) -> Result:
        dev = Phase("dev", 4 * seconds, sentences=6, others=others)
        return replace(r, phases=[Phase("fit", seconds, epochs=3, sentences=30, others=others), dev])

    busy = [taken(r, 9.0, 0.9) for r in FULL]
    table = board(mini, busy).cost()
    assert [cell(table, title) for title in ("Train s/epoch", "Train s", "Dev s")] == [
        "3.00 (busy)", "9.0 (busy)", "36.0 (busy)",
    ]  # fmt: skip
    table = board(mini, [taken(busy[0], 1.5, 0.1), *busy[1:]]).cost()
    assert [cell(table, title) for title in ("Train s/epoch", "Train s", "Dev s")] == ["0.50", "1.5", "6.0"]
    untold = [taken(r, 4.0, None) for r in FULL]
    for first, shown in ((busy[0], "4.5 (busy)"), (taken(busy[0], 1.5, 0.1), "1.5"), (untold[0], "4.0")):
        assert cell(board(mini, [first, *untold[1:]]).cost(), "Train s") == shown


def test_what_was_odd_about_answers_is_counted(mini: Benchmark) -> None:
    assert board(mini, FULL).answers() is None
    odd = [replace(r, answers={"read": 10, "repeat": 3, "answer cut": 2, "prompt cut": 1}) for r in FULL]
    table = board(mini, odd).answers()
    assert table is not None
    shown = {title: cell(table, title) for title in table.headers}
    n = len(FULL)
    assert (shown["Answers"], shown["Repeat"]) == (f"{10 * n}", f"{3 * n}")
    assert (shown["Cut at the limit"], shown["Prompts cut"], shown["Malformed"]) == (f"{2 * n}", f"{n}", "0")


def on(found: list[Result], precision: str, device: str = "cpu", seed: int | None = None) -> list[Result]:
    """The results, those of a seed or all, as if made in a precision on a device."""
    return [
        replace(r, model=replace(r.model, precision=precision), device=device) if seed in (None, r.seed) else r
        for r in found
    ]


@pytest.mark.parametrize(
    ("good", "weak", "shown"),
    [
        ("bf16", "bf16", ["b", "b"]),
        ("bf16", "fp32", ["b, bf16", "b, fp32"]),
        ("bf16", "", ["b", "b"]),
        ("4-bit", "bf16", ["b, 4-bit", "b, bf16"]),
    ],
)
def test_the_precision_is_shown_where_rows_differ_in_it(
    mini: Benchmark, good: str, weak: str, shown: list[str]
) -> None:
    made = board(mini, [*on(FULL, good), *on(WEAK, weak)])
    for table in made.tables():
        if "Backbone" in table.headers and len(table.rows) == len(shown):
            assert [row[table.headers.index("Backbone")] for row in write_rows(table)] == shown, table.title
    assert {(r["method"], r["precision"]) for r in made.records()} == {("good", good), ("weak", weak or HOLE)}


@pytest.mark.parametrize(("other", "said"), [("bf16", "bf16, fp32"), ("", "fp32, –")])
def test_precisions_are_not_averaged_in_silence(mini: Benchmark, other: str, said: str) -> None:
    """Of seeds in every domain, and of domains in the average alone."""
    made = board(mini, on(FULL, other, seed=1))
    table = made.scores()
    assert table.legend == f"(a) runs of different precision ({said}) are averaged."
    assert write_rows(table)[0][4:10] == ["61.00 ± 1.41 (a)"] * 6
    assert table.legend in " ".join(FORMATS["md"](made).split())
    assert {r["doubts"] for r in made.records()} == {table.legend[4:-1]}
    one = [replace(r, model=replace(r.model, precision=other)) if r.scenario.target == "ai" else r for r in WEAK]
    assert write_rows(board(mini, one).scores())[0][4:10] == [*["30.00"] * 5, "30.00 (a)"]
    assert "(a)" not in FORMATS["md"](board(mini, on(FULL, other)))


@pytest.mark.parametrize("format_", FORMATS)
def test_every_score_has_its_cost_beside_it(mini: Benchmark, format_: str) -> None:
    """Seconds of training and the device, or a hole where devices differ or nothing was trained."""
    page = FORMATS[format_](board(mini, FULL))
    if format_ in ("csv", "json"):
        records = json.loads(page) if format_ == "json" else csv.DictReader(io.StringIO(page))
        assert {(float(r["train_s"]), r["device"]) for r in records} == {(1.5, "cpu")}
    else:
        assert "1.5" in page.partition("other protocols")[0]
    table = board(mini, FULL).scores()
    assert table.headers[-5:] == ["Avg.", "95 %", "Train s", "Seeds", "Device"]
    mixed = board(mini, on(FULL, "fp32", "GPU", seed=1))
    assert (cell(mixed.scores(), "Train s"), cell(mixed.scores(), "Device")) == (HOLE, "GPU; cpu")
    assert {r["train_s"] for r in mixed.records()} == {None}
    assert cell(board(mini, [replace(r, phases=[], device="") for r in WEAK]).scores(), "Device") == HOLE


DOUBTFUL = [
    replace(r, doubts=[Doubt.DEV_ZERO, Doubt.ALL_ALIKE] if (r.scenario.target, r.seed) == ("ai", 1) else [])
    for r in FULL
]


def test_a_doubtful_score_is_marked(mini: Benchmark) -> None:
    """And so is the average that it is part of."""
    mute = [replace(r, doubts=[Doubt.NOTHING_SAID]) if r.scenario.target == "music" else r for r in WEAK]
    table = board(mini, [*DOUBTFUL, *mute]).scores()
    assert write_rows(table)[0][4:10] == ["61.00 ± 1.41 (a, c)", *["61.00 ± 1.41"] * 4, "61.00 ± 1.41 (=, a, c)"]
    assert write_rows(table)[1][4:10] == [*["30.00"] * 2, "30.00 (b)", *["30.00"] * 2, "30.00 (b)"]
    letters = [f"(a) {Doubt.DEV_ZERO}", f"(b) {Doubt.NOTHING_SAID}", f"(c) {Doubt.ALL_ALIKE}."]
    assert table.legend.partition("; ")[2] == "; ".join(letters)
    assert board(mini, FULL).scores().legend == ""


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_says_what_is_doubtful(mini: Benchmark, format_: str) -> None:
    page = FORMATS[format_](board(mini, DOUBTFUL))
    assert str(Doubt.DEV_ZERO) in page
    assert str(Doubt.DEV_ZERO) not in FORMATS[format_](board(mini, FULL))
    if format_ in ("csv", "json"):
        records = json.loads(page) if format_ == "json" else csv.DictReader(io.StringIO(page))
        both = f"{Doubt.DEV_ZERO}; {Doubt.ALL_ALIKE}"
        assert {(r["target"], r["doubts"]) for r in records} == {
            ("ai", both), ("average", both), ("pooled", both), *((t, "") for t in TARGETS[1:]),
        }  # fmt: skip
    else:
        assert "(a, b)" in page


def test_what_was_not_seen_has_a_table(mini: Benchmark) -> None:
    assert board(mini, FULL).unseen() is None
    short = {"unseen sentences": 1, "unseen tokens": 700, "unseen entities": 20, "answer cut": 3, "read": 5}
    made = board(mini, [*(replace(r, answers=short) for r in FULL), *WEAK])
    table, n = made.unseen(), len(FULL)
    assert table is not None
    assert write_rows(table) == [["good", "b", "quick", f"{n}", f"{700 * n:,}", f"{20 * n}"]]
    assert table.title in [shown.title for shown in made.tables()]
    sums = {r["target"]: (r["answer_cut"], r["unseen_entities"]) for r in made.records() if r["method"] == "good"}
    assert (sums["ai"], sums["average"]) == ((6, 40), (3 * n, 20 * n))


def test_seeds_that_change_nothing_are_one_run(mini: Benchmark) -> None:
    same = [replace(FULL[0], scenario=replace(FULL[0].scenario, target=t), seed=s) for t in TARGETS for s in range(3)]
    table = board(mini, same).scores()
    assert (cell(table, "Avg."), cell(table, "Seeds")) == (cell(table, "AI"), "1")
    assert "±" not in cell(table, "Avg.")
    later = board(mini, [r for r in same if r.seed == 2 or r.scenario.target == TARGETS[0]]).scores()
    assert cell(later, "Avg.") == cell(table, "Avg."), "of targets with different seeds, those that all have count"


def test_other_versions_do_not_mix(mini: Benchmark) -> None:
    old = replace(FULL[0], benchmark=replace(FULL[0].benchmark, version="0"))
    assert make_boards([old], mini) == []


def test_different_revisions_and_data_are_never_averaged(mini: Benchmark) -> None:
    def made_on(r: Result, day: int, revision: str = "1", data: str = "00") -> Result:
        method, facts = replace(r.method, revision=revision), replace(r.benchmark, data=data)
        return replace(r, method=method, benchmark=facts, provenance={"created": f"2026-01-0{day}"})

    old_code = [made_on(result("m", t, 0, 10), 1, revision="1") for t in TARGETS]
    new_code = [made_on(result("m", t, 1, 50), 2, revision="2") for t in TARGETS]
    other_data = [made_on(result("m", "ai", 2, 90), 1, revision="2", data="11")]
    made = board(mini, [*old_code, *new_code, *other_data])
    assert write_rows(made.scores())[0][4:] == [*["50.00"] * 6, "50.0–50.0", "1.5", "1", "cpu"]
    assert "Left out: 6 results" in made.scores().note
    assert sorted(line.partition(" (")[0] for line in list(tell_left_out(made))[::2]) == [
        "left out of mini/single: 1 result of m",
        "left out of mini/single: 5 results of m",
    ]
    assert {line.rpartition(": ")[2] for line in list(tell_left_out(made))[::2]} == {
        "it is of revision 1, the newest of revision 2",
        "other files that the method reads have changed since",
    }


def test_only_what_is_comparable_is_ranked(mini: Benchmark) -> None:
    """Two methods that ran on different test files never stand on one board."""

    def on(r: Result, data: str, day: int) -> Result:
        shared = Comparable("mini", "2", data, ("task",), (10, 5, 2))
        return replace(r, comparable=shared, provenance={"created": f"2026-01-0{day}"})

    before = [on(r, "00", 1) for r in FULL]
    after = [on(r, "11", 2) for r in WEAK]
    made = board(mini, [*before, *after])
    assert [row[1] for row in write_rows(made.scores())] == [WEAK[0].method.name]
    assert f"Left out: {len(FULL)} results" in made.scores().note
    assert list(tell_left_out(made)) == [
        f"left out of mini/single: 10 results of good ({','.join(TARGETS)}): its data are not weak's, the newest here",
        "  → to show it, make it again as it is today: cdner-bench run --benchmark mini --method good --setting single "
        f"--target {','.join(TARGETS)} --preset quick",
    ]


def test_what_is_on_no_board_is_said(mini: Benchmark) -> None:
    old = replace(FULL[0], benchmark=replace(FULL[0].benchmark, version="1"))
    elsewhere = replace(FULL[0], scenario=Scenario("single", ("news",), "law"))
    assert FORMATS["md"](board(mini, [*FULL, elsewhere])) == FORMATS["md"](board(mini, FULL))
    assert list(tell_strangers([*FULL, old, elsewhere], mini))[::2] == [
        "left out of mini: 1 result of good: they are of version 1, this is 2",
        "left out of mini: 1 result of good: it has no single/law",
    ]


def test_methods_that_ran_on_different_files_are_kept_apart_and_said(cli: Run, tmp_path: Path) -> None:
    """Of a benchmark that pins nothing: the test file is edited between two runs."""
    lines = "Ada\tB-judge\nmet\tO\n\nThe\tO\nCourt\tB-court\n"
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.txt").write_text(lines)
    (tmp_path / "legal.toml").write_text(
        'extends = "mini"\nname = "legal"\n[domains.contracts]\ntrain = "train.txt"\ndev = "dev.txt"\n'
        'test = "test.txt"\n[settings.single]\nsources = ["news"]\ntargets = ["contracts"]\n'
    )
    common = ("run", "--benchmark", "legal.toml", "--plugin", ROOT / "tests" / "methods.py", "--setting", "single")
    assert cli(*common, "--method", "failing", "-o", "how=short-sighted").returncode == 0
    (tmp_path / "test.txt").write_text(lines.replace("Court", "House"))
    done = cli(*common, "--method", "oracle-of-case")
    why = (
        "left out of legal/single: 1 result of failing (contracts): its data are not oracle-of-case's, the newest here"
    )
    again = "cdner-bench run --benchmark legal.toml --method failing --setting single --target contracts"
    for said in (done, cli("leaderboard", "--benchmark", "legal.toml")):
        assert said.returncode == 0
        assert why in said.stdout
        assert again in said.stdout
    page = (tmp_path / "leaderboards" / "legal" / "single.md").read_text()
    assert "| oracle-of-case |" in page
    assert "failing" not in page


def test_seconds_of_different_devices_are_not_averaged(mini: Benchmark) -> None:
    gpu = [replace(r, device="GPU") for r in FULL if r.seed == 1]
    row = write_rows(board(mini, [*[r for r in FULL if r.seed == 0], *gpu]).cost())[0]
    assert row[5:9] == [HOLE] * 4
    assert row[-1] == "GPU; cpu"


def test_an_old_result_without_a_protocol_has_a_hole(mini: Benchmark) -> None:
    old = [replace(r, scores={"span-f1": r.scores["span-f1"]}) for r in FULL]
    assert write_rows(board(mini, old).protocols())[0][3:] == ["61.00 ± 1.41", HOLE, HOLE, HOLE, HOLE, "61.00 ± 1.41"]
    assert FORMATS["csv"](board(mini, old)).count("\n") == 8


@pytest.mark.parametrize("format_", FORMATS)
def test_a_page_depends_on_the_results_only(mini: Benchmark, format_: str) -> None:
    found = [*FULL, *WEAK, *HOLEY]
    shuffled = random.Random(1).sample(found, len(found))
    assert FORMATS[format_](board(mini, found)) == FORMATS[format_](board(mini, shuffled))


def test_names_cannot_break_a_table(mini: Benchmark) -> None:
    page = FORMATS["md"](board(mini, [result("a|b<script>", "ai", 0, 50)]))
    assert "a\\|b&lt;script>" in page
    assert "<script>" not in FORMATS["html"](board(mini, [result("<script>", "ai", 0, 50)]))


def test_csv_and_json_carry_every_protocol_unrounded(mini: Benchmark) -> None:
    made = board(mini, [result("m", t, s, 33 + s) for t in TARGETS for s in (0, 1, 2)])
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](made))))
    assert len(rows) == 7 * len(PROTOCOLS) == len(json.loads(FORMATS["json"](made)))
    assert {(r["mean"], r["sd"], r["n"]) for r in rows} == {("34.0", "1.0", "3")}


def test_the_committed_leaderboards_are_what_the_result_files_say(typed: Run) -> None:
    assert list((ROOT / "leaderboards").glob("results/crossner/*/*/*.json"))
    done = typed("leaderboard", "--check", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_notices_an_edited_page(typed: Run, tmp_path: Path) -> None:
    for r in FULL:
        results.save(r, tmp_path / "leaderboards" / "results" / r.path)
    assert typed("leaderboard").returncode == 0
    page = tmp_path / "leaderboards" / "mini" / "single.md"
    done = typed("leaderboard", "--check")
    assert (done.returncode, done.stdout) == (0, "1 page checked: as the result files say\n")
    stray = tmp_path / "leaderboards" / "mini" / "multi.md"
    stray.write_text("no result says this")
    done = typed("leaderboard", "--check")
    assert done.returncode == 1
    assert "multi.md is left over; type: rm " in done.stdout
    stray.unlink()
    for content in (page.read_bytes().replace(b"61.00", b"71.00"), b"\xff"):
        page.write_bytes(content)
        done = typed("leaderboard", "--check")
        assert (done.returncode, done.stderr) == (1, "")
        assert "single.md is not what the result files say" in done.stdout


def test_without_results_it_says_what_to_type(typed: Run) -> None:
    done = typed("leaderboard")
    assert done.returncode == 1
    assert "cdner-bench run" in done.stderr


def test_the_page_of_a_benchmark_defined_elsewhere_is_not_left_over(cli: Run, tmp_path: Path) -> None:
    """Though nobody can make it who is not given its file."""
    words = "Ada\tB-judge\nmet\tO\n"
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.txt").write_text(words)
    (tmp_path / "legal.toml").write_text(
        'extends = "mini"\nname = "legal"\n[domains.contracts]\ntrain = "train.txt"\ndev = "dev.txt"\n'
        'test = "test.txt"\n[settings.single]\nsources = ["news"]\ntargets = ["contracts"]\n'
    )
    own = ("--benchmark", "legal.toml")
    assert cli("run", "--method", "gazetteer", "--setting", "single", *own).returncode == 0
    assert cli("leaderboard", *own).returncode == 0
    assert (tmp_path / "leaderboards" / "legal" / "single.md").exists()
    done = cli("leaderboard", "--check")
    assert (done.returncode, "left over" in done.stdout) == (0, False), done.stdout
