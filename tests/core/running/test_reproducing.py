"""A run made again: what is the same, what is not, and what is said of why."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.data import Benchmark
from cdner_bench.records import find_run
from cdner_bench.running import Job, reproducing, runner
from support import ROOT, Nobody, Run

REGISTRY = plugins.discover([ROOT / "tests" / "methods.py"])


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
    again = reproducing.restore(before, mini, REGISTRY, {})
    assert again.id == job.id
    same = reproducing.reproduce(again, before, said, tmp_path / "again", Nobody())
    assert (same.exact, same.same, same.sentences, list(same.differences)) == (True, 132, 132, [])

    packages = {**before.provenance["packages"], "numpy": "0.1"}
    model = replace(before.model, precision="bf16")
    older = replace(before, device="a toaster", model=model, provenance={**before.provenance, "packages": packages})
    first, *lines = said.read_text(encoding="utf-8").splitlines()
    said.write_text("\n".join([json.dumps({**json.loads(first), "entities": []}), *lines]) + "\n", encoding="utf-8")
    other = reproducing.reproduce(again, older, said, tmp_path / "again", Nobody())
    assert (other.exact, other.same) == (False, 131)
    assert [text.partition(":")[0] for text in other.differences] == ["precision", "device", "numpy"]

    changed = reproducing.restore(before, mini, REGISTRY, {"length": 1})
    made = reproducing.reproduce(changed, before, said, tmp_path / "again", Nobody())
    assert made.differences == ["length: then 2, now 1"]
    assert not made.exact


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
