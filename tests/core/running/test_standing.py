"""How runs stand, read by whoever sees the folder: little is read, and what is broken harms nothing."""

from __future__ import annotations

import json
import os
import shlex
import time
from pathlib import Path

import pytest

from cdner_bench.io import lock
from cdner_bench.running import standing
from cdner_bench.running.standing import Standing, look, telling, write_plan
from support import Nobody, Run

RUN = "0123456789abcdef"
COMMAND = ["cdner-bench", "run", "--method", "a b"]


def make(out: Path, *files: str, run: str = RUN) -> Path:
    folder = out / "runs" / run
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((), None),
        (("lock",), None),
        (("log.txt", "lock", "begun.json"), Standing.INTERRUPTED),
        (("log.txt", "lock", "begun.json", "now.json"), Standing.INTERRUPTED),  # who makes it is dead
        (("log.txt",), Standing.INTERRUPTED),
        (("log.txt", "error.txt", "begun.json"), Standing.FAILED),
        (("log.txt", "run.json"), Standing.FINISHED),
        (("log.txt", "run.json", "now.json", "error.txt"), Standing.FINISHED),
    ],
)
def test_what_lies_in_a_folder_says_how_its_run_stands(
    files: tuple[str, ...], expected: Standing | None, tmp_path: Path
) -> None:
    make(tmp_path, *files)
    (tmp_path / "runs" / "shared").mkdir()
    (tmp_path / "runs" / "no run").touch()
    assert look(tmp_path).runs == ({RUN: expected} if expected else {})


def test_a_run_that_lacks_what_only_the_user_has_is_not_run(tmp_path: Path) -> None:
    (make(tmp_path, "log.txt") / "begun.json").write_text('{\n "schema": 6,\n "status": "not-run",\n "run": "x"')
    assert look(tmp_path).runs == {RUN: Standing.NOT_RUN}


def test_a_run_that_is_being_made_says_where_and_since_when(tmp_path: Path) -> None:
    folder = make(tmp_path, "log.txt", "begun.json")
    with lock(folder / "lock"), telling(Nobody(), folder, "multi/ai m seed 0") as observer:
        observer.phase("fit \ud800")
        time.sleep(0.3)
        (made,) = look(tmp_path).making
        assert (made.id, made.name, made.process, made.phase) == (RUN, "multi/ai m seed 0", os.getpid(), "fit \ud800")
        assert made.seconds >= made.phase_seconds >= 0.2
        assert look(tmp_path).runs == {RUN: Standing.RUNNING}
    assert look(tmp_path).runs == {RUN: Standing.INTERRUPTED}
    assert not (folder / "now.json").exists()


@pytest.mark.parametrize("said", ["", "{", "[]", '{"run": "x"}', '{"began": "then", "since": 1}', "\x00"])
def test_what_is_just_being_written_is_running_all_the_same(said: str, tmp_path: Path) -> None:
    folder = make(tmp_path, "log.txt")
    (folder / "now.json").write_text(said)
    with lock(folder / "lock"):
        overview = look(tmp_path)
    assert (overview.runs, overview.making) == ({RUN: Standing.RUNNING}, [])


def test_a_plan_says_what_waits_and_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ids = [f"{n:016x}" for n in range(4)]
    write_plan(tmp_path, COMMAND, [(run, f"name {run}", f"mini/{run}.json") for run in ids])
    make(tmp_path, "run.json", run=ids[0])
    make(tmp_path, "log.txt", run=ids[1])
    board = tmp_path / "leaderboards" / "results" / "mini"
    board.mkdir(parents=True)
    for run, status in ((ids[2], "finished"), (ids[3], "incomplete")):
        (board / f"{run}.json").write_text(f'{{\n "schema": 6,\n "status": "{status}",\n "run": "{run}",')
    overview = look(tmp_path)
    assert list(overview.runs.values()).count(Standing.FINISHED) == 2  # one was made elsewhere
    assert (overview.runs[ids[1]], overview.runs[ids[3]]) == (Standing.INTERRUPTED, Standing.WAITING)
    assert overview.commands == ["cdner-bench run --method 'a b'"]
    monkeypatch.chdir("/")
    assert look(tmp_path).commands == [f"cd {shlex.quote(str(tmp_path))} && cdner-bench run --method 'a b'"]


def test_every_command_that_has_left_something_of_its_own_is_named_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ids = [f"{n:016x}" for n in range(4)]
    for command, runs in (("part", ids[:1]), ("older", ids[:2]), ("done", ids[3:]), ("newest", ids[2:3])):
        write_plan(tmp_path, ["cdner-bench", command], [(run, run, f"mini/{run}.json") for run in runs])
    make(tmp_path, "run.json", run=ids[3])
    assert look(tmp_path).commands == ["cdner-bench newest", "cdner-bench older"]  # older makes what part has left


