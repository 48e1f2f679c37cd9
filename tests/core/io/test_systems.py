"""Systems that lack what Linux has: macOS tells no affinity, Windows has neither `fcntl` nor `resource`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cdner_bench.io import meter

LACKING = """
import os, sys
for module in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[module] = None
for name in ("sched_getaffinity", "fork", "killpg", "getuid", "O_NOFOLLOW", "pread"):
    if hasattr(os, name):
        delattr(os, name)
"""


def run_without(code: str) -> str:
    """The output of a program on a system that lacks things."""
    done = subprocess.run([sys.executable, "-c", LACKING + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("command", "shown"), [(["--help"], "leaderboard"), (["run", "--help"], "--method"), (["list"], "bert-tagger")]
)
def test_help_and_list_work(command: list[str], shown: str) -> None:
    assert shown in run_without(f"from cdner_bench.cli import main\nmain({command!r})")


def test_every_module_of_the_core_can_be_imported() -> None:
    run_without("""
import pkgutil, importlib, cdner_bench
for module in pkgutil.walk_packages(cdner_bench.__path__, "cdner_bench."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
""")


def test_the_meter_says_something() -> None:
    device, peak = run_without("""
from cdner_bench.io import meter
meter.reset_peak_memory()
print(meter.name_device())
print(meter.read_peak_memory())
""").splitlines()
    assert device.endswith(" cores")
    assert int(peak) >= 0


def test_the_peak_is_the_process_s_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr(Path, "write_text", missing)
    meter.reset_peak_memory()
    assert meter.read_peak_memory() > 1e6
    assert meter.name_device().endswith(" cores")
