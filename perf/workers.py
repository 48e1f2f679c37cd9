"""How busy the workers of a large study are, what a run costs beside itself, and how long `status` looks at a store.

    python perf/workers.py [--runs 500] [--workers 8] [--seconds 8] [--executor local|ray] [--store 5000]

The runs sleep, from half as long to half as long again as was asked, so that no processor limits them but what the
harness itself takes. A worker is in a run while one of the run's phases goes on (loading, learning, answering, scoring:
what its result has as `phases`); what is between is overhead, on the wall clock. The limits are those that the project
sets itself, and are for an idle machine: ends with 1 if one is not kept.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cdner_bench.records import results
from cdner_bench.running import standing

SLEEPERS = Path(__file__).parents[1] / "tests" / "sleepers.py"
A_SEED = 10
"""Runs of one seed: two methods on five targets."""
SHARE, OVERHEAD, LOOK = 0.95, 0.05, 1.0
"""At least this share of the workers' time in runs; at most so many seconds of overhead a run; and of `status`."""


def make_study(out: Path, runs: int, workers: int, seconds: float, executor: str) -> tuple[int, float, float, float]:
    """Runs that were made, the share of the workers' time in them, and seconds: what passed between runs, all workers
    together, and the processor time of the command and all that it starts.
    """
    command = [sys.executable, "-m", "cdner_bench", "run", "--benchmark", "mini", "--plugin", str(SLEEPERS), "--quiet"]
    command += ["--method", "sleeping,dozing", "--setting", "single", "--seeds", str(-(-runs // A_SEED))]
    command += ["--out", str(out), "--workers", str(workers), "--executor", executor]
    command += ["-o", f"seconds={seconds}", "-o", "spread=0.5"]
    log = out.parent / "log"
    environment = {**os.environ, "SLEEPERS_LOG": str(log), "CUDA_VISIBLE_DEVICES": ""}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    whole, after = workers * (time.time() - start), resource.getrusage(resource.RUSAGE_CHILDREN)
    made = results.load_all(out / "leaderboards" / "results", "mini")
    busy = sum(phase.seconds for result in made for phase in result.phases)
    spans: dict[str, list[float]] = {}  # of each worker, from its first run to its last
    for line in log.read_text().splitlines():
        _, when, _, worker, *_ = line.split()
        spans.setdefault(worker, []).append(float(when))
    between = sum(max(times) - min(times) for times in spans.values()) - busy
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return len(made), busy / whole, between, processor


def look_at_store(out: Path, runs: int) -> tuple[float, float]:
    """Seconds that `status` takes for so many runs, half of them finished: to look, and as a command."""
    jobs = [
        (f"{n:016x}", f"single/ai sleeping seed {n}", f"mini/single/ai/sleeping-00000000-{n}.json") for n in range(runs)
    ]
    standing.write_plan(out, ["cdner-bench", "run"], jobs)
    for n, (run, _, _) in enumerate(jobs):
        folder = out / "runs" / run
        folder.mkdir()
        for name in ("lock", "log.txt", "run.json" if n % 2 else "begun.json"):
            (folder / name).write_text(json.dumps({"schema": 1, "status": "incomplete", "run": run}))
    start = time.perf_counter()
    assert len(standing.look(out).runs) == runs
    looked = time.perf_counter() - start
    start = time.perf_counter()
    command = [sys.executable, "-m", "cdner_bench", "status", "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return looked, time.perf_counter() - start


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=500)
    arguments.add_argument("--workers", type=int, default=8)
    arguments.add_argument("--seconds", type=float, default=8.0, help="what a run sleeps")
    arguments.add_argument("--executor", default="local", choices=("local", "ray"))
    arguments.add_argument("--store", type=int, default=5000, help="runs that status looks at")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder, "study"), chosen.runs, chosen.workers, chosen.seconds, chosen.executor
        runs, share, overhead, processor = make_study(*study)
        looked, took = look_at_store(Path(folder, "store"), chosen.store)
    print(f"{runs} runs of {chosen.seconds:g} s, {chosen.workers} workers ({chosen.executor})")
    print(f"{share:7.1%}    of the workers' time in runs (limit {SHARE:.0%})")
    print(f"{overhead / runs:7.3f} s  between two runs of a worker (limit {OVERHEAD:g} s)")
    print(f"{processor / runs:7.3f} s  of processor time a run, with what the command takes to start")
    print(f"{looked:7.3f} s  for status to look at {chosen.store} runs (limit {LOOK:g} s); {took:.3f} s as a command")
    sys.exit(share < SHARE or overhead / runs > OVERHEAD or looked > LOOK)


if __name__ == "__main__":
    main()
