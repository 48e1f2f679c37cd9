"""What the command line takes to start: `cdner-bench list` against importing the libraries that it stands on.

    python perf/startup.py

Processor time of fresh processes, in turn, the least of several: a ratio, because a second means another thing on
another machine. Ends with 1 if `list` takes more than 1.8 times what its libraries take.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

ROUNDS = 9
LIMIT = 1.8
LIBRARIES = "import typer, rich.table, rich.console, pydantic, pluggy"
MEASURED: Mapping[str, Sequence[str]] = {
    "its libraries": ("-c", LIBRARIES),
    "cdner-bench list": ("-m", "cdner_bench", "list"),
    "cdner-bench --help": ("-m", "cdner_bench", "--help"),
    "cdner-bench list, its options parsed": ("-m", "cdner_bench", "list", "--no-plugin", "density"),
}


def child_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Seconds of processor time that a fresh interpreter takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def least_seconds() -> dict[str, float]:
    """The least seconds of each command. Compiling is not measured: bytecode is kept in a folder of this run."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = compiled
        for command in MEASURED.values():
            child_seconds(command, environment)
        rounds = [{name: child_seconds(c, environment) for name, c in MEASURED.items()} for _ in range(ROUNDS)]
    return {name: min(seconds[name] for seconds in rounds) for name in MEASURED}


def main() -> None:
    """Print every command's seconds and ratio."""
    least = least_seconds()
    for name, seconds in least.items():
        print(f"{name:40} {seconds:6.3f} s  {seconds / least['its libraries']:5.2f} times its libraries")
    ratio = least["cdner-bench list"] / least["its libraries"]
    print(f"cdner-bench list: {ratio:.2f} times its libraries (limit {LIMIT})")
    sys.exit(ratio > LIMIT)


if __name__ == "__main__":
    main()