@pytest.mark.parametrize("words", [(), ("cdner-bench", "leaderboard", "--benchmark", "a b.toml")])
def test_the_board_is_that_of_the_newest_plan(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_plan(tmp_path, COMMAND, [(RUN, "multi/ai m seed 0", "x.json")], words)
    assert look(tmp_path).board == shlex.join(words)
    monkeypatch.chdir("/")
    assert look(tmp_path).board == (f"cd {shlex.quote(str(tmp_path))} && {shlex.join(words)}" if words else "")


BROKEN = ["", "[]", "{}", '{"jobs": [1]}', '{"command": 1, "folder": "", "jobs": [], "began": 0}']


@pytest.mark.parametrize("said", BROKEN)
def test_a_plan_that_cannot_be_read_is_none(said: str, tmp_path: Path) -> None:
    make(tmp_path, "run.json")
    (tmp_path / "runs" / standing.PLANS).mkdir()
    (tmp_path / "runs" / standing.PLANS / "x.json").write_text(said)
    assert look(tmp_path).runs == {RUN: Standing.FINISHED}


def test_five_thousand_runs_take_less_than_a_second(tmp_path: Path) -> None:
    ids = [f"{n:016x}" for n in range(5000)]
    for n, run in enumerate(ids[:4800]):
        make(tmp_path, "log.txt", "run.json" if n < 4500 else "error.txt", run=run)
    write_plan(tmp_path, COMMAND, [(run, f"name {run}", f"mini/{run}.json") for run in ids])
    start = time.thread_time()  # not what threads of other tests of this process take
    counts = list(look(tmp_path).runs.values())
    assert time.thread_time() - start < 1
    assert [counts.count(each) for each in (Standing.FINISHED, Standing.FAILED, Standing.WAITING)] == [4500, 300, 200]


def test_the_command_says_it(tmp_path: Path, typed: Run) -> None:
    done = typed("status", "--out", tmp_path / "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there are no runs below" in done.stderr
    (make(tmp_path, "log.txt") / "error.txt").write_text("Traceback\nValueError: no \x1b[31m\n")
    write_plan(tmp_path, COMMAND, [(RUN, "multi/ai m seed 0", "x.json"), ("f" * 16, "multi/ai m seed 1", "y.json")])
    done = typed("status", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "2 runs: 1 failed, 1 waiting",
        "failed: multi/ai m seed 0: ValueError: no \ufffd[31m",
        "nothing is running; to go on:",
        f"  → cd {shlex.quote(str(Path.cwd()))} && cdner-bench run --method 'a b'",
    ]
    (tmp_path / "runs" / RUN / "error.txt").write_text("Traceback\ncdner_bench.errors.DataError: ai has no tokens\n")
    assert "failed: multi/ai m seed 0: ai has no tokens\n" in typed("status", "--out", tmp_path).stdout
    write_plan(tmp_path, ["cdner-bench", "run"], [("e" * 16, "multi/ai n seed 0", "z.json")])
    arrows = [line for line in typed("status", "--out", tmp_path).stdout.splitlines() if "→" in line]
    assert [line.endswith("cdner-bench run") for line in arrows] == [True, False]  # the newest first, but both
    for run in (RUN, "e" * 16, "f" * 16):
        make(tmp_path, "run.json", run=run)
    done = typed("status", "--watch", "--out", tmp_path)  # nothing is left, so it ends
    assert done.stdout.splitlines() == ["3 runs: 3 finished", "  → cdner-bench leaderboard"]


def test_what_a_run_was_to_make_is_kept(tmp_path: Path, cli: Run) -> None:
    words = ["run", "--benchmark", "mini", "--method", "gazetteer", "--setting", "single", "--target", "ai,music"]
    assert cli(*words, "--seeds", "1").returncode == 0
    (place,) = (tmp_path / "runs" / standing.PLANS).glob("*.json")
    plan = json.loads(place.read_text())
    assert plan["command"] == ["cdner-bench", *words, "--seeds", "1"]
    assert [name for _, name, _ in plan["jobs"]] == ["single/ai gazetteer seed 0", "single/music gazetteer seed 0"]
    assert all((tmp_path / "leaderboards" / "results" / result).is_file() for _, _, result in plan["jobs"])


def test_no_key_is_kept_with_what_was_typed(tmp_path: Path) -> None:
    key = "sk-0123456789abcdefghijklmnop"
    write_plan(tmp_path, [*COMMAND, "-x", f"setup=export OPENAI_API_KEY={key}"], [])
    (place,) = (tmp_path / "runs" / standing.PLANS).glob("*.json")
    assert json.loads(place.read_text())["command"] == [*COMMAND, "-x", "setup=export OPENAI_API_KEY=[key]"]


GAZETTEER = ["run", "--method", "gazetteer", "--setting", "single"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([*GAZETTEER, "--benchmark", "mini"], "cdner-bench leaderboard"),
        ([*GAZETTEER, "--benchmark=mini", "--limit=5"], "cdner-bench leaderboard --benchmark mini-limit5"),
        ([*GAZETTEER, "--benchmark", "mini-limit5"], "cdner-bench leaderboard --benchmark mini-limit5"),
        (["run", "--campaign", "study.toml"], "cdner-bench leaderboard --benchmark mine.toml"),
        (["run", "--campaign", "study.toml", "--limit", "5"], "cdner-bench leaderboard --benchmark mine.toml-limit5"),
    ],
)
def test_when_all_is_finished_the_board_of_its_benchmark_is_named(
    words: list[str], shown: str, tmp_path: Path, cli: Run
) -> None:
    (tmp_path / "mine.toml").write_text('extends = "mini"\nname = "mine"\n')
    row = '[[rows]]\nmethod = "gazetteer"\nsettings = ["single"]\n'
    (tmp_path / "study.toml").write_text(f'benchmark = "mine.toml"\npreset = "quick"\n{row}')
    assert cli(*words).returncode == 0
    said = cli("status").stdout
    assert said.endswith(f"  → {shown}\n")
    assert cli(*shlex.split(shown)[1:]).stdout.startswith("wrote leaderboards/mi"), shown
