"""Systems that lack what Linux has: macOS tells no affinity, Windows has neither `fcntl` nor `resource`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cdner_bench.io import meter
from support import ROOT

LACKING = """
import asyncio, os, selectors, signal, subprocess, sys, tempfile
import platformdirs
platformdirs.user_cache_path()  # it reads what Linux has, and elsewhere would not
for module in ("fcntl", "resource", "pwd", "grp", "termios", "pty", "tty", "syslog", "readline", "posixshmem"):
    sys.modules[module] = None
for name in (
    "sched_getaffinity sched_setaffinity fork forkpty killpg getpgid setpgid setsid getuid geteuid getgid getegid "
    "setuid getloadavg sysconf statvfs fstatvfs uname nice wait mkfifo mknod chown fchown fchmod pread pwrite "
    "posix_fadvise posix_fallocate memfd_create sendfile getpriority WNOHANG O_NOFOLLOW O_CLOEXEC O_NONBLOCK"
).split():
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGQUIT", "SIGUSR1", "alarm", "setitimer", "pause"):
    if hasattr(signal, name):
        delattr(signal, name)
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


@pytest.mark.parametrize("plugin", sorted(place.parent.name for place in (ROOT / "plugins").glob("*/__init__.py")))
def test_a_plugin_registers(plugin: str) -> None:
    assert run_without(f"import {plugin}; print({plugin}.__name__)") == f"{plugin}\n"


def test_a_run_its_board_and_its_score(tmp_path: Path) -> None:
    """Without fcntl there are no locks: leases take their place, and the run is made."""
    run = ["run", "--method", "oracle-of-case", "--setting", "single", "--target", "ai", "--benchmark", "mini"]
    run += ["--plugin", str(ROOT / "tests" / "methods.py"), "--out", str(tmp_path)]
    shown = run_without(f"""
from pathlib import Path
from cdner_bench.cli import main
def type_(*words):
    try:
        main(words)
    except SystemExit as ended:
        assert ended.code == 0, words
type_(*{run!r})
(predictions,) = Path({str(tmp_path)!r}).glob("runs/*/predictions.jsonl")
type_("score", str(predictions), "--benchmark", "mini")
type_("leaderboard", "--out", {str(tmp_path)!r})
type_("data", "verify", "--benchmark", "mini")
type_("models", "fetch", "minit5")
""")
    assert "finished, F1 " in shown
    assert f"wrote {tmp_path / 'leaderboards' / 'mini' / 'single.md'}" in shown
    assert "33 files are as declared" in shown


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


NICE = """
import os, sys
from cdner_bench.io import keep_niceness
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.nice({niceness})
os.setsid()
keep_niceness()
print(open("/proc/self/autogroup").read().split()[-1], os.nice(0))
"""


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system has no groups of sessions")
@pytest.mark.parametrize("niceness", [0, 7, 19])
def test_a_session_of_its_own_is_as_nice_as_its_process(niceness: int) -> None:
    command = [sys.executable, "-c", NICE.format(niceness=niceness)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(niceness), str(niceness)]


@pytest.mark.parametrize(("told", "threads"), [("1", 1), ("3,2", 3), ("0", 5), ("many", 5), (None, 5)])
def test_threads_are_those_that_openmp_was_told(
    told: str | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llama.cpp took every core beside other workers, each of which had its share."""
    monkeypatch.setattr(meter, "count_cores", lambda: 5)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if told is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert meter.count_threads() == threads
