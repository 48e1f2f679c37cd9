"""20 runs over 4 workers, of which one, or who has them made, or everything at once is killed (SIGKILL) at 20 random
moments, against the same runs made undisturbed by one process.

    python perf/killed_study.py [--executor local|ray|slurm] [--kills 20] [--seconds 4]

Passes if every run is finished in the end, none that was finished was made again, and results (timings apart) and
predictions are those of the undisturbed ones byte by byte. Takes some minutes, with Ray more.
With SLURM the jobs are killed, and who submits them: `sudo python tests/one_node_slurm.py` starts one to try it on.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cdner_bench.running import standing
from cdner_bench.running.executing import find_queued

SLEEPERS = Path(__file__).parents[1] / "tests" / "sleepers.py"
TIMINGS = ("phases", "peak_memory", "provenance", "device")
RUNS = 20
TRIES = 5
"""How often the study is gone on with at most, when nobody is killed any more."""
MARK = "CDNER_KILLED_STUDY"
"""What every process of a study has in its environment, and no other."""
PARAMETERS = {
    "local": ["--workers", "4"],
    "ray": ["--workers", "4"],
    "slurm": ["-x", "timeout_min=60", "--runs-per-job", "5"],
}
VICTIMS = ("a worker", "a worker", "who asks", "everything")
WORKERS = (b"cdner_bench.running", b"ray::Hand")


def start(out: Path, seconds: float, more: list[str]) -> subprocess.Popen[bytes]:
    """The command of the study."""
    command = [sys.executable, "-m", "cdner_bench", "run", "--benchmark", "mini", "--plugin", str(SLEEPERS)]
    command += ["--method", "sleeping,dozing", "--setting", "single", "--seeds", "2", "--out", str(out), "--quiet"]
    command += ["-o", "shared=0.5", "-o", f"seconds={seconds}", *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)


def read_store(out: Path) -> Mapping[str, object]:
    """All that results and predictions say, but for times, memory and who made them."""
    found: dict[str, object] = {}
    for place in sorted(out.glob("leaderboards/results/**/*.json")):
        record = json.loads(place.read_bytes())
        found[place.name] = json.dumps({name: value for name, value in record.items() if name not in TIMINGS})
    for pattern in ("runs/*/predictions.jsonl", "leaderboards/predictions/**/*.gz"):
        found |= {place.relative_to(out).as_posix(): place.read_bytes() for place in sorted(out.glob(pattern))}
    return found


def find_finished(out: Path) -> dict[str, int]:
    """The finished runs, and when each was written."""
    return {place.parent.name: place.stat().st_mtime_ns for place in out.glob("runs/*/run.json")}


def list_processes(mark: str) -> dict[int, bytes]:
    """The command line of every process of a study."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in (place / "environ").read_bytes():
                found[int(place.name)] = (place / "cmdline").read_bytes()
    return found


def is_at_work(out: Path, command: subprocess.Popen[bytes]) -> bool:
    """Whether runs are still to come, from the command or from jobs that it has submitted."""
    return command.poll() is None or bool(find_queued(out))


def is_making(out: Path) -> bool:
    """Whether a run is answering."""
    return any(made.phase == "predict" for made in standing.look(out).making)


def kill(victim: str, command: subprocess.Popen[bytes], mark: str, drawn: random.Random) -> bool:
    """Kill somebody; False if there is nobody."""
    there = list_processes(mark)
    chosen = [process for process, line in there.items() if any(name in line for name in WORKERS)]
    if victim == "a worker":
        chosen = [drawn.choice(sorted(chosen))] if chosen else []
    else:
        chosen = [command.pid] if victim == "who asks" else [*there]
    hit = any(process in there for process in chosen)
    for process in chosen:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return hit


def disturb(out: Path, seconds: float, more: list[str], kills: int, mark: str) -> tuple[Counter[str], int]:
    """Make the study, and kill. Returns who was killed how often, and how many finished runs were made again."""
    drawn, killed, finished = random.Random(18), Counter[str](), dict[str, int]()
    command = start(out, seconds, more)
    while killed.total() < kills and len(find_finished(out)) < RUNS:
        give_up = time.monotonic() + 300
        while is_at_work(out, command) and not is_making(out) and time.monotonic() < give_up:
            time.sleep(0.1)
        time.sleep(drawn.uniform(0, 1.1 * seconds))
        finished = find_finished(out) | finished
        victim = drawn.choice(VICTIMS)
        if victim == "who asks" and command.poll() is not None:  # jobs need nobody who waits for them
            command = start(out, seconds, more)
            time.sleep(drawn.uniform(0, seconds))
        if kill(victim, command, mark, drawn):
            killed[victim] += 1
            print(f"{killed.total():2} killed: {victim}; {len(find_finished(out))} runs finished", flush=True)
        time.sleep(0.5)
        if victim != "a worker" or not is_at_work(out, command):
            command.wait()
            command = start(out, seconds, more)
    finished = find_finished(out) | finished
    for _ in range(TRIES):
        while is_at_work(out, command):
            time.sleep(0.2)
        if command.returncode == 0 and len(find_finished(out)) == RUNS:
            break
        command = start(out, seconds, more)
    last = find_finished(out)
    return killed, sum(last.get(run) != written for run, written in finished.items())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--executor", default="local", choices=PARAMETERS)
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--seconds", type=float, default=4.0, help="what a run sleeps")
    chosen = arguments.parse_args()
    mark, more = secrets.token_hex(8), ["--executor", chosen.executor, *PARAMETERS[chosen.executor]]
    with tempfile.TemporaryDirectory() as folder:
        calm, killed = Path(folder) / "calm", Path(folder) / "killed"
        undisturbed = start(calm, chosen.seconds, ["--workers", "1"])
        os.environ[MARK], began = mark, time.monotonic()
        who, again = disturb(killed, chosen.seconds, more, chosen.kills, mark)
        took = time.monotonic() - began
        assert undisturbed.wait() == 0
        done, same = len(find_finished(killed)), read_store(killed) == read_store(calm)
    told = ", ".join(f"{victim} {count} times" for victim, count in who.items())
    print(f"{chosen.executor}: {who.total()} kills hit ({told}), {took:.0f} s")
    print(f"{done} of {RUNS} runs finished; {again} of those that were finished were made again")
    print(f"results and predictions {'are' if same else 'are NOT'} those of the undisturbed runs")
    sys.exit(done != RUNS or again > 0 or not same)


if __name__ == "__main__":
    main()
