"""Machines as they are: users without a home, folders that refuse, file systems that lack things, output of any kind.

Each is answered with one message that says where, why and what to type, or is done without, and said.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import shlex
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer.main

from cdner_bench.cli.app import app, main
from cdner_bench.cli.common import make_table, show
from cdner_bench.errors import BusyError, CdnerWarning, PlaceError
from cdner_bench.io import (
    find_cache_dir,
    find_data_dir,
    lock,
    lock_stream,
    models,
    settle_home,
    sweep,
    write_atomic,
    writing,
)
from cdner_bench.reporting import Cell, Column, Estimate, Hole, Table, draw_table
from support import ROOT

METHODS = str(ROOT / "tests" / "methods.py")
RUN = ["run", "--method", "oracle-of-case", "--setting", "single", "--target", "ai", "--benchmark", "mini"]
RUN += ["--plugin", METHODS]
FULL = Path("/dev/full")


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to type in, whose user the system knows by nothing but $HOME: what is real is out of reach."""

    def forget(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", forget)
    for name in ("CDNER_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def type_(*arguments: object, encoding: str = "utf-8") -> Said:
    """What a command prints, and its exit status, where standard output and error have an encoding."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
    out, err = (stream.buffer.getvalue().decode(encoding) for stream in streams)
    return Said(int(ended.value.code or 0), out, err)


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path, code: int, only: str = "") -> None:
    """Have the system refuse whatever is written below a folder, or there in files of a name."""

    def is_meant(path: Any) -> bool:
        place = Path(os.path.abspath(path)) if isinstance(path, str | os.PathLike) else Path()
        return place.is_relative_to(folder) and only in place.name

    def guarded(function: Callable[..., Any], writes: Callable[..., bool]) -> Callable[..., Any]:
        def call(path: Any, *arguments: Any, **named: Any) -> Any:
            if is_meant(path) and writes(*arguments, **named):
                raise OSError(code, os.strerror(code), str(path))
            return function(path, *arguments, **named)

        return call

    opened = guarded(builtins.open, lambda mode="r", *_, **__: mode.strip("bt") != "r")
    monkeypatch.setattr(builtins, "open", opened)
    monkeypatch.setattr(io, "open", opened)
    if not only:
        monkeypatch.setattr(os, "mkdir", guarded(os.mkdir, lambda *_, **__: True))


# --- places ----------------------------------------------------------------------------------------------------------

NO_HOME = {
    "a home that is the root": "/",
    "a home that is empty": "",
    "a home that is relative": "here",
    "a home that is a file": "file/home",
    "a home whose name is too long": f"/{'x' * 300}",
}


@pytest.mark.parametrize("home", NO_HOME.values(), ids=NO_HOME)
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["list"], "cdner-bench data fetch"),
        (["data", "verify"], "the CrossNER data is not here"),
        (["models", "list"], "minit5"),
        (["models", "fetch", "minit5"], "minit5: "),
    ],
    ids=str,
)
def test_what_needs_no_cache_touches_none(
    here: Path, monkeypatch: pytest.MonkeyPatch, home: str, command: list[str], shown: str
) -> None:
    (here / "file").touch()
    if home == "file/home":
        home = str(here / home)
    monkeypatch.setenv("HOME", home)
    said = type_(*command)
    assert (said.status, said.err) == (0, "")
    assert shown in said.out
    assert sorted(path.name for path in here.iterdir()) == ["file"]


@pytest.mark.parametrize("home", [None, "", "here"])
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
def test_a_user_whom_the_system_does_not_know_has_the_root_for_a_home(
    here: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
    assert find_cache_dir() == Path("/.cache/cdner-bench")
    assert os.environ["HOME"] == "/"


def test_a_home_that_is_relative_is_none_but_the_system_s_is(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pwd.getpwuid", lambda uid: SimpleNamespace(pw_dir=str(here / "known")))
    monkeypatch.setenv("HOME", "here")
    assert find_cache_dir().is_relative_to(here / "known")


def test_a_home_that_is_there_stays(here: Path) -> None:
    settle_home()
    assert os.environ["HOME"] == str(here / "home")
    assert find_cache_dir().is_relative_to(here / "home")


def test_a_place_of_nobody_s_home_is_refused_by_name(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDNER_DATA", "~nobody-of-that-name/data")
    said = type_("list")
    assert said.status == 1
    assert "CDNER_DATA is ~nobody-of-that-name/data, but there is no such home" in said.err
    monkeypatch.setenv("CDNER_DATA", "~/data")
    assert find_data_dir() == here / "home" / "data"


REFUSED = [errno.EACCES, errno.EROFS, errno.ENOSPC]
NEEDS_A_PLACE = [
    (["data", "fetch"], "home/.cache/cdner-bench/data/crossner/conll2003", "set CDNER_DATA to"),
    (["models", "fetch", "minilm"], "home/.cache/cdner-bench/models", "set XDG_CACHE_HOME to"),
    (RUN, "runs", "name another folder: --out FOLDER"),
]


@pytest.mark.parametrize("code", REFUSED, ids=os.strerror)
@pytest.mark.parametrize(("command", "place", "remedy"), NEEDS_A_PLACE, ids=["data", "models", "run"])
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
def test_a_place_that_cannot_be_had_is_named_with_why_and_what_to_set(
    here: Path, monkeypatch: pytest.MonkeyPatch, code: int, command: list[str], place: str, remedy: str
) -> None:
    refuse(monkeypatch, here, code)
    said = type_(*command)
    assert said.status == 1
    first, second = said.err.splitlines()
    assert first.startswith("cdner-bench: cannot write in ")
    assert place in first
    assert os.strerror(code) in first
    assert remedy in second
    assert "runs failed" not in said.out


def test_a_cache_that_others_filled_is_read_and_not_written(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.read_catalogue()["minilm"]
    place = find_cache_dir() / "models" / f"{model.name}-{model.version}"
    place.mkdir(parents=True)
    (place / model.weights).parent.mkdir(parents=True, exist_ok=True)
    (place / model.weights).write_bytes(b"weights")
    monkeypatch.setattr("cdner_bench.io.models.sha256", lambda path: model.weights_sha256)
    refuse(monkeypatch, here, errno.EROFS)
    assert models.fetch("minilm") == place


def make_file(place: Path) -> Path:
    place.write_text("mine")
    return place


OUTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a file": (lambda here: make_file(here / "out"), "out is a file"),
    "below a file": (lambda here: make_file(here / "out") / "inner", "out is a file"),
    "a name that is too long": (lambda here: here / ("x" * 300), "File name too long"),
}


@pytest.mark.parametrize(("make", "why"), OUTS.values(), ids=OUTS)
def test_an_out_that_cannot_be_written_ends_the_series_once(here: Path, make: Callable[[Path], Path], why: str) -> None:
    out = make(here)
    said = type_(*RUN, "--seeds", "3", "--out", out)
    assert said.status == 1
    assert said.err.count("cannot write in") == 1
    assert why in said.err
    assert said.err.endswith("name another folder: --out FOLDER\n")
    assert "error.txt" not in said.out + said.err


def test_what_is_on_a_board_that_cannot_be_written_is_skipped(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert type_(*RUN).status == 0
    (here / "runs").rename(here / "elsewhere")
    refuse(monkeypatch, here, errno.EROFS)
    said = type_(*RUN)
    assert (said.status, said.err) == (0, "")
    assert "skipped" in said.out


@pytest.mark.parametrize("kept", [True, False])
def test_a_traceback_is_pointed_to_only_where_it_is(here: Path, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    refuse(monkeypatch, here, errno.ENOSPC, "predictions.jsonl")
    if not kept:
        refuse(monkeypatch, here, errno.ENOSPC, "error.txt")
    said = type_(*RUN)
    assert said.status == 1
    assert f"failed: cannot write in {here / 'runs'}/" in said.out
    assert "No space left on device" in said.out
    assert "make room there, or name another folder: --out FOLDER" in said.out
    assert bool(list(here.glob("runs/*/error.txt"))) == kept


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_log_on_a_full_disk_is_a_failure_like_any_other(here: Path) -> None:
    assert type_(*RUN).status == 0
    (run,) = (place.parent for place in here.glob("runs/*/run.json"))
    (run / "run.json").unlink()
    (run / "log.txt").unlink()
    (run / "log.txt").symlink_to(FULL)
    said = type_(*RUN, "--out", here)  # its result is still on the board
    assert "skipped" in said.out
    for result in here.glob("leaderboards/**/*.json"):
        result.unlink()
    said = type_(*RUN)
    assert said.status == 1
    assert f"failed: cannot write in {here / 'runs'}/" in said.out
    assert "Traceback" not in said.out + said.err
    assert "Logging error" not in said.err


# --- file systems ----------------------------------------------------------------------------------------------------

LACKS = [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS]


def failing(code: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("code", LACKS, ids=os.strerror)
def test_a_file_system_without_locks_has_leases(here: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr("fcntl.flock", failing(code))
    with lock(here / "lock"), pytest.raises(BusyError), lock(here / "lock"):
        pytest.fail("two hold it")
    with (here / "file").open("ab") as stream, lock_stream(stream), pytest.raises(BusyError), lock(here / "file"):
        pytest.fail("two hold it")


def test_any_other_fault_of_a_lock_is_an_error(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"), lock(here / "lock"):
        pytest.fail("it is held")


def test_a_command_does_all_it_does_without_locks(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", failing(errno.ENOLCK))
    said = type_(*RUN, "--seeds", "2")
    assert (said.status, said.err) == (0, "")
    assert said.out.count("finished") == 2
    assert len(list(here.glob("runs/*/lock.1.lease"))) == 2


def test_a_locked_file_is_read_where_locks_are_mandatory(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdner_bench.io.locks.MANDATORY", True)
    with (here / "file").open("ab") as stream, lock_stream(stream), lock(here / "file"):
        assert (here / ".file.lock").exists()


@pytest.mark.parametrize("code", LACKS, ids=os.strerror)
def test_a_file_system_that_cannot_flush_is_named_and_done_without(
    here: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "fsync", failing(code))
    with pytest.warns(CdnerWarning, match=r"the file system at /\S* cannot be told to flush \(fsync\)"):
        write_atomic(here / "file", "whole")
    assert (here / "file").read_text() == "whole"


@pytest.mark.parametrize(("step", "code"), [("fsync", errno.EIO), ("fsync", errno.ENOSPC), ("replace", errno.EXDEV)])
def test_a_write_that_fails_names_the_file_and_leaves_the_old_one(
    here: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    write_atomic(here / "file", "old")
    monkeypatch.setattr(os, step, failing(code))
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        write_atomic(here / "file", "new")
    assert caught.value.filename == str(here / "file")
    assert {path.name: path.read_text() for path in here.iterdir()} == {"file": "old"}


@pytest.mark.parametrize(("others", "written"), [(2, True), (10_000, False)])
def test_a_rename_over_a_file_that_another_program_has_open_is_tried_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, others: int, written: bool
) -> None:
    tries, replace = iter(range(others)), os.replace

    def busy(*places: Any) -> None:
        if next(tries, None) is None:
            replace(*places)
            return
        error = PermissionError(errno.EACCES, "Access is denied")
        error.winerror = 5  # type: ignore[attr-defined]
        raise error

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr("cdner_bench.io.files.PATIENCE", 0.2)
    with suppress(PermissionError):
        write_atomic(here / "file", "new")
    assert (here / "file").exists() == written
    assert len(list(here.iterdir())) == written


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664), (0o077, 0o600)])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such masks")
def test_a_file_has_the_permissions_that_the_user_s_mask_leaves(here: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_atomic(here / "file", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((here / "file").stat().st_mode) == mode


def test_a_link_stays_a_link_and_a_pipe_a_pipe(here: Path) -> None:
    (here / "file").write_text("old")
    (here / "link").symlink_to(here / "file")
    write_atomic(here / "link", "new")
    assert (here / "link").is_symlink()
    assert (here / "file").read_text() == "new"
    os.mkfifo(here / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((here / "pipe").read_bytes()))
    reader.start()
    write_atomic(here / "pipe", "through")
    reader.join()
    assert got == [b"through"]
    assert stat.S_ISFIFO((here / "pipe").stat().st_mode)


@pytest.mark.parametrize("name", [".", "folder"])
def test_a_folder_where_a_file_is_meant_is_named(here: Path, name: str) -> None:
    (here / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_atomic(Path(name), "x")
    assert caught.value.filename == name


def test_what_cannot_be_written_as_utf_8_is_escaped_and_reads_the_same_as_json(here: Path) -> None:
    told = {"path": "caf\udcc3\udca9"}
    write_atomic(here / "file", json.dumps(told, ensure_ascii=False))
    assert json.loads((here / "file").read_text(encoding="utf-8")) == told


def test_a_name_as_long_as_the_system_allows_is_written(here: Path) -> None:
    write_atomic(here / ("x" * 255), "x")
    assert len(list(here.iterdir())) == 1


WRITER = """
import os, sys
from pathlib import Path
from cdner_bench.io import write_atomic
os.replace = lambda *places: print(os.getpid(), flush=True) or sys.stdin.read()
write_atomic(Path(sys.argv[1]) / "deep" / "file.json", "half")
"""


def test_what_killed_processes_were_writing_is_swept(here: Path) -> None:
    """Not what one that lives is writing, what one of another machine has left, or what is somebody else's."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(here)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    ids = [int(writer.stdout.readline()) for writer in writers if writer.stdout]
    drafts = {path: next(n for n in ids if f"-{n}-" in path.name) for path in (here / "deep").iterdir()}
    others = [here / "deep" / name for name in (".file.json.00000000-1-00000000.draft", ".mine.draft", "x.draft")]
    for path in others:
        path.touch()
    writers[0].kill()
    writers[0].communicate()
    sweep(here)
    assert set((here / "deep").iterdir()) == {*others, *(path for path, owner in drafts.items() if owner == ids[1])}
    writers[1].kill()
    writers[1].communicate()
    sweep(here)
    assert set((here / "deep").iterdir()) == set(others)
    sweep(here / "nowhere")


def test_errors_of_a_network_are_none_of_a_place(here: Path) -> None:
    with pytest.raises(ConnectionResetError), writing(here, "none"):
        raise ConnectionResetError(errno.ECONNRESET, "reset")
    with pytest.raises(PlaceError, match="No space left"), writing(here, "none"):
        raise OSError(errno.ENOSPC, "No space left on device")


# --- output ----------------------------------------------------------------------------------------------------------

ENCODINGS = ["ascii", "latin-1", "cp1252", "cp437", "utf-8"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("command", "status", "shown"),
    [
        (["--help"], 0, "leaderboard"),
        (["run", "--help"], 0, "--seeds"),
        (["list"], 0, "bert-tagger"),
        (["data", "stats", "--benchmark", "mini"], 0, "words/entity"),
        (["rún"], 2, "No such command"),
        (["run", "--é"], 2, "No such option"),
        (["score", "gone-é-机.jsonl"], 1, "cannot read gone-"),
        (["list", "--no-plugin", "→…"], 1, "there is no such plugin"),
    ],
    ids=str,
)
def test_no_text_is_too_much_for_a_stream(
    here: Path, command: list[str], status: int, shown: str, encoding: str
) -> None:
    said = type_(*command, encoding=encoding)
    assert said.status == status
    assert shown in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_board_has_straight_columns_in_any_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    columns = [Column[Cell]("F1 → €", "right", lambda cell: cell), Column[Cell]("–", "left", lambda cell: cell)]
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    board = make_table("name", "±", title="Both…", right=1)
    board.add_row("méthode", "± 1")
    show(draw_table(Table("Both…", columns, [Estimate(50, 1.005, 2), Hole()])), board)
    stream.flush()
    shown = stream.buffer.getvalue().decode(encoding)
    for block in shown.split("Both")[1:]:
        assert len({len(line) for line in block.splitlines()[1:] if line.strip()}) == 1
    assert ("±" in shown) == (encoding != "ascii")
    assert ("→" in shown) == (encoding == "utf-8")
    assert ("Both…" in shown) == (encoding in ("cp1252", "utf-8"))
    assert ("m\\xe9thode" in shown) == (encoding == "ascii")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_run_and_its_page_do_not_hang_on_the_encoding(here: Path, encoding: str) -> None:
    said = type_(*RUN, encoding=encoding)
    assert said.status == 0
    assert f"(news {'→' if encoding == 'utf-8' else '->'} target)" in said.out
    assert type_("leaderboard", encoding=encoding).status == 0
    assert "(news → target)" in (here / "leaderboards" / "mini" / "single.md").read_text(encoding="utf-8")


def test_a_hint_is_ascii_where_nothing_else_is_shown(here: Path) -> None:
    assert type_("models", "fetch", "minlm", encoding="ascii").err.splitlines()[1] == "  -> did you mean 'minilm'?"
    assert type_("models", "fetch", "minlm").err.splitlines()[1] == "  → did you mean 'minilm'?"


def list_commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield words, command
    for name, sub in getattr(command, "commands", {}).items():
        yield from list_commands(sub, *words, name)


COMMANDS = dict(list_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_is_ascii(words: tuple[str, ...]) -> None:
    """The parser writes UTF-8 whatever the stream is."""
    assert type_(*words, "--help").out.isascii()


@pytest.mark.parametrize(
    "command", [["list"], ["--help"], ["data", "stats", "--benchmark", "mini"], ["models", "list"]]
)
def test_a_reader_that_goes_away_is_no_fault(here: Path, command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as pipe:
        words = [sys.executable, "-m", "cdner_bench", *command]
        done = subprocess.run(words, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


@dataclass(frozen=True)
class Unread:
    """Where the output of a run goes, in the words of a shell, and what is said of it on standard error."""

    where: str
    said: str


UNREAD = {
    "a reader that goes away": Unread("| true", "standard output takes no more (Broken pipe); the work goes on"),
    "a reader of one line": Unread("| head -1", "standard output takes no more (Broken pipe); the work goes on"),
    "no standard output": Unread(">&-", ""),
    "no standard error": Unread("2>&-", ""),
    "no stream at all": Unread("<&- >&- 2>&-", ""),
    "a full disk": Unread(">/dev/full", "standard output takes no more (No space left on device); the work goes on"),
    "a full disk for both": Unread(">/dev/full 2>&1", ""),
}


@pytest.mark.parametrize("isolate", ["--isolate", "--no-isolate"])
@pytest.mark.parametrize("unread", UNREAD.values(), ids=UNREAD)
@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_output_that_nobody_reads_does_not_stop_the_work(here: Path, unread: Unread, isolate: str) -> None:
    words = shlex.join(
        [sys.executable, "-m", "cdner_bench", *RUN[:5], "--target", "ai,music", *RUN[7:], "-o", "misdeed=too few"]
    )
    line = f"{words} -o only=music {isolate} {unread.where}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=False
    )
    assert done.returncode == 1  # of two runs, one fails
    assert [path.parent.name for path in here.rglob("results/**/oracle*.json")] == ["ai"]
    assert len(list(here.glob("runs/*/predictions.jsonl"))) == 2
    assert done.stderr == (unread.said and f"cdner-bench: {unread.said}\n")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_output_to_a_full_disk_is_one_message(here: Path) -> None:
    with FULL.open("w") as full:
        command = [sys.executable, "-m", "cdner_bench", "list"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "cdner-bench: No space left on device\n")


def test_closed_streams_are_no_fault(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit) as ended:
        main(RUN)
    assert ended.value.code == 0
    sys.stdout.close()
    sys.stderr.close()


@pytest.mark.parametrize("command", [["score", "gone-é.jsonl"], ["models", "fetch", "minlm"]], ids=str)
def test_a_real_terminal_without_a_locale(here: Path, command: list[str]) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "cdner_bench", *command], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.isascii()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("module", ["pluggy", "typer"])
def test_an_interrupt_while_modules_are_imported_is_one_line(module: str, tmp_path: Path) -> None:
    code = f"""
import sys
class Interrupted:
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted)
from cdner_bench.cli import main
main(["list"])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "cdner-bench: interrupted\n")
