"""On a real SLURM of one node: runs are those of one process, whatever ends in between."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import one_node_slurm
from cdner_bench.running import standing
from cdner_bench.running.executing import find_queued
from support import ROOT

pytestmark = pytest.mark.slow
STUDY = ["--benchmark", "mini", "--setting", "single", "--plugin", str(ROOT / "tests" / "sleepers.py")]
SHORT = ["--method", "sleeping,dozing", "--target", "ai,music", "-o", "shared=0.3"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    pytest.importorskip("submitit")
    if lack := one_node_slurm.find_lack():
        pytest.skip(lack)
    with one_node_slurm.start(array=2) as needed:
        yield needed


@pytest.fixture(autouse=True)
def use_it(cluster: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in cluster.items():
        monkeypatch.setenv(name, value)
    yield
    ask("scancel", "--user=root")
    wait_till(lambda: not ask("squeue", "--noheader").strip())


def ask(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def ask_status(out: Path) -> str:
    return ask(sys.executable, "-m", "cdner_bench", "status", "--out", str(out))


def name_command(out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "cdner_bench", "run", *STUDY, *more, "--out", str(out)]


def name_job(out: Path, *more: str) -> list[str]:
    return [*name_command(out, *more), "--executor", "slurm", "-x", "timeout_min=10"]


def wait_till(true: Callable[[], object], out: Path = ROOT) -> None:
    give_up = time.monotonic() + 600
    while not true():
        logs = [place.read_text() for place in out.glob("runs/slurm/*/*log*")]
        assert time.monotonic() < give_up, [*logs, standing.look(out)]
        time.sleep(0.2)


def wait_for_end(out: Path) -> None:
    wait_till(lambda: not ask("squeue", "--noheader").strip(), out)


def read_results(out: Path) -> dict[str, object]:
    """All that results say but for times and who made them, and predictions byte by byte."""
    found: dict[str, object] = {}
    for place in sorted(out.glob("leaderboards/results/**/*.json")):
        result = json.loads(place.read_text())
        for name in ("phases", "peak_memory", "provenance"):
            result.pop(name)
        found[place.relative_to(out).as_posix()] = result
    for place in sorted(out.glob("leaderboards/predictions/**/*.gz")):
        found[place.relative_to(out).as_posix()] = place.read_bytes()
    return found


def test_jobs_make_what_one_process_makes(tmp_path: Path) -> None:
    alone, out = tmp_path / "alone", tmp_path / "out"
    said = ask(*name_job(out, *SHORT))
    assert "4 of 4 runs submitted, in 4 jobs: " in said
    assert " of 4 runs are in jobs already: " in ask(*name_job(out, *SHORT))
    ask(*name_command(alone, *SHORT))
    wait_for_end(out)
    assert len(read_results(alone)) == 8
    assert read_results(out) == read_results(alone)
    assert "dozing (shared=0.3)" in ask(*name_job(out, *SHORT))  # the board


def test_a_run_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    ask(*name_job(tmp_path, "--method", "sleeping", "-o", "failing=music", "--runs-per-job", "2"))
    wait_for_end(tmp_path)
    overview = standing.look(tmp_path)
    assert sorted(overview.runs.values()) == ["failed", *["finished"] * 4]
    assert "I cannot sleep" in ask_status(tmp_path)


def test_nothing_is_left_of_what_the_cluster_refuses(tmp_path: Path) -> None:
    said = ask(*name_job(tmp_path, *SHORT, "-x", "partition=hihg"))
    assert "-x partition=hihg: the cluster has no partition hihg\n  → did you mean 'high'?" in said
    said = ask(*name_job(tmp_path, *SHORT, "-x", "constraint=h200"))
    assert "SLURM refuses the job: Batch job submission failed: Invalid feature specification\n  → nothing was" in said
    assert "SLURM refuses the job: " in ask(*name_job(tmp_path, *SHORT, "-x", "gpus_per_node=8"))
    assert not ask("squeue", "--noheader")
    assert not list(tmp_path.glob("runs/slurm/*/*"))


def find_job(out: Path) -> str:
    """The job that is answering."""
    wait_till(lambda: [made for made in standing.look(out).making if made.phase == "predict"], out)
    (job,) = find_queued(out).values()
    return job


def test_a_job_that_is_asked_to_end_goes_on_later(tmp_path: Path) -> None:
    ask(*name_job(tmp_path, "--method", "sleeping", "--target", "ai", "-o", "seconds=12"))
    job = find_job(tmp_path)
    ask("scancel", "--signal=TERM", job)
    wait_till(lambda: ask("squeue", "--noheader", "--format", "%T").strip() == "PENDING", tmp_path)
    assert not list(tmp_path.glob("runs/*/error.txt"))
    (predictions,) = tmp_path.glob("runs/*/predictions.jsonl")
    begun = len(predictions.read_text().splitlines())
    assert ask_status(tmp_path).startswith("1 run: 1 waiting\n1 of them wait in jobs of SLURM")
    ask("scontrol", "update", f"JobId={job}", "StartTime=now")
    wait_for_end(tmp_path)
    assert set(standing.look(tmp_path).runs.values()) == {"finished"}
    assert len(predictions.read_text().splitlines()) >= begun


def test_a_job_that_is_cancelled_stays_so(tmp_path: Path) -> None:
    ask(*name_job(tmp_path, "--method", "sleeping", "--target", "ai", "-o", "seconds=30"))
    ask("scancel", find_job(tmp_path))
    wait_for_end(tmp_path)
    assert set(standing.look(tmp_path).runs.values()) == {"interrupted"}
    (log,) = tmp_path.glob("runs/slurm/*/*log.out")
    assert "does not go back into the queue: it is C" in log.read_text()


def test_who_has_submitted_may_be_killed(tmp_path: Path) -> None:
    command = name_job(tmp_path, *SHORT)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_till(lambda: ask("squeue", "--noheader").strip(), tmp_path)
    process.kill()
    process.wait()
    ask(*command)
    wait_for_end(tmp_path)
    assert ask(*command)
    wait_for_end(tmp_path)
    assert sorted(standing.look(tmp_path).runs.values()) == ["finished"] * 4
