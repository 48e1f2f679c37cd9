"""Studies of methods that sleep, for tests of who makes their runs: made, watched, and read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from cdner_bench import plugins
from cdner_bench.data import benchmark
from cdner_bench.running import Job, runner, standing
from support import ROOT, Nobody, take_interrupts

SLEEPERS = ROOT / "tests" / "sleepers.py"
STUDY = ["run", "--benchmark", "mini", "--method", "sleeping,dozing", "--setting", "single", "--seeds", "2"]
STUDY += ["--plugin", str(SLEEPERS), "-o", "shared=0.3", "-o", "seconds=0.2"]


def plan(methods: str = "sleeping,dozing", *, seeds: int = 2, setting: str = "single", **options: object) -> list[Job]:
    mini, registry = benchmark.load("mini"), plugins.discover([SLEEPERS])
    entries = [registry.get(name) for name in methods.split(",")]
    return runner.plan(mini, mini.list_scenarios(setting), entries, None, options, range(seeds))


def read_store(out: Path) -> dict[str, object]:
    """All that results and predictions say, but for times, memory and who made them."""
    found: dict[str, object] = {}
    for place in sorted((out / "leaderboards").glob("results/**/*.json")):
        result = json.loads(place.read_text())
        for name in ("phases", "peak_memory", "provenance", "device"):
            result.pop(name)
        found[place.name] = result
    for place in sorted((out / "runs").glob("*/predictions.jsonl")):
        found[place.parent.name] = place.read_bytes()
    for place in sorted((out / "leaderboards").glob("predictions/**/*.jsonl.gz")):
        found[place.name] = place.read_bytes()
    return found


def make_alone(out: Path) -> dict[str, object]:
    """The study, made by one worker."""
    jobs = plan(shared=0.3, seconds=0.2)
    assert {o.status for o in runner.run([replace(job, room=10**7) for job in jobs], out, Nobody())} == {"finished"}
    return read_store(out)


def start(out: Path, *more: object, **environment: str) -> subprocess.Popen[str]:
    study = [*map(str, STUDY)]
    for name in {*study} & {*map(str, more)} & {"--method", "--target"}:  # of others, the last counts
        del study[(place := study.index(name)) : place + 2]
    command = [sys.executable, "-m", "cdner_bench", *study, "--out", str(out), *map(str, more)]
    return subprocess.Popen(
        command,
        env={**os.environ, "SLEEPERS_LOG": str(out / "log"), "CUDA_VISIBLE_DEVICES": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=take_interrupts,  # noqa: PLW1509
    )


def read_log(out: Path) -> list[list[str]]:
    return [line.split(" ", 6) for line in (out / "log").read_text().splitlines()]


def wait_for(out: Path, *, ended: int) -> None:
    """Wait till so many runs have come to their end."""
    give_up = time.monotonic() + 120
    while not (out / "log").exists() or sum(line[6] == "end" for line in read_log(out)) < ended:
        assert time.monotonic() < give_up
        time.sleep(0.05)


def wait_for_runs(out: Path, count: int) -> None:
    """Wait till so many runs are answering."""
    give_up = time.monotonic() + 120
    while sum(made.phase == "predict" for made in standing.look(out).making) < count:
        assert time.monotonic() < give_up
        time.sleep(0.05)
