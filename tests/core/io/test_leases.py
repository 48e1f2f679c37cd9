"""Leases: what a lock is where the file system has none. Processes are killed and stopped for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cdner_bench.errors import BusyError, CdnerError
from cdner_bench.io import fence, lock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")

HOLDER = """
import sys, time
from pathlib import Path
from cdner_bench.errors import BusyError
from cdner_bench.io import fence, lock
with lock(Path(sys.argv[1]), wait=True):
    print("held", flush=True)
    sys.stdin.readline()
    try:
        fence()
    except BusyError as error:
        print(error, flush=True)
    else:
        print("holds", flush=True)
    sys.stdin.readline()
"""
COUNTER = """
import sys
from pathlib import Path
from cdner_bench.io import lock
place = Path(sys.argv[1])
for _ in range(25):
    with lock(place / "lock", wait=True):
        before = int((place / "count").read_text())
        (place / "count").write_text(str(before + 1))
"""
LASTS = 1.0


@pytest.fixture(autouse=True)
def leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDNER_LEASE", str(LASTS))


def hold(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert hear(process) == "held"
    return process


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(process: subprocess.Popen[str]) -> str:
    """What a holder says of its lease."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return hear(process)


def list_leases(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.glob("*.lease"))


def test_a_lease_that_is_renewed_stays_and_names_its_holder(tmp_path: Path) -> None:
    other = hold(tmp_path / "lock")
    time.sleep(1.5 * LASTS)
    with pytest.raises(BusyError, match=rf"another process \(process {other.pid} on .*\) is working"):
        lock(tmp_path / "lock").__enter__()
    assert ask(other) == "holds"
    other.communicate("\n")
    with lock(tmp_path / "lock"):
        assert list_leases(tmp_path) == ["lock.2.lease"]
    assert not list(tmp_path.glob(".*"))  # no draft is left


def test_a_dead_holder_is_followed_at_once_on_its_own_machine(tmp_path: Path) -> None:
    other = hold(tmp_path / "lock")
    other.kill()
    other.communicate()
    with lock(tmp_path / "lock"):
        fence()


def make_foreign(folder: Path) -> Path:
    """The lease that a process on another machine has left."""
    other = hold(folder / "lock")
    (place,) = folder.glob("*.lease")
    said = place.read_text()
    other.kill()
    other.communicate()
    host = said.split('"machine": "')[1][:8]
    place.write_text(said.replace(host, "00000000"))
    return place


def test_a_dead_holder_elsewhere_is_followed_when_its_time_is_over(tmp_path: Path) -> None:
    make_foreign(tmp_path)
    with pytest.raises(BusyError), lock(tmp_path / "lock"):
        pytest.fail("two hold it")
    with lock(tmp_path / "lock", wait=True):
        assert list_leases(tmp_path) == ["lock.2.lease"]


@pytest.mark.parametrize("ahead", [-3600.0, 3600.0])
def test_the_clock_of_this_machine_decides_nothing(
    ahead: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_foreign(tmp_path)
    usual = time.time
    monkeypatch.setattr(time, "time", lambda: usual() + ahead)
    with pytest.raises(BusyError), lock(tmp_path / "lock"):
        pytest.fail("two hold it")


def test_a_holder_that_was_stopped_and_followed_knows_it(tmp_path: Path) -> None:
    other = hold(tmp_path / "lock")
    os.kill(other.pid, signal.SIGSTOP)
    with lock(tmp_path / "lock", wait=True):
        os.kill(other.pid, signal.SIGCONT)
        assert ask(other).startswith(f"another process has taken over {tmp_path}")
        other.communicate("\n")
        fence()
        assert list_leases(tmp_path) == ["lock.2.lease"]


def test_a_holder_that_was_stopped_and_not_followed_goes_on(tmp_path: Path) -> None:
    other = hold(tmp_path / "lock")
    os.kill(other.pid, signal.SIGSTOP)
    time.sleep(1.2 * LASTS)
    os.kill(other.pid, signal.SIGCONT)
    assert ask(other) == "holds"
    assert list_leases(tmp_path) == ["lock.2.lease"]  # it has followed itself, which nobody else can do any more
    with pytest.raises(BusyError), lock(tmp_path / "lock"):
        pytest.fail("two hold it")
    other.communicate("\n")


def test_what_is_removed_under_a_holder_is_lost(tmp_path: Path) -> None:
    with lock(tmp_path / "lock"):
        (tmp_path / "lock.1.lease").unlink()
        time.sleep(LASTS)
        with pytest.raises(BusyError, match="has taken over"):
            fence()
    fence()


def test_many_processes_get_it_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    command = [sys.executable, "-c", COUNTER, str(tmp_path)]
    environment = {**os.environ, "CDNER_LEASE": "30"}
    counting = [subprocess.Popen(command, env=environment) for _ in range(4)]
    assert [process.wait() for process in counting] == [0] * 4
    assert (tmp_path / "count").read_text() == "100"


@pytest.mark.parametrize("named", ["no", "0", "-1", "nan", "inf"])
def test_what_is_no_time_is_named(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDNER_LEASE", named)
    with pytest.raises(CdnerError, match=f"CDNER_LEASE is {named}, which is no number of seconds"):
        lock(tmp_path / "lock").__enter__()


def test_a_file_system_without_links_has_leases_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with lock(tmp_path / "lock"), pytest.raises(BusyError), lock(tmp_path / "lock"):
        pytest.fail("two hold it")
