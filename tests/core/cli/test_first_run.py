"""What `run` says before, while and after runs are made, and what a first trial is."""

from __future__ import annotations

import io
import re
import shlex
import threading
import time
from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.cli import display
from cdner_bench.data import SPLITS, Benchmark, benchmark
from cdner_bench.errors import OptionError
from cdner_bench.records import results
from cdner_bench.reporting import make_boards
from cdner_bench.running import runner
from support import ROOT, Run

METHODS = ROOT / "tests" / "methods.py"
RUN = ["run", "--method", "oracle-of-case", "--setting", "single", "--benchmark", "mini", "--plugin", METHODS]
UNKNOWN = "no run like these was made yet: how long is not known"


def test_quiet_is_one_line_a_run(typed: Run) -> None:
    chosen = [*RUN, "--quiet", "-o", "only=music", "-o", "misdeed=too few", "--target"]
    done = typed(*chosen, "ai,music")
    ai, music = (line.split() for line in done.stdout.splitlines())
    assert ai[:4] == ["single/ai", "oracle-of-case", "0", "finished"]
    assert 0 < float(ai[4]) < 100
    assert music == ["single/music", "oracle-of-case", "0", "failed", "-"]
    assert "single/music oracle-of-case seed 0: failed: " in done.stderr
    again = typed(*chosen, "ai", "--limit", "5")
    assert [line.split()[3] for line in again.stdout.splitlines()] == ["finished"]


def test_a_run_says_how_long_it_may_take(typed: Run) -> None:
    ai = [*RUN, "--target", "ai"]
    assert UNKNOWN in typed(*ai).stdout
    skipped = typed(*ai).stdout
    assert UNKNOWN not in skipped
    assert "as earlier runs" not in skipped
    expected = r"about \d+ seconds?, as earlier runs like these took\n"  # as many as this machine needs
    assert re.search(expected, typed(*ai, "--seeds", "2").stdout)
    both = typed(*RUN[:-4], "--plugin", METHODS, "--benchmark", "mini", "--target", "ai,music", "--seeds", "3").stdout
    assert re.search(expected, both)  # of another target


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_without_a_terminal(
    mini: Benchmark, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    entry = plugins.discover([METHODS]).get("oracle-of-case")
    (job,) = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], "quick", {}, [0])
    with display.open_displays(quiet, 1) as (observer,):
        observer.begin(job, 1, 1)
        observer.phase("fit")
        for step in range(1, 101):
            now += 1
            observer.progress(step, 100, {"loss": 0.5})
        observer.phase("predict")
        now += 29
        observer.progress(5, None, {})
        now += 1
        observer.progress(1234, None, {})
        observer.note("a note")
    who = "[1/1] single/ai oracle-of-case seed 0:"
    fit = [
        f"{who} fit {done}/100, {took} loss 0.5" for done, took in ((30, "0:00:30"), (60, "0:01:00"), (90, "0:01:30"))
    ]
    lines = [f"{who} fit", *fit, f"{who} predict", f"{who} predict 1,234, 0:00:30", f"{who} a note"]
    assert capsys.readouterr().out.splitlines() == ([] if quiet else lines)


class Slow(io.StringIO):
    """A stream that lets another thread write after each piece."""

    def write(self, text: str) -> int:
        """Write a piece."""
        super().write(text)
        time.sleep(0.0005)
        return len(text)


@pytest.mark.parametrize("quiet", [False, True])
def test_workers_beside_one_another_break_no_line(
    mini: Benchmark, monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    entry = plugins.discover([METHODS]).get("oracle-of-case")
    (job,) = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], "quick", {}, [0])
    outcome = runner.Outcome(job, runner.Ending.SKIPPED, message="made before")
    said, complained = Slow(), Slow()
    monkeypatch.setattr("sys.stdout", said)
    monkeypatch.setattr("sys.stderr", complained)

    def work(observer: runner.JobObserver) -> None:
        for _ in range(10):
            observer.begin(job, 1, 1)
            observer.phase("fit")
            observer.end(outcome)

    with display.open_displays(quiet, 4) as observers:
        workers = [threading.Thread(target=work, args=(observer,)) for observer in observers]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    long = "single/ai oracle-of-case seed 0"
    whole = (
        {"single/ai oracle-of-case 0 skipped -"}
        if quiet
        else {f"[1/1] {long}: fit", f"[1/1] {long}: skipped: made before"}
    )
    assert set(said.getvalue().splitlines()) == whole
    assert len(said.getvalue().splitlines()) == 40 * len(whole)
    assert complained.getvalue() == (f"{long}: skipped: made before\n" * 40 if quiet else "")


