"""What is said before anything is started: the states of runs, and how long earlier ones like them took."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.data import benchmark
from cdner_bench.plugins import SHARED_STAGES
from cdner_bench.records import results
from cdner_bench.running import Job, Planned, State, runner, survey
from cdner_bench.storing import export, list_stored
from support import ROOT, Nobody, Run

METHODS = ROOT / "tests" / "methods.py"


def jobs(method: str = "oracle-of-case", *, setting: str = "single", seeds: int = 1, **options: object) -> list[Job]:
    mini = benchmark.load("mini")
    entry = plugins.discover([METHODS]).get(method)
    scenarios = mini.list_scenarios(setting, ["ai", "music"])
    preset = None if method.startswith("needs") else "quick"
    return runner.plan(mini, scenarios, [entry], preset, options, range(seeds))


def run(made: list[Job], out: Path) -> None:
    assert all(outcome.status == "finished" for outcome in runner.run(made, out, Nobody()))


def lasting(job: Job, out: Path, seconds: float, *, reused: bool = False) -> None:
    """Let the result of a job have taken so long, or another that built the stage which this one reused."""
    result = results.load(out / "runs" / job.id / "run.json")
    path = out / "leaderboards" / "results" / result.path
    first, *others = result.phases
    phases = [replace(first, seconds=seconds, reused=reused), *(replace(p, seconds=0.0) for p in others)]
    results.save(replace(result, phases=phases), path)


def states(planned: list[Planned]) -> list[str]:
    return [p.state for p in planned]


def test_each_run_has_its_state_and_nothing_is_written(tmp_path: Path) -> None:
    ai, music = jobs()
    assert states(list(survey([ai, music], tmp_path))) == [State.TO_DO, State.TO_DO]
    assert not list(tmp_path.iterdir())
    run([ai], tmp_path)
    (tmp_path / "runs" / music.id).mkdir()
    (tmp_path / "runs" / music.id / "log.txt").touch()
    assert states(list(survey([ai, music], tmp_path))) == [State.FINISHED, State.BEGUN]
    (tmp_path / "runs" / ai.id / "run.json").unlink()  # on the board all the same
    assert states(list(survey([ai], tmp_path))) == [State.FINISHED]


def test_a_damaged_list_of_stages_stops_nobody(tmp_path: Path) -> None:
    (job, _) = jobs()
    noted = tmp_path / "runs" / job.id / SHARED_STAGES
    noted.parent.mkdir(parents=True)
    noted.write_bytes(b"source-0123456789abcdef\n\xff\n")
    (planned,) = survey([job], tmp_path)
    assert "source-0123456789abcdef" in planned.stages
    run([job], tmp_path)
    export(tmp_path / "a.tar.gz", list_stored(tmp_path), tmp_path, whole=False, weights=True)


def test_what_only_the_user_can_give_blocks(tmp_path: Path) -> None:
    planned = list(survey(jobs("needs-keys"), tmp_path))
    assert states(planned) == [State.BLOCKED, State.BLOCKED]
    assert "needs the keys corpus of ai" in planned[0].reason
    assert planned[0].seconds is None


def test_seconds_are_those_of_the_runs_most_alike(tmp_path: Path) -> None:
    ai, music = jobs()
    run([ai, music], tmp_path)
    lasting(ai, tmp_path, 100.0)
    lasting(music, tmp_path, 300.0)

    def expected(made: list[Job]) -> list[float | None]:
        return [p.seconds for p in survey(made, tmp_path)]

    assert expected(jobs(seeds=2)) == [None, 100.0, None, 300.0]  # those to be made, by target
    assert expected(jobs(length=2)) == [200.0, 200.0]  # other options of the same preset
    assert expected(jobs(setting="multi")) == [None, None]
    lasting(music, tmp_path, 300.0, reused=True)  # a stage that another run had made already
    assert expected(jobs(seeds=2)) == [None, 100.0, None, 0.0]


def test_the_command_says_what_a_run_would_do(cli: Run, tmp_path: Path) -> None:
    arguments = ["--method", "oracle-of-case", "--setting", "single", "--benchmark", "mini", "--plugin", METHODS]
    place = ["--out", tmp_path]
    done = cli("plan", *arguments, *place, "-o", "length=3")
    assert "oracle-of-case (length=3)" in done.stdout
    assert "5 of 5 runs to make\nhow long is not known: no run like them was finished yet\n" in done.stdout
    assert not list(tmp_path.iterdir())
    cli("run", *arguments, *place, "--target", "ai")
    done = cli("plan", *arguments, *place)
    assert "4 of 5 runs to make" in done.stdout
    assert "not in this sum" not in done.stdout
    blocked = cli("plan", *["needs-keys" if a == "oracle-of-case" else a for a in arguments], *place)
    assert "blocked: needs-keys needs the keys corpus of science" in blocked.stdout
    assert "0 of 5 runs to make" in blocked.stdout


@pytest.mark.parametrize("command", ["run", "plan"])
def test_what_is_missing_is_said_alike(typed: Run, command: str) -> None:
    done = typed(command, "--method", "oracle-of-case")
    assert done.returncode == 1
    assert "needs a --setting" in done.stderr
