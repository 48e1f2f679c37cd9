"""`make campaign`, with a stand-in for the command that makes its runs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT

STAND_IN = "import os, sys; print(os.nice(0), os.environ['OMP_NUM_THREADS'], *sys.argv[1:]); sys.exit(3)"


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_a_campaign_is_two_workers_of_least_priority_whose_failures_are_its_own(tmp_path: Path) -> None:
    program = tmp_path / "cdner-bench"
    program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-c", STAND_IN])} "$@"\n')
    program.chmod(0o755)
    command = ["make", "--silent", "--file", str(ROOT / "Makefile"), "campaign", f"BIN={tmp_path}"]
    done = subprocess.run(
        [*command, "--old-file=.venv/test"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2  # make's word for a command that failed
    file = os.path.join("benchmarks", "campaigns", "crossner-cpu.toml")
    assert done.stdout == f"19 1 run --campaign {file} --workers 2\n"
    assert (ROOT / file).is_file()
