"""The table of results says what the boards say; every run has its rows, whatever its options are."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
import pytest

import cdner_bench
from cdner_bench import CdnerError, Counts
from cdner_bench.data import Benchmark
from cdner_bench.interface.tables import OF_SCORE, tabulate
from cdner_bench.io import Phase
from cdner_bench.records import MethodFacts, Result, Status, results
from cdner_bench.reporting import collect_boards
from samples import RESULT, run
from support import ROOT, Run

METHODS = ROOT / "tests" / "methods.py"
ASKS = """
import asyncio
import os

from cdner_bench import Method, Prediction, Spec, hookimpl


@hookimpl
def register_methods():
    return [Spec("asks", f"{__name__}:Asks", "asks, as clients of language models do")]


class Asks(Method):
    def fit(self, sources, target, run):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        run.describe(backbone=str(os.getpid()), trained=0, total=0)

    def predict(self, sentences, run):
        yield from (Prediction(sentence.id) for sentence in sentences)
"""


def keep(found: Sequence[Result], out: Path) -> None:
    for result in found:
        results.save(result, out / "leaderboards" / "results" / result.path)


@pytest.fixture(scope="module")
def shipped() -> Any:
    return cdner_bench.load_results(ROOT)


def test_values_are_those_of_the_boards(shipped: Any) -> None:
    """Every mean on the shipped boards, under every protocol, is the mean of the table's rows."""
    rows = shipped[(shipped["type"] == "micro") & shipped["standing"].isin(["board", "tried"])]
    means = rows.groupby(["benchmark", "setting", "row", "target", "protocol"])["f1"].mean()
    compared = 0
    for board in collect_boards(ROOT / "leaderboards", []):
        for row in board.every_row:
            for result in row.finished:
                for protocol in result.scores:
                    key = (board.benchmark.name, board.setting, result.method.row, result.scenario.target, protocol)
                    estimate = row.f1(result.scenario.target, protocol)
                    assert estimate
                    assert means[key] == pytest.approx(estimate.mean), key
                    compared += 1
    assert compared > 500


def test_every_result_is_there_once(shipped: Any) -> None:
    files = list((ROOT / "leaderboards" / "results").rglob("*.json"))
    assert shipped["run"].nunique() == len(files)
    assert not shipped.duplicated(["run", "protocol", "type"]).any()
    assert set(shipped.loc[shipped["status"] != "finished", "f1"].isna()) <= {True}


def test_counts_of_types_add_up_to_micro(shipped: Any) -> None:
    scored = shipped[shipped["status"] == "finished"]
    keys, counts = ["run", "protocol"], ["tp", "fp", "fn"]
    whole = scored[scored["type"] == "micro"].set_index(keys)[counts].sort_index()
    parts = scored[scored["type"] != "micro"].groupby(keys)[counts].sum().sort_index()
    assert (whole == parts).all().all()


