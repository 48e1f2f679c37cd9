"""What is finished stays finished: results are scored again without their runs, older runs are adopted."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import plugins
from cdner_bench.data import benchmark
from cdner_bench.errors import RefusedWarning
from cdner_bench.records import locate_predictions, results
from cdner_bench.running import Change, Ending, Job, rescore, runner
from support import ROOT, Nobody, Run

METHODS = ROOT / "tests" / "methods.py"


def make_job(seed: int = 0) -> Job:
    mini = benchmark.load("mini")
    entry = plugins.discover([METHODS]).get("oracle-of-case")
    (job,) = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], None, {}, [seed])
    return job


def test_results_are_scored_again_from_the_predictions_beside_them(tmp_path: Path) -> None:
    (outcome,) = runner.run([make_job()], tmp_path, Nobody())
    assert outcome.result is not None
    boards = tmp_path / "leaderboards"
    place = boards / "results" / outcome.result.path
    assert locate_predictions(boards, outcome.result).exists()
    shutil.rmtree(tmp_path / "runs")
    older = replace(outcome.result, scores={"span-f1": outcome.result.scores["span-f1"]})  # before other protocols
    results.save(older, place)
    mini, registry = benchmark.load("mini"), plugins.discover([METHODS])
    (rescored,) = rescore(tmp_path, mini, registry)
    assert rescored.change is Change.RESCORED
    assert results.load(place) == outcome.result
    assert [r.change for r in rescore(tmp_path, mini, registry)] == [Change.NOTHING]


def test_predictions_of_other_data_are_not_scored(tmp_path: Path) -> None:
    (outcome,) = runner.run([make_job()], tmp_path, Nobody())
    assert outcome.result is not None
    assert outcome.result.comparable is not None
    scores = {"span-f1": outcome.result.scores["span-f1"]}
    other = replace(outcome.result, comparable=replace(outcome.result.comparable, data="other"), scores=scores)
    results.save(other, tmp_path / "leaderboards" / "results" / other.path)
    (rescored,) = rescore(tmp_path, benchmark.load("mini"), plugins.discover([METHODS]))
    assert rescored.result.scores == scores


def test_rescore_is_a_command(tmp_path: Path, typed: Run) -> None:
    done = typed("rescore", "--out", tmp_path)
    assert done.returncode == 1
    assert "there are no results of shipped benchmarks" in done.stderr
    (outcome,) = runner.run([make_job()], tmp_path, Nobody())
    assert outcome.result is not None
    done = typed("rescore", "--out", tmp_path, "--plugin", METHODS)
    assert (done.returncode, done.stdout) == (0, "1 as it was\n")


def write_as_schema_2(record: Path) -> None:
    """A run's record as the project wrote it before schema 3."""
    table: dict[str, Any] = json.loads(record.read_text())
    plugin = table["provenance"].pop("plugin")
    method = table["method"]
    table |= {"schema": 2, "run": "0123456789abcdef"}
    table["method"] = {name: method[name] for name in ("name", "preset", "options")}
    table["method"] |= {"plugin": plugin["name"], "version": f"file+{plugin['code']}"}
    table["scores"] = {
        protocol: {kind: [int(n) for n in counts.split("/")] for kind, counts in per_type.items()}
        for protocol, per_type in table["scores"].items()
    }
    del table["comparable"], table["learnt_from"]
    record.write_text(json.dumps(table))


def test_a_finished_run_of_an_older_schema_is_not_made_again(tmp_path: Path) -> None:
    job = make_job()
    (first,) = runner.run([job], tmp_path, Nobody())
    runs = tmp_path / "runs"
    (runs / job.id).rename(runs / "0123456789abcdef")
    shutil.rmtree(tmp_path / "leaderboards")
    write_as_schema_2(runs / "0123456789abcdef" / "run.json")
    other, same = runner.run([make_job(seed=1), make_job()], tmp_path, Nobody())
    assert (other.status, same.status) == (Ending.FINISHED, Ending.SKIPPED)
    assert first.result is not None
    assert same.result is not None
    assert replace(same.result, provenance=first.result.provenance) == first.result
    assert not (runs / "0123456789abcdef" / "run.json").exists()


