"""A run made again: what is the same, what is not, and what is said of why."""

from __future__ import annotations

import gzip
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import plugins
from cdner_bench.cli.commands.making import again
from cdner_bench.data import Benchmark
from cdner_bench.errors import OptionError, ResultError
from cdner_bench.io import Phase
from cdner_bench.llm import Usage
from cdner_bench.plugins import ModelFacts
from cdner_bench.records import MethodFacts, find_run, results
from cdner_bench.records import Run as RecordedRun
from cdner_bench.running import Job, reproducing, runner
from support import ROOT, Nobody, Run

METHODS = [ROOT / "tests" / "methods.py"]
REGISTRY = plugins.discover(METHODS)


@pytest.fixture
def job(mini: Benchmark, tmp_path: Path) -> Job:
    """A finished run."""
    entry = REGISTRY.get("oracle-of-case")
    (job,) = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], "quick", {"length": 2}, [3])
    (outcome,) = runner.run([job], tmp_path, Nobody())
    assert outcome.f1
    return job


def test_what_differs_is_said(job: Job, tmp_path: Path, mini: Benchmark) -> None:
    found = find_run(job.id, tmp_path)
    before, said = found.result, found.predictions
    restored = reproducing.restore(before, mini, REGISTRY, {})
    assert restored.id == job.id
    same = reproducing.reproduce(restored, before, said, tmp_path / "again", Nobody())
    assert (same.exact, same.same, same.sentences, list(same.differences)) == (True, 132, 132, [])

    packages = {**before.provenance["packages"], "numpy": "0.1"}
    model = replace(before.model, precision="bf16")
    older = replace(before, device="a toaster", model=model, provenance={**before.provenance, "packages": packages})
    first, *lines = said.read_text(encoding="utf-8").splitlines()
    said.write_text("\n".join([json.dumps({**json.loads(first), "entities": []}), *lines]) + "\n", encoding="utf-8")
    other = reproducing.reproduce(restored, older, said, tmp_path / "again", Nobody())
    assert (other.exact, other.same) == (False, 131)
    assert [text.partition(":")[0] for text in other.differences] == ["precision", "device", "numpy"]

    changed = reproducing.restore(before, mini, REGISTRY, {"length": 1})
    made = reproducing.reproduce(changed, before, said, tmp_path / "again", Nobody())
    assert made.differences == ["length: then 2, now 1"]
    assert not made.exact


def make_busy(job: Job, out: Path, **changes: Any) -> RecordedRun:
    """The run as if it had been made on a busy machine, on its board and in its folder."""
    found = find_run(job.id, out)
    phases = [replace(phase, seconds=9.0, others=1.5) for phase in found.result.phases]
    busy = replace(found.result, **{"phases": phases, **changes})
    for place in (out / "runs" / job.id / "run.json", out / "leaderboards" / "results" / busy.path):
        results.save(busy, place)
    return find_run(job.id, out)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does nothing else while it is looked at, and is not looked at for long."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(Phase, "quiet", property(lambda phase: phase.others != 1.5))


@pytest.mark.usefixtures("quiet")
def test_seconds_are_taken_anew_and_nothing_else_changes(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    busy = make_busy(job, tmp_path)
    before = busy.result
    assert not reproducing.has_quiet_seconds(before)
    assert again.time([job.id, str(tmp_path / "leaderboards" / "results" / before.path)], plugin=METHODS) == 0
    said = capsys.readouterr().out
    told = r"oracle-of-case/single/ai/3: \d\.\d s, before 36\.0; 132 of 132 predictions are the same\n  → cdner-bench"
    assert re.search(told, said)
    for place in (tmp_path / "runs" / job.id / "run.json", tmp_path / "leaderboards" / "results" / before.path):
        after = results.load(place)
        timed = after.provenance["timed"]
        assert (timed["same"], sorted(timed)) == (132, ["commit", "created", "dirty", "platform", "same"])
        assert [p.name for p in after.phases] == [p.name for p in before.phases]
        assert all(p.seconds < 9 for p in after.phases)
        kept = {k: v for k, v in after.provenance.items() if k != "timed"}
        assert replace(after, phases=before.phases, provenance=kept) == before
    assert again.time([job.id], plugin=METHODS) == 0
    assert capsys.readouterr().out == "1 run had a quiet machine already\n"


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ({}, ["misdeed=raise at fit"], "would be another run today: misdeed: then none, now raise at fit"),
        ({"device": "A slow processor, 64 cores"}, [], "was made on A slow processor, 64 cores; this is "),
        ({"usage": Usage("m", "far.example", "", "", "", 0, {}, 0, 0, None)}, [], "are those of far.example"),
        (
            {"method": MethodFacts("m", results.PREDICTIONS_ONLY, None, {}), "departures": ()},
            [],
            "somebody brought its predictions",
        ),
    ],
)
def test_seconds_that_are_none_of_the_run_s_are_not_taken(
    job: Job,
    tmp_path: Path,
    changes: dict[str, Any],
    options: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = make_busy(job, tmp_path, **changes)
    with pytest.raises(ResultError, match=re.escape(said)):
        again.time([str(before.file)], option=options, plugin=METHODS)
    assert results.load(before.file) == before.result


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": ModelFacts("none", precision="bf16")}, "its precision was bf16, and is none here"),
        ({"device": "a GPU"}, "its device was a GPU, and is "),
    ],
)
def test_seconds_of_another_machine_are_not_taken(
    job: Job,
    tmp_path: Path,
    changes: dict[str, Any],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    before = make_busy(job, tmp_path, **changes)
    assert again.time([job.id], plugin=METHODS) == 1
    assert f"not taken: {before.name}: {said}" in capsys.readouterr().out
    assert results.load(before.file) == before.result


def test_a_run_that_others_disturbed_is_not_taken(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    busy = make_busy(job, tmp_path)
    monkeypatch.setattr(Phase, "quiet", property(lambda phase: phase.name == "look"))
    assert again.time([job.id], plugin=METHODS) == 1
    assert f"not taken: {busy.name}: others kept " in capsys.readouterr().out
    assert results.load(busy.file) == busy.result
    monkeypatch.setattr(Phase, "quiet", False)
    with pytest.raises(ResultError, match="cores busy: seconds would not be"):
        again.time([job.id], plugin=METHODS)


def test_the_command_ends_with_0_only_if_all_is_the_same(job: Job, cli: Run, tmp_path: Path) -> None:
    command = ["reproduce", job.id, "--plugin", ROOT / "tests" / "methods.py"]
    done = cli(*command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("132 of 132 predictions are the same (100.0%)\n")
    failed = cli(*command, "-o", "misdeed=raise at fit")
    assert failed.returncode == 1
    assert "I cannot learn" in failed.stdout
    assert "not as it was: misdeed: then none, now raise at fit" in failed.stdout
    packed = next(tmp_path.glob("leaderboards/predictions/**/*.gz"))
    assert gzip.decompress(packed.read_bytes())  # nothing is touched
    assert len(list((tmp_path / "runs").iterdir())) == 2  # the run and what runs share


def test_a_run_is_not_compared_with_itself(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own folder it would be skipped, and all would be the same."""
    monkeypatch.chdir(tmp_path)
    for named in (job.id, f"runs/{job.id}/run.json", str(next(tmp_path.glob("leaderboards/results/**/*.json")))):
        with pytest.raises(OptionError, match=r"--again .*: there it is finished") as caught:
            again.reproduce(named, again=tmp_path, plugin=METHODS)
        assert caught.value.hint == "name another folder"
