"""`make campaign`, with stand-ins for the two processes that make its runs."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import ROOT, take_interrupts

STAND_IN = """
import os, signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: sys.exit(Path(f"{os.getpid()}.ended").touch()))
Path(f"{os.getpid()}.begun").write_text(f"{os.nice(0)} {os.environ['OMP_NUM_THREADS']}")
time.sleep(60)
"""


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_a_campaign_is_two_processes_of_least_priority_that_ctrl_c_ends(tmp_path: Path) -> None:
    program = tmp_path / "cdner-bench"
    program.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, '-c', STAND_IN])}\n")
    program.chmod(0o755)
    command = ["make", "--file", str(ROOT / "Makefile"), "campaign", f"BIN={tmp_path}", "--old-file=.venv/test"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=take_interrupts,  # noqa: PLW1509
    )  # fmt: skip
    while [path.read_text() for path in tmp_path.glob("*.begun")] != ["19 1", "19 1"]:
        time.sleep(0.05)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    begun, ended = ({path.stem for path in tmp_path.glob(f"*.{what}")} for what in ("begun", "ended"))
    assert begun == ended