def test_a_run_in_full() -> None:
    result = replace(RESULT, phases=[*RESULT.phases, Phase("mslm", 4.0, epochs=1, reused=True, others=0.5)])
    frame = tabulate([result])
    assert list(frame.columns[-len(OF_SCORE) :]) == list(OF_SCORE)
    assert len(frame) == 4
    (micro,) = frame[(frame["type"] == "micro") & (frame["protocol"] == "span-f1")].to_dict("records")
    expected = {
        "benchmark": "mini",
        "sources": "news",
        "seed": 0,
        "row": result.method.row,
        "option.epochs": 3,
        "trained_parameters": 10,
        "total_parameters": 20,
        "compute_precision": "fp32",
        "device": "cpu",
        "peak_memory_bytes": 1 << 20,
        "seconds": 6.0,
        "reused_seconds": 4.0,
        "train_seconds": 5.5,
        "seconds_per_sentence": 0.25,
        "cores_of_others": 0.5,
        "seconds.fit": 1.5,
        "seconds.mslm": 4.0,
        "language_model": "m-2026-01-01",
        "requests": 4,
        "tokens_in": 400,
        "tokens_out": 35,
        "cost_usd": 0.5,
        "tp": 1,
        "fp": 2,
        "fn": 3,
        "f1": Counts(1, 2, 3).f1,
        "predictions_only": False,
    }
    assert {name: micro[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("values", "dtype", "kept"),
    [
        ([1, None], "Int64", [1, None]),
        ([True, None], "boolean", [True, None]),
        ([1, 2.5], "float64", [1.0, 2.5]),
        (["a", None], "string", ["a", None]),
        ([None, None], "string", [None, None]),
        (["a", 1], "string", ['"a"', "1"]),
        ([True, 1], "string", ["true", "1"]),
        ([[1, 2], {"b": "ü"}], "string", ["[1, 2]", '{"b": "ü"}']),
        ([1 << 70, 1], "string", [str(1 << 70), "1"]),
    ],
)
def test_options_of_any_kind_have_a_column(values: list[object], dtype: str, kept: list[object]) -> None:
    found = [replace(RESULT, method=MethodFacts("m", "1", None, {"x": value})) for value in values]
    frame = tabulate(found)[:: len(tabulate(found[:1]))]
    assert frame["option.x"].dtype == dtype
    assert [None if pandas.isna(value) else value for value in frame["option.x"]] == kept


def test_runs_without_scores_and_standing(tmp_path: Path, mini: Benchmark) -> None:
    good = replace(run(40), benchmark=replace(RESULT.benchmark, version=mini.version))
    older = replace(good, seed=1, run="1" * 16, method=replace(good.method, revision="0"), provenance={})
    tried = replace(run(30, gtok_mix=5), benchmark=good.benchmark)
    none = replace(good, seed=2, run="2" * 16, status=Status.NOT_RUN, reason="no key", scores={}, sentences=[])
    none = replace(none, doubts=[], phases=[], usage=None, device="", peak_memory=0)
    keep([good, older, tried, none], tmp_path)
    frame = cdner_bench.load_results(tmp_path, protocol="span-f1")
    by_run = frame.drop_duplicates("run").set_index("run")
    standing = {name: by_run.loc[name, "standing"] for name in (good.run, older.run, none.run)}
    assert standing == {good.run: "board", older.run: "left out", none.run: "board"}
    assert by_run.loc[tried.run, "standing"] in ("board", "tried")
    lone = frame[frame["run"] == none.run]
    assert len(lone) == 1
    assert lone[["protocol", "type", "f1", "seconds", "peak_memory_bytes"]].isna().all(axis=None)
    assert lone["reason"].item() == "no key"


def test_a_type_called_micro_is_no_average() -> None:
    frame = tabulate([replace(RESULT, scores={"span-f1": {"micro": Counts(1, 0, 0), "task": Counts(1, 0, 0)}})])
    assert dict(zip(frame["type"], frame["tp"], strict=True)) == {"micro": 2, "micro (type)": 1, "task": 1}


def test_as_a_dataset(tmp_path: Path) -> None:
    keep([replace(RESULT, benchmark=replace(RESULT.benchmark, name="of-nobody"))], tmp_path)
    frame = cdner_bench.load_results(tmp_path)
    made: Any = cdner_bench.load_results(tmp_path, as_dataset=True)
    assert made.column_names == list(frame.columns)
    assert made["f1"] == list(frame["f1"])
    assert made["standing"][0] is None


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        ({"protocol": "span"}, "no protocol 'span'", "span-f1"),
        ({"benchmark": "minni"}, "unknown benchmark 'minni'", "mini"),
        ({"benchmark": "mini"}, "no results of mini in", "--out"),
        ({}, "no results in", "--out"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, arguments: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(CdnerError, match=said) as caught:
        cdner_bench.load_results(tmp_path, **arguments)
    assert hint in str(caught.value.hint)


def test_without_pandas_the_message_says_what_to_type(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pandas'] = None\nimport cdner_bench\ncdner_bench.load_results()"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "CdnerError: the package 'pandas' is not installed" in done.stderr
    assert "Warning" not in done.stderr


def test_a_run_is_that_of_the_command(tmp_path: Path, mini: Benchmark, cli: Run, capfd: Any) -> None:
    """The same id, the same files: what one has made the other takes over."""
    words = ["--setting", "single", "--target", "ai,music", "--benchmark", "mini", "-o", "folded=true"]
    typed = cli("run", "--method", "gazetteer", "--quiet", *words)
    assert typed.returncode == 0, typed.stderr
    command: dict[str, Any] = {"setting": "single", "target": ["ai", "music"], "options": {"folded": True}}
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("run.json")}
    made = cdner_bench.run("gazetteer", benchmark="mini", out=tmp_path, **command)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("run.json")} == before
    assert [f"{f1:.2f}" for f1 in made.per_target.values()] == [line.split()[-1] for line in typed.stdout.splitlines()]
    again = cdner_bench.run("gazetteer", benchmark=mini, out=tmp_path / "again", **command)
    assert [(r.run, r.scores, r.sentences) for r in again] == [(r.run, r.scores, r.sentences) for r in made]
    assert again.f1 == pytest.approx(sum(again.per_target.values()) / 2)
    assert (again.to_frame()["status"] == "finished").all()
    assert capfd.readouterr() == ("", "")


def test_a_run_that_is_not_finished_is_an_error_after_the_others(tmp_path: Path, mini: Benchmark) -> None:
    asked: dict[str, Any] = {
        "setting": "single",
        "target": ["ai", "music"],
        "benchmark": mini,
        "out": tmp_path,
        "plugin": METHODS,
    }
    with pytest.raises(
        CdnerError, match=r"2 of 2 runs are not finished: single/ai oracle-of-case seed 0: failed: .*I cannot learn"
    ) as e:
        cdner_bench.run("oracle-of-case", options={"misdeed": "raise at fit"}, **asked)
    assert "error.txt" in str(e.value.hint)
    with pytest.raises(CdnerError, match=r"needs-keys seed 0: not-run: .*keys"):
        cdner_bench.run("needs-keys", **asked)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"method": "gazeteer"}, "gazeteer"),
        ({"setting": "singel"}, "singel"),
        ({"target": "maths"}, "maths"),
        ({"preset": "fast"}, "fast"),
        ({"options": {"fold": True}}, "fold"),
        ({"benchmark": "minni"}, "minni"),
        ({"plugin": "nowhere.py"}, "nowhere.py"),
    ],
)
def test_a_wrong_name_is_said_before_anything_runs(tmp_path: Path, arguments: dict[str, Any], said: str) -> None:
    asked: dict[str, Any] = {
        "method": "gazetteer",
        "setting": "single",
        "benchmark": "mini",
        "out": tmp_path / "out",
        **arguments,
    }
    with pytest.raises(CdnerError, match=said):
        cdner_bench.run(**asked)
    assert not (tmp_path / "out").exists()


def test_in_a_notebook_a_run_has_a_process_of_its_own(tmp_path: Path, mini: Benchmark) -> None:
    """There an event loop turns, in which a method could start no other; elsewhere it is made here."""
    plugin = tmp_path / "asks.py"
    plugin.write_text(ASKS, encoding="utf-8")

    def ask(out: str) -> str:
        asked: dict[str, Any] = {
            "setting": "single",
            "target": "ai",
            "benchmark": mini,
            "out": tmp_path / out,
            "plugin": plugin,
        }
        return next(iter(cdner_bench.run("asks", **asked))).model.backbone

    async def cell() -> str:
        return ask("in a notebook")

    assert asyncio.run(cell()) != str(os.getpid())
    assert ask("in a script") == str(os.getpid())
