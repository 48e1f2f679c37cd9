"""`bert-tagger` on the sample, killed (SIGKILL) at 20 random moments and restarted, against an undisturbed run.

Passes if the result files agree (timings apart) and no finished stage was trained again. Takes some minutes.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIMINGS = ("phases", "peak_memory", "provenance")
KILLS = 20


def start(out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "cdner_bench", "run", "--method", "bert-tagger", "--setting", "single"]
    command += ["--benchmark", "mini", "--target", "ai,music", "--out", str(out), "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def results(out: Path) -> dict[str, object]:
    records: dict[str, object] = {}
    for path in sorted((out / "leaderboards").rglob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        records[f"{path.parent.name}/{path.name}"] = {k: v for k, v in record.items() if k not in TIMINGS}
    return records


def trained(out: Path) -> list[str]:
    """Every stage that was really trained to its end, from the logs."""
    lines = [line for log in out.glob("runs/*/log.txt") for line in log.read_text(encoding="utf-8").splitlines()]
    ends = [line for line in lines if line.endswith(" s")]
    return sorted(stage for line in ends for stage in ("source", "target") if f" {stage}: " in line)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        calm, killed = Path(folder) / "calm", Path(folder) / "killed"
        begin = time.monotonic()
        assert start(calm).wait() == 0
        length = time.monotonic() - begin
        rng, kills = random.Random(0), 0
        for _ in range(KILLS):
            process = start(killed)
            time.sleep(rng.uniform(1, 1 + length / 3))
            kills += process.poll() is None
            process.kill()
            process.wait()
        assert start(killed).wait() == 0
        same, again = results(killed) == results(calm), trained(killed) == trained(calm)
        print(f"undisturbed: {length:.0f} s; {kills} of {KILLS} kills hit a running process")
        print(f"result files {'agree' if same else 'DIFFER'}")
        print(f"finished stages {'were never' if again else 'WERE'} trained again")
        sys.exit(not (same and again))


if __name__ == "__main__":
    main()
