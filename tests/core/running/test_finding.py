"""A run by what people call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.data import Benchmark
from cdner_bench.errors import ResultError
from cdner_bench.records import find_run, find_runs, load_runs, results
from cdner_bench.running import Job, runner
from support import ROOT, Nobody

REGISTRY = plugins.discover([ROOT / "tests" / "methods.py"])


@pytest.fixture
def jobs(mini: Benchmark, tmp_path: Path) -> list[Job]:
    """Finished runs: two rows of one method on one target, and the first row on another."""
    entry = REGISTRY.get("oracle-of-case")
    made = []
    for length, targets in ((2, ["ai", "music"]), (3, ["ai"])):
        made += runner.plan(mini, mini.list_scenarios("single", targets), [entry], "quick", {"length": length}, [3])
    assert all(outcome.f1 for outcome in runner.run(made, tmp_path, Nobody()))
    return made


def test_a_run_is_found_by_its_id_its_name_and_its_files(jobs: list[Job], tmp_path: Path) -> None:
    job = jobs[1]
    (on_board,) = (run.file for run in load_runs(tmp_path) if run.result.run == job.id)
    own, kept = tmp_path / "runs" / job.id, next(tmp_path.glob("leaderboards/predictions/**/music/*.gz"))
    result = results.load(on_board)
    row = f"oracle-of-case-{result.method.row}/music/3"
    for named in (
        job.id,
        job.id[:6],
        str(own / "run.json"),
        "oracle-of-case/music/3",
        "oracle-of-case/single/music/3",
        row,
    ):
        found = find_run(named, tmp_path)
        assert (found.result, found.predictions) == (result, own / "predictions.jsonl")
        assert found.log == own / "log.txt"
    assert find_run(str(on_board), Path("elsewhere")).result == result
    (own / "run.json").unlink()
    (own / "predictions.jsonl").unlink()
    assert find_run(job.id, tmp_path).predictions == kept  # made on another machine
    kept.unlink()
    with pytest.raises(ResultError, match="there are no predictions at"):
        assert find_run(job.id, tmp_path).predictions


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nothing", "there is no run and no result file nothing"),
        ("", "there is no run and no result file"),
        ("oracle-of-case/music/4", "there is no run"),
        ("oracle-of-case/multi/music/3", "there is no run"),
        ("oracle-of-case/ai/3", "is the name of 2 runs: .*length="),
    ],
)
def test_what_is_no_run_or_several_is_said(jobs: list[Job], tmp_path: Path, named: str, said: str) -> None:
    with pytest.raises(ResultError, match=said):
        find_run(named, tmp_path)


def test_several_runs_may_be_asked_for(jobs: list[Job], tmp_path: Path) -> None:
    assert {run.result.run for run in find_runs("oracle-of-case/ai/3", tmp_path)} == {jobs[0].id, jobs[2].id}
    with pytest.raises(ResultError, match="oracle-of-case/music/5") as caught:
        find_runs("oracle-of-case/music/5", tmp_path)
    assert "oracle-of-case/single/music/3" in (caught.value.hint or "")


def test_a_method_s_name_means_the_row_with_its_preset_s_options(
    jobs: list[Job], mini: Benchmark, tmp_path: Path
) -> None:
    scenarios = mini.list_scenarios("single", ["ai"])
    (plain,) = runner.plan(mini, scenarios, [REGISTRY.get("oracle-of-case")], "quick", {}, [3])
    assert [outcome.f1 is not None for outcome in runner.run([plain], tmp_path, Nobody())] == [True]
    assert find_run("oracle-of-case/ai/3", tmp_path).result.run == plain.id
    assert len(find_runs("oracle-of-case/ai/3", tmp_path)) == 3


@pytest.mark.parametrize("content", ["We met Ada.", '{"a": 1}', "name = 'food'", "\x00\x01"])
def test_nobody_is_told_to_remove_a_file_that_is_no_result(content: str, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text(content)
    with pytest.raises(ResultError) as caught:
        find_run(str(file), tmp_path)
    assert "rm " not in f"{caught.value} {caught.value.hint}"
    assert (caught.value.hint or "").startswith("name an id")
