"""The same predictions under every protocol: scored anew where that can be done, else what the results hold."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench import Counts, Doubt
from cdner_bench.data import Benchmark
from cdner_bench.errors import RefusedWarning
from cdner_bench.papers import ProtocolPage, score_run
from cdner_bench.records import Run, load_runs
from cdner_bench.reporting import FORMATS
from cdner_bench.scoring import PROTOCOLS, total
from samples import RESULT
from support import ROOT
from support import Run as Command

BOARDS = ROOT / "leaderboards"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with the two taggers and the two generators of mini's demo."""
    for kind in ("results", "predictions"):
        shutil.copytree(BOARDS / kind / "mini" / "demo", tmp_path / "leaderboards" / kind / "mini" / "demo")
    return tmp_path


def old(run: Run) -> Run:
    """The run as a scorer left it that did not know the newest protocols."""
    held = {
        name: per_type for name, per_type in run.result.scores.items() if name not in ("seqeval-strict", "token-f1")
    }
    return replace(run, result=replace(run.result, scores=held))


def test_runs_are_scored_anew_where_predictions_and_data_are_here(out: Path, mini: Benchmark) -> None:
    runs = load_runs(out, "mini")
    assert len(runs) == 4
    for run in map(old, runs):
        scored = score_run(run, mini)
        assert scored.whence == "scored anew"
        assert scored.counts.keys() == PROTOCOLS.keys()
        assert scored.counts["span-f1"] == total(run.result.scores["span-f1"].values())
        tagger = run.result.method.name == "bert-tagger"
        assert any("seqeval-strict" in remark and "I-x" in remark for remark in scored.remarks) == tagger
        assert scored.above("seqeval-strict") == scored.counts["seqeval-strict"].f1 - scored.counts["span-f1"].f1


def test_else_they_are_shown_as_their_results_hold_them(out: Path, mini: Benchmark) -> None:
    run = old(load_runs(out, "mini")[0])
    elsewhere = replace(run, places=[out / "nowhere"])
    other = replace(run, result=replace(run.result, comparable=None))
    whence = {
        "no predictions are kept": score_run(elsewhere, mini),
        "the benchmark mini is not shipped; name its file: --benchmark FILE.toml": score_run(run, None),
        "the data are not those that it was scored on": score_run(other, mini),
    }
    run.predictions.write_bytes(b"no gzip")
    with pytest.warns(RefusedWarning, match="gz"):
        whence["its predictions are refused"] = score_run(run, mini)
    for why, scored in whence.items():
        assert scored.whence == f"as the result holds it: {why}"
        assert scored.f1("span-f1") == run.result.f1("span-f1")
        assert (scored.f1("token-f1"), scored.above("token-f1")) == (None, None)
        (table,) = ProtocolPage([scored], named=True).tables()
        assert why in table.legend
        assert "–" in FORMATS["md"](ProtocolPage([scored], named=True))


def test_the_page_has_every_protocol_and_the_inflation_of_each_domain(mini: Benchmark) -> None:
    def run(target: str, seed: int, strict: Counts, released: Counts | None, *doubts: Doubt) -> Run:
        scores = {"span-f1": {"task": strict}} | ({"topt-released": {"task": released}} if released else {})
        place = replace(RESULT.scenario, target=target)
        return Run(replace(RESULT, scenario=place, seed=seed, scores=scores, doubts=doubts), Path("x.json"), [])

    half, more, all_ = Counts(1, 1, 1), Counts(3, 1, 1), Counts(1, 0, 0)
    runs = [
        run("ai", 0, half, more),
        run("ai", 1, half, all_),
        run("music", 0, half, half),
        run("music", 1, half, None),
    ]
    runs.append(run("music", 2, Counts(0, 1, 1), Counts(0, 1, 1), Doubt.NOTHING_RIGHT))
    page = ProtocolPage([score_run(each, mini) for each in runs])
    everything, inflation = page.tables()
    assert len(everything.rows) == 5
    assert "5 of 5 runs: as the result holds it: no predictions are kept." in everything.legend
    written = [[f"{cell.value:+.2f}" for cell in row[3:]] for row in inflation.cells]  # type: ignore[union-attr]
    assert written == [["+37.50", "+25.00", "+50.00"], ["+0.00", "+0.00", "+0.00"]]
    assert "Left out: 2 " in inflation.note
    records = json.loads(FORMATS["json"](page))
    assert len(records) == len(runs) * len(PROTOCOLS)
    assert [r["above_span-f1"] for r in records if r["protocol"] == "topt-released"] == [25, 50, 0, None, 0]
    assert {r["f1"] for r in records if r["protocol"] == "token-f1"} == {None}
    assert all(FORMATS[name](page).strip() for name in FORMATS)


def test_the_command_names_runs_and_refuses_what_it_cannot_do(out: Path, typed: Command) -> None:
    shown = typed("protocols", "topt/ai/0", "bert-tagger/demo/ai/0", "--format", "csv", cwd=out)
    rows = list(csv.DictReader(io.StringIO(shown.stdout)))
    assert [row["method"] for row in rows[:: len(PROTOCOLS)]] == ["topt", "bert-tagger"]
    assert all(row["scored"] == "scored anew" for row in rows)
    every = typed("protocols", "--benchmark", "mini", "--method", "topt", cwd=out, COLUMNS="250")
    assert "2 of 2 runs: scored anew." in every.stdout
    assert "Inflation of topt-released over span-f1" in every.stdout
    for arguments, said in (
        (["topt/ai/0", "--setting", "demo"], "leave them out, or RUN"),
        (["--format", "latx", "--benchmark", "mini"], "did you mean 'latex'?"),
        (["--method", "topp", "--benchmark", "mini"], "did you mean 'topt'?"),
        (["topt/ai/9"], "did you mean 'topt/demo/ai/0'?"),
        (["--benchmark", "crossner"], "there are no finished runs of crossner"),
    ):
        refused = typed("protocols", *arguments, cwd=out)
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