@pytest.mark.parametrize("targets", ["ai", "ai,music"])
def test_a_run_ends_with_where_everything_lies_and_commands_that_work(typed: Run, tmp_path: Path, targets: str) -> None:
    done = typed(*RUN, "--target", targets, "--limit", "20", "--out", "my out")
    place, *commands = done.stdout.splitlines()[-3:]
    results_in, predictions_in = (Path(part.partition(" in ")[2]) for part in place.split(", "))
    assert (tmp_path / results_in).is_file() == (tmp_path / predictions_in).is_file() == (targets == "ai")
    assert list((tmp_path / "my out").glob("leaderboards/results/**/*.json"))
    assert str(results_in).startswith("my out/leaderboards/results/mini-limit20/single")
    assert str(predictions_in).startswith("my out/leaderboards/predictions/mini-limit20/single")
    for command in commands:
        program, *words = shlex.split(command.removeprefix("  → "))
        assert program == "cdner-bench"
        done = typed(*words)
        assert done.returncode == 0, done.stderr
    assert "20 sentences" in done.stdout
    assert (tmp_path / "my out" / "leaderboards" / "mini-limit20" / "single.md").is_file()


def test_a_target_of_one_s_own_can_be_scored_by_its_file(typed: Run, tmp_path: Path, mini: Benchmark) -> None:
    from cdner_bench import conll

    (tmp_path / "own").mkdir()
    for split in SPLITS:
        conll.write(tmp_path / "own" / f"{split}.bio", getattr(mini.corpus("ai"), split))
    own = [*RUN[:3], *RUN[5:], "--target-data", "own", "--source", "news"]
    *_, command = typed(*own).stdout.splitlines()
    done = typed(*shlex.split(command.removeprefix("  → "))[1:])
    assert done.returncode == 0, done.stderr
    assert "own/test.bio" in done.stdout
    (result,) = (tmp_path / "leaderboards" / "results" / "own").rglob("*.json")
    again = typed("reproduce", str(result))
    assert "the benchmark own is not shipped" in again.stderr
    assert "made again by their own command with --out again" in again.stderr
    board = typed("leaderboard").stdout
    assert "left out: the benchmark own is not shipped; name its file: --benchmark FILE.toml; a first trial" in board
    trial = typed(*own, "--limit", "5").stdout
    assert "first trial: 5 sentences of each split" in trial
    assert "→ cdner-bench" not in trial


def test_a_trial_is_part_of_its_benchmark_drawn_alike_for_everybody(mini: Benchmark) -> None:
    small, smaller = mini.cut_to(20), benchmark.load("mini-limit5")
    assert (small.name, small.given, small.limit) == ("mini-limit20", "mini-limit20", 20)
    assert benchmark.load("mini-limit20") == small
    for domain in mini.domains:
        for split in SPLITS:
            whole, some, few = (getattr(b.corpus(domain), split) for b in (mini, small, smaller))
            assert (len(some), len(few)) == (min(20, len(whole)), 5)
            assert some[:5] == few
            assert set(some) <= set(whole)
            assert some != whole[:20]
    assert mini.cut_to(10**6).corpus("ai").types == mini.corpus("ai").types
    scenario = mini.list_scenarios("single")[0]
    assert len({b.fingerprint(scenario) for b in (mini, small, smaller)}) == 3
    assert benchmark.load("mini").fingerprint(scenario) == mini.fingerprint(scenario)
    with pytest.raises(OptionError, match="one sentence at least"):
        mini.cut_to(0)
    with pytest.raises(OptionError, match="at most 20 sentences already"):
        small.cut_to(5)


def test_a_trial_is_ranked_with_no_whole_run(cli: Run, tmp_path: Path, mini: Benchmark) -> None:
    trial = cli(*RUN, "--limit", "20").stdout
    assert trial.count("first trial: 20 sentences of each split; no result to cite") == 2  # before it, and on the board
    assert "oracle-of-case" in trial.partition("Strict span micro-F1")[2]
    whole = cli(*RUN).stdout
    assert "first trial" not in whole
    assert "left out" not in whole
    assert UNKNOWN in whole  # a trial says nothing about it
    assert cli(*RUN, "--limit", "20", "--isolate").stdout.count("skipped") == 5
    found = results.load_all(tmp_path / "leaderboards" / "results")
    assert len(found) == 10
    assert len({result.run for result in found}) == 10
    for data, number in ((mini, 132), (mini.cut_to(20), 20)):
        (board,) = make_boards(found, data)
        (row,) = board.rows
        assert not board.left_out
        assert {r.comparable.benchmark for r in row.results if r.comparable} == {data.name}
        assert [len(r.sentences) for r in row.results if r.scenario.target == "ai"] == [number]
    assert cli("plan", *RUN[1:], "--limit", "20").stdout.count("0 of 5 runs to make") == 1
    assert cli("leaderboard").returncode == 0
    assert [path.parent.name for path in tmp_path.glob("leaderboards/*/single.md")] == ["mini"]
