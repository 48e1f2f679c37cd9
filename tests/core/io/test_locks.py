"""Locks: one holder at a time, named when it is busy, gone with its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cdner_bench.errors import BusyError
from cdner_bench.io import lock, lock_stream

HOLDER = """
import sys
from pathlib import Path
from cdner_bench.io import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """Another process that holds a lock until its standard input ends."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_that_is_held_names_the_folder_and_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    other = hold(path)
    with pytest.raises(BusyError, match=f"another process is working on {path.parent}") as caught, lock(path):
        pytest.fail("two hold it")
    assert caught.value.hint == "wait for it, or stop it"
    other.kill()  # no chance to give it back
    other.communicate()
    with lock(path):
        pass


def test_who_waits_gets_it_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other, order = hold(path), list[str]()

    def wait() -> None:
        with lock(path, wait=True):
            order.append("held")

    waiting = threading.Thread(target=wait)
    waiting.start()
    waiting.join(0.2)
    order.append("ended")
    other.communicate("")
    waiting.join()
    assert order == ["ended", "held"]


def test_a_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path / "lock"):
        raise ZeroDivisionError
    with lock(tmp_path / "lock"):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_copy_of_the_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    forking = HOLDER.replace("    sys.stdin.read()", "    os.fork() or time.sleep(60)\n    os._exit(3)")
    command = [sys.executable, "-c", f"import os, time\n{forking}", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.wait() == 3
        start = time.monotonic()
        with lock(path, wait=True):  # though the copy goes on
            assert time.monotonic() - start < 30
            os.killpg(process.pid, signal.SIGKILL)


def test_an_open_file_is_locked_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("kept")
    with path.open("ab") as stream, lock_stream(stream):
        with pytest.raises(BusyError), lock(path):
            pytest.fail("two hold it")
        stream.write(b" and added")
    assert path.read_text() == "kept and added"
