"""Several workers: each run is made once and as it is made alone, nobody idles, and whatever is killed goes on."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from cdner_bench.errors import OptionError, PlaceError
from cdner_bench.io import meter
from cdner_bench.running import Job, Outcome, executing, standing
from cdner_bench.running.executing import Study, count_workers, divide, list_gpus, make_locally
from cdner_bench.running.executing.waiting import Waiting
from studies import SLEEPERS, STUDY, make_alone, plan, read_log, read_store, start, wait_for, wait_for_runs
from support import Nobody, Run


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The study, made by one worker."""
    return make_alone(tmp_path_factory.mktemp("serial"))


def test_four_workers_make_what_one_makes(tmp_path: Path, serial: dict[str, object]) -> None:
    process = start(tmp_path, "--workers", 4)
    shown, _ = process.communicate(timeout=300)
    assert process.returncode == 0, shown
    assert read_store(tmp_path) == serial
    lines = read_log(tmp_path)
    assert sorted(line[0] for line in lines if line[6] == "end") == sorted({line[0] for line in lines})
    assert len([line for line in lines if line[6].startswith("build")]) == 2  # both methods are of one class
    assert len({line[3] for line in lines}) == 4  # each worker has made several
    assert {line[4] for line in lines} == {os.environ["OMP_NUM_THREADS"]}
    assert shown.count("finished, F1") == 20
    assert f"4 workers, each with {os.environ['OMP_NUM_THREADS']} thread" in shown


def list_workers(parent: int) -> list[int]:
    """The processes that fork runs, for a command."""
    children = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(child) for place in children for child in place.read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says who is whose child")
