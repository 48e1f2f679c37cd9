"""Fixtures: the shipped sample, the real corpora where they are present, and places to write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdner_bench import benchmark
from cdner_bench.benchmark import Benchmark
from support import ROOT, Run

SHARED = ROOT.parent / "shared" / "data"
os.environ["HF_HUB_OFFLINE"] = "1"  # no test waits for a hub
if "CDNER_DATA" not in os.environ and SHARED.is_dir():
    os.environ["CDNER_DATA"] = str(SHARED)


@pytest.fixture(scope="session")
def mini() -> Benchmark:
    return benchmark.load("mini")


@pytest.fixture(scope="session")
def crossner() -> Benchmark:
    found = benchmark.load("crossner")
    if not found.present():
        pytest.skip("the CrossNER data is not here (CDNER_DATA)")
    return found


@pytest.fixture
def cli(tmp_path: Path) -> Run:
    """Type a command, in an empty folder, as a user would."""

    def run(*arguments: object, cwd: Path = tmp_path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cdner_bench", *map(str, arguments)]
        env = {**os.environ, "COLUMNS": "200", **environment}
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)

    return run