def test_a_run_made_by_other_code_of_the_same_revision_is_skipped_and_said(tmp_path: Path) -> None:
    job = make_job()
    declared = replace(job.entry, spec=replace(job.entry.spec, revision=4))
    job = replace(job, entry=declared)
    runner_outcomes = list(runner.run([job], tmp_path, Nobody()))
    assert [o.message for o in runner_outcomes] == [""]
    record = tmp_path / "runs" / job.id / "run.json"
    record.write_text(record.read_text().replace(job.entry.facts.code, "00000000"))
    (again,) = runner.run([job], tmp_path, Nobody())
    assert again.status is Ending.SKIPPED
    assert again.message == f"made by other code of revision 4 (00000000, today {job.entry.facts.code})"


@pytest.mark.parametrize(
    "damage", [lambda data: data[:100], lambda data: b"garbage", lambda data: data[:-8] + bytes(8)]
)
def test_damaged_predictions_are_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    (outcome,) = runner.run([make_job()], tmp_path, Nobody())
    assert outcome.result is not None
    place = locate_predictions(tmp_path / "leaderboards", outcome.result)
    place.write_bytes(damage(place.read_bytes()))
    with pytest.warns(RefusedWarning, match=rf"{place.name}.* is damaged.*\n  → restore it, or remove it: rm {place}"):
        assert not list(rescore(tmp_path, benchmark.load("mini"), plugins.discover([METHODS])))


def test_predictions_go_with_a_result_whose_method_has_got_an_option(tmp_path: Path) -> None:
    """They are kept by the name of the result, which follows from the options."""
    (outcome,) = runner.run([make_job()], tmp_path, Nobody())
    today = outcome.result
    assert today is not None
    boards = tmp_path / "leaderboards"
    fewer = dict(list(today.method.options.items())[1:])
    scores = {"span-f1": today.scores["span-f1"]}
    older = replace(today, method=replace(today.method, options=fewer), run="0123456789abcdef", scores=scores)
    assert older.path != today.path
    (boards / "results" / today.path).unlink()
    results.save(older, boards / "results" / older.path)
    locate_predictions(boards, today).rename(locate_predictions(boards, older))
    (rescored,) = rescore(tmp_path, benchmark.load("mini"), plugins.discover([METHODS]))
    assert (rescored.change, rescored.path) == (Change.RESCORED, boards / "results" / today.path)
    assert rescored.result == replace(today, run=older.run)
    assert [p.name for p in (boards / "predictions").rglob("*.gz")] == [locate_predictions(boards, today).name]
    shutil.rmtree(tmp_path / "runs")
    (again,) = runner.run([make_job()], tmp_path, Nobody())
    assert again.status is Ending.SKIPPED


def test_a_result_under_an_older_name_takes_no_place_of_a_newer_one(tmp_path: Path) -> None:
    """The run was made again, as of another revision, before the older result was brought to today's names."""
    (outcome,) = runner.run([make_job()], tmp_path, Nobody())
    today = outcome.result
    assert today is not None
    boards = tmp_path / "leaderboards"
    fewer = dict(list(today.method.options.items())[1:])
    older = replace(today, method=replace(today.method, options=fewer, revision="0"), run="0123456789abcdef")
    results.save(older, boards / "results" / older.path)
    kept = locate_predictions(boards, today)
    spoilt = [{**json.loads(line), "entities": []} for line in gzip.decompress(kept.read_bytes()).splitlines()]
    other = gzip.compress("".join(f"{json.dumps(line)}\n" for line in spoilt).encode(), mtime=0)
    locate_predictions(boards, older).write_bytes(other)
    before = kept.read_bytes()
    with pytest.warns(RefusedWarning, match=rf"{older.path.name} belongs at .*{today.path.name} .*\n  → .*rm "):
        (rescored,) = rescore(tmp_path, benchmark.load("mini"), plugins.discover([METHODS]))
    assert (rescored.result, rescored.change) == (today, Change.NOTHING)
    assert results.load(boards / "results" / today.path) == today
    assert kept.read_bytes() == before
    assert locate_predictions(boards, older).read_bytes() == other