def test_whoever_is_killed_nothing_is_lost_and_nothing_made_again(tmp_path: Path, serial: dict[str, object]) -> None:
    drawn = random.Random(18)
    finished: set[str] = set()
    for attempt in range(4):
        process = start(tmp_path, "--workers", 4)
        wait_for(tmp_path, ended=len(finished) + 2)
        for _ in range(2):
            if victims := list_workers(process.pid):
                os.kill(drawn.choice(victims), signal.SIGKILL)
            time.sleep(drawn.random() / 2)
        if attempt < 3:
            process.kill()
            process.communicate()
            time.sleep(0.5)  # what it made ends with it
        else:
            shown, _ = process.communicate(timeout=300)
            assert process.returncode == 0, shown
        begun = [line[0] for line in read_log(tmp_path) if line[6] == "begin"]
        assert not finished & set(begun[len(begun) - begun[::-1].index("mark") if "mark" in begun else 0 :])
        finished |= {place.parent.name for place in tmp_path.glob("runs/*/run.json")}
        with (tmp_path / "log").open("a") as log:
            log.write("mark 0 0 0 0 0 begin\n")
    assert read_store(tmp_path) == serial


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says who is whose child")
def test_ctrl_c_once_stops_all_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = start(tmp_path, "--workers", 3, "-o", "seconds=20")
    wait_for_runs(tmp_path, 3)
    workers = list_workers(process.pid)
    runs = [made.process for made in standing.look(tmp_path).making]
    os.kill(process.pid, signal.SIGINT)
    shown, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert shown.endswith("interrupted\n  → type the same command to go on; what was finished is kept\n")
    assert len(workers) == len(runs) == 3
    assert not [each for each in (*workers, *runs) if Path(f"/proc/{each}").exists()]
    assert set(standing.look(tmp_path).runs.values()) == {"interrupted", "waiting"}


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says who is whose child")
def test_runs_that_a_cluster_ends_with_who_asked_for_them_have_not_failed(tmp_path: Path) -> None:
    process = start(tmp_path, "--workers", 2, "-o", "seconds=20")
    wait_for_runs(tmp_path, 2)
    runs = [made.process for made in standing.look(tmp_path).making]
    for each in (*runs, *list_workers(process.pid), process.pid):  # as SLURM does, in any order
        os.kill(each, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert set(standing.look(tmp_path).runs.values()) == {"interrupted", "waiting"}
    assert not list(tmp_path.glob("runs/*/error.txt"))


def test_two_commands_at_once_make_no_run_twice(tmp_path: Path, serial: dict[str, object]) -> None:
    both = [start(tmp_path, "--workers", 2, "--quiet") for _ in range(2)]
    shown = "".join(process.communicate(timeout=300)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0], shown
    assert len([line for line in read_log(tmp_path) if line[6] == "end"]) == 20
    assert len([line for line in read_log(tmp_path) if line[6].startswith("build")]) == 2
    assert (shown.count(" finished "), shown.count("failed")) == (20, 0), shown
    assert read_store(tmp_path) == serial


class Telling(Nobody):
    """Keeps what is told of runs, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self, job: object, number: int, total: int) -> None:
        self.told.append(f"begin {number}/{total}")

    def end(self, outcome: object) -> None:
        self.told.append(f"end {getattr(outcome, 'status', '')}")

    def note(self, text: str) -> None:
        self.told.append(text)


def test_a_run_whose_stage_another_builds_is_put_back_and_made_later(tmp_path: Path) -> None:
    jobs = plan("sleeping", seeds=1, shared=2.0)[:2]  # there is no other work
    displays = [Telling(), Telling()]
    outcomes = list(make_locally(Study(jobs, tmp_path, [SLEEPERS]), displays))
    assert [outcome.status for outcome in outcomes] == ["finished", "finished"]
    told = [text for display in displays for text in display.told]
    assert told.count("end finished") == 2
    (back,) = [text for text in told if text.startswith("put back")]
    assert back.startswith("put back, because another run builds the stage source-")
    first, second = (o.result for o in outcomes)
    assert first is not None
    assert second is not None
    assert [p.name for p in first.phases] == [p.name for p in second.phases]


def test_who_asks_twice_for_a_run_has_it_once(tmp_path: Path) -> None:
    (job,) = plan("sleeping", seeds=1, seconds=0.5)[:1]
    outcomes = list(make_locally(Study([job, job], tmp_path, [SLEEPERS]), [Nobody(), Nobody()]))
    assert [outcome.status for outcome in outcomes] == ["finished", "skipped"]


def test_a_folder_that_cannot_be_written_ends_all(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(PlaceError, match="runs is a file"):
        list(make_locally(Study(plan("sleeping"), tmp_path, [SLEEPERS]), [Nobody(), Nobody()]))
    assert not [each for each in threading.enumerate() if type(each).__module__.endswith("local")]


def test_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    process = start(tmp_path, "--workers", 2, "--seeds", 1, "-o", "failing=music", "--quiet")
    shown, _ = process.communicate(timeout=300)
    assert process.returncode == 2
    assert shown.count(" finished ") == 8
    assert shown.count("ValueError: I cannot sleep") == 2


def test_a_run_that_was_stopped_and_taken_over_overwrites_nothing(tmp_path: Path) -> None:
    only = ("--target", "ai", "--method", "sleeping", "--seeds", 1, "-o", "shared=0", "-o", "seconds=3", "--quiet")
    first = start(tmp_path, *only, CDNER_LEASE="1")
    _wait_till_it_answers(tmp_path)
    os.kill(first.pid, signal.SIGSTOP)
    time.sleep(1.2)
    second = start(tmp_path, *only, CDNER_LEASE="1")
    shown, _ = second.communicate(timeout=120)
    assert " finished " in shown
    before = {place: place.stat().st_mtime_ns for place in tmp_path.glob("**/*.json*")}
    kept = read_store(tmp_path)
    os.kill(first.pid, signal.SIGCONT)
    shown, _ = first.communicate(timeout=120)
    assert " busy " in shown
    assert read_store(tmp_path) == kept
    assert {place: place.stat().st_mtime_ns for place in tmp_path.glob("**/*.json*")} == before


def _wait_till_it_answers(out: Path) -> None:
    give_up = time.monotonic() + 120
    while '"phase": "predict"' not in "".join(place.read_text() for place in out.glob("runs/*/now.json")):
        assert time.monotonic() < give_up
        time.sleep(0.05)


def study_of_500() -> list[Job]:
    """Methods and seeds whose runs share a stage for all targets."""
    return plan(seeds=50)


def test_a_study_of_500_runs_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated: a run takes 30 milliseconds, a stage that ten runs share takes 150. How busy the workers were is said,
    and not asserted: it is the machine's.
    """
    jobs, guard = study_of_500(), threading.Lock()
    building: set[Path] = set()
    busy, returned, made = 0.0, 0, list[str]()
    monkeypatch.setattr(
        "cdner_bench.running.executing.waiting.is_locked", lambda place: place.with_suffix("") in building
    )
    waiting = Waiting(jobs)

    def work() -> None:
        nonlocal busy, returned
        turn = None
        while turn := waiting.take(turn):
            start = time.perf_counter()
            stage = tmp_path / f"stage-{turn.job.seed}"
            with guard:
                other = stage in building
                builds = not other and not stage.is_dir()
                building.update([stage] if builds else ())
            if other:
                returned += 1
                waiting.put_back(turn, stage)
                continue
            if builds:
                time.sleep(0.15)
                stage.mkdir()
                building.discard(stage)
            time.sleep(0.03)
            with guard:
                busy += time.perf_counter() - start
                made.append(turn.job.id)
            waiting.finish(turn)

    workers = [threading.Thread(target=work) for _ in range(8)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    share = busy / (8 * (time.perf_counter() - start))
    print(f"{share:.1%} of the workers' time in runs, {returned} put back")
    assert sorted(made) == sorted(job.id for job in jobs)
    assert len(made) == 500


def test_a_free_worker_takes_what_shares_no_stage_that_is_built(tmp_path: Path) -> None:
    waiting = Waiting(plan("sleeping", seeds=2))
    first = waiting.take(None)
    second = waiting.take(None)
    assert first is not None
    assert second is not None
    assert (first.number, second.number) == (1, 2)  # of another seed
    third = waiting.take(None)
    assert third is not None
    (tmp_path / "stage.lock").touch()
    waiting.put_back(third, tmp_path / "stage")
    waiting.finish(first)
    taken = [waiting.take(first) for _ in range(8)]
    assert {turn.number for turn in taken if turn} == {3, 4, 5, 6, 7, 8, 9, 10}


GPUS = [
    # /dev, CUDA_VISIBLE_DEVICES, what there is
    (["null"], None, []),
    (["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"], None, ["0", "1"]),
    (["nvidia3", "nvidia7"], None, ["0", "1"]),
    (["nvidia0", "nvidia1"], "", []),
    (["nvidia0", "nvidia1"], "-1", []),
    (["nvidia0", "nvidia1"], "1", ["1"]),
    (["nvidia0", "nvidia1"], "1, 0", ["1", "0"]),
    (["nvidia0", "nvidia1"], "0,-1,1", ["0"]),
    (["nvidia0"], "MIG-1,MIG-2", ["MIG-1", "MIG-2"]),
    ([], "0,1", []),
]


def have(monkeypatch: pytest.MonkeyPatch, devices: list[str], named: str | None) -> None:
    usual = os.listdir
    monkeypatch.setattr(os, "listdir", lambda place=".": devices if place == "/dev" else usual(place))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)


@pytest.mark.parametrize(("devices", "named", "there"), GPUS)
def test_gpus_are_counted_without_loading_anything(
    devices: list[str], named: str | None, there: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, devices, named)
    assert list_gpus() == there
    assert count_workers(None, 100) == max(1, len(there))
    assert count_workers(None, 1) == 1
    assert [share["CUDA_VISIBLE_DEVICES"] for share in divide(len(there) or 1) if len(share) > 2] == there


@pytest.mark.parametrize(
    ("asked", "gpus", "said"),
    [
        (0, 0, "--workers 0: somebody has to make the runs"),
        (-2, 0, "--workers -2: somebody has to make the runs"),
        (2, 1, "--workers 2: this machine has one GPU, and a worker takes a whole one"),
        (5, 4, "--workers 5: there are only 4 GPUs, and a worker takes a whole one"),
    ],
)
def test_a_number_of_workers_that_cannot_be(asked: int, gpus: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, [f"nvidia{n}" for n in range(gpus)], None)
    with pytest.raises(OptionError) as caught:
        count_workers(asked, 100)
    assert str(caught.value) == said
    assert "type" in (caught.value.hint or "")


@pytest.mark.parametrize(("cores", "workers", "threads"), [(16, 4, "4"), (16, 5, "3"), (2, 4, "1"), (1, 1, "1")])
def test_cores_are_shared_out(cores: int, workers: int, threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, [], None)
    monkeypatch.setattr(meter, "count_cores", lambda: cores)
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "RAYON_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    expected = {"OMP_NUM_THREADS": threads, "RAYON_NUM_THREADS": threads}
    assert divide(workers) == [expected] * workers
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert divide(workers)[-1] == {**expected, "OMP_NUM_THREADS": "7"}
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers", "0"], "--workers 0: somebody has to make the runs\n  → type --workers 1, or more"),
        (["--workers", "2", "--no-isolate"], "--workers 2: several make each run in a process of its own"),
        (["--executor", "loacl"], "--executor loacl: there is no such\n  → did you mean 'local'?"),
        (["--executor", "kubernetes"], "--executor kubernetes: there is no such\n  → choose from: local, ray, slurm"),
        (
            ["-x", "partition=gpu"],
            "-x partition=gpu: this is for a cluster\n  → add --executor slurm, or --executor ray",
        ),
        (["--runs-per-job", "2"], "--runs-per-job 2: this is for jobs of SLURM\n  → add --executor slurm"),
        (["--executor", "ray", "--no-isolate"], "--no-isolate: a cluster makes each run in a process of its own"),
        (["--executor", "ray", "--runs-per-job", "2"], "--runs-per-job 2: this is for jobs of SLURM"),
        (["--executor", "slurm", "-x", "gpu"], "'gpu' is no option\n  → write -x name=value"),
        (
            ["--executor", "slurm", "--workers", "2"],
            "--workers 2: a job has a worker a GPU, else one, with processes of their own\n  → leave it out",
        ),
        (
            ["--executor", "slurm", "--no-isolate"],
            "--no-isolate: a cluster makes each run in a process of its own\n  → leave it out",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(arguments: list[str], said: str, typed: Run, tmp_path: Path) -> None:
    done = typed(*STUDY, "--out", tmp_path / "out", *arguments, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_executor_hires_workers_for_jobs_and_displays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, [], None)
    jobs = plan("sleeping", seeds=1)
    with executing.EXECUTORS["local"](Study(jobs, tmp_path, [SLEEPERS]), 9, {}) as crew:
        assert len(crew.workers) == len(jobs)
        assert crew.words.startswith(f"{len(jobs)} workers, each with ")
    outcomes: list[Outcome] = list(make_locally(Study(jobs, tmp_path, [SLEEPERS]), [Nobody(), Nobody()]))
    assert {outcome.job.id: outcome.status for outcome in outcomes} == {job.id: "finished" for job in jobs}
    again = list(make_locally(Study(jobs, tmp_path, [SLEEPERS]), [Nobody(), Nobody()]))
    assert [outcome.status for outcome in again] == ["skipped"] * len(jobs)
