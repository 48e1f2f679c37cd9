"""Whether the methods of `make demo` learn the sample: F1 of a short run beside that of the same run without learning.

    python perf/learning.py

Each method runs one target of `mini` twice: for a few epochs, and with a learning rate that changes nothing. Ends with
1 if what was learnt is not worth the points that it is held to.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cdner_bench.records import results

# Method, target, what F1 must gain, options of the short run, and those that make it learn nothing.
RUNS: tuple[tuple[str, str, float, Mapping[str, str], Mapping[str, str]], ...] = (
    (
        "bert-tagger", "ai", 20.0,
        {"epochs": "9", "source_epochs": "1"},
        {"learning_rate": "1e-12", "source_learning_rate": "1e-12"},
    ),
    (
        "topt", "music", 6.0,
        {"epochs": "12", "dev_every": "4", "masked_copies": "1", "source_epochs": "2"},
        {"learning_rate": "1e-12", "source_learning_rate": "1e-12", "mslm_learning_rate": "1e-12"},
    ),
)  # fmt: skip


def f1(method: str, target: str, options: Mapping[str, str]) -> float:
    """F1 in percent of one run on the sample."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cdner_bench", "run", "--method", method, "--setting", "single"]
        command += ["--benchmark", "mini", "--target", target, "--out", folder, "--quiet"]
        command += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (result,) = results.load_all(Path(folder) / "leaderboards" / "results")
        return result.f1("span-f1") or 0.0


def main() -> None:
    poor = False
    for method, target, gain, options, frozen in RUNS:
        learnt, nothing = f1(method, target, options), f1(method, target, {**options, **frozen})
        poor |= learnt - nothing < gain
        print(f"{method:12} {target:8} F1 {learnt:5.1f}, without learning {nothing:5.1f} (held to {gain:.0f} more)")
    sys.exit(poor)


if __name__ == "__main__":
    main()
