"""Jobs of a cluster: what is submitted, what is refused, and what a job makes. A real SLURM is in `test_real_slurm`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.data import benchmark
from cdner_bench.errors import CdnerError, FetchError, OptionError, PluginError
from cdner_bench.io import models
from cdner_bench.running import Job, executing, runner, standing
from cdner_bench.running.executing import Study, find_queued, group, make_share, submit
from support import ROOT

SLEEPERS = ROOT / "tests" / "sleepers.py"
COMMANDS = {
    "scontrol": "echo 'MaxArraySize            = 3'",
    "srun": "exit 0",
    "sinfo": "printf 'gpu\\ncpu\\n'",
    "scancel": 'case "$*" in *--version*) ;; *) echo "$@" >> "$FAKE/cancelled";; esac',
    "squeue": 'case "$*" in *--version*) ;; *) cat "$FAKE/queue" 2>/dev/null; exit 0;; esac',
    "sbatch": 'case "$*" in *--version*) exit 0;; esac\n'
    'number=$(ls "$FAKE" | grep -c script)\n'
    'if [ -e "$FAKE/full" ] && [ "$number" -ge "$(cat "$FAKE/full")" ]; then\n'
    "echo 'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy' >&2; exit 1; fi\n"
    'cp "$1" "$FAKE/script$number"; echo "Submitted batch job $((100 + number))"',
}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of commands that answer like SLURM's, and of what they were asked."""
    folder = tmp_path / "fake"
    folder.mkdir()
    for name, body in COMMANDS.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("FAKE", str(folder))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return folder


def plan(methods: str = "sleeping", targets: str = "ai,music", seeds: int = 1, setting: str = "single") -> list[Job]:
    mini, registry = benchmark.load("mini"), plugins.discover([SLEEPERS])
    entries = [registry.get(name) for name in methods.split(",")]
    return runner.plan(mini, mini.list_scenarios(setting, targets.split(",")), entries, None, {}, range(seeds))


def make_study(out: Path, jobs: list[Job]) -> Study:
    return Study(jobs, out, [SLEEPERS])


def read_scripts(fake: Path) -> list[dict[str, str]]:
    """The parameters of every array that was submitted."""
    scripts = sorted(fake.glob("script*"), key=lambda path: int(path.name.removeprefix("script")))
    found = []
    for script in scripts:
        lines = [line.removeprefix("#SBATCH --") for line in script.read_text().splitlines() if "#SBATCH" in line]
        found.append({name: value for name, _, value in (line.partition("=") for line in lines)})
    return found


@pytest.mark.parametrize(
    ("methods", "seeds", "setting", "most", "expected"),
    [
        # one group of four: its first run, then the others together
        ("sleeping,dozing", 1, "single", 1, [(1, None), (3, 0)]),
        # three groups of four: by rank would be three more arrays, and so it is by group
        ("sleeping,dozing", 3, "single", 2, [(3, None), (3, None)]),
        ("sleeping,dozing", 3, "single", 1, [(3, None), (3, None), (3, None), (3, None)]),
        ("sleeping,dozing", 1, "single", 4, [(1, None)]),
        # sources of multi differ by target, so nobody shares
        ("sleeping", 2, "multi", 1, [(4, None)]),
        ("sleeping", 2, "multi", 3, [(2, None)]),
        ("sleeping,dozing", 2, "multi", 2, [(4, None)]),
    ],
)
def test_runs_that_may_share_a_stage_are_in_one_job_or_one_after_the_other(
    methods: str, seeds: int, setting: str, most: int, expected: list[tuple[int, int | None]]
) -> None:
    jobs = plan(methods, seeds=seeds, setting=setting)
    arrays = group(jobs, most)
    assert [(len(array.shares), array.after) for array in arrays] == expected
    assert sorted(job.id for array in arrays for share in array.shares for job in share) == sorted(j.id for j in jobs)
    assert all(len(share) <= most for array in arrays for share in array.shares)
    heads = [{(job.scenario.sources, job.seed) for job in share} for share in arrays[0].shares]
    for array in arrays[1:]:
        for number, share in enumerate(array.shares):
            after = number if array.after is None else array.after
            assert {(job.scenario.sources, job.seed) for job in share} <= heads[after]


def test_what_is_submitted_is_data_and_no_more_than_the_cluster_takes(tmp_path: Path, fake: Path) -> None:
    pytest.importorskip("submitit")
    jobs = plan(seeds=7)
    asked = {"partition": "gpu", "gpus_per_node": "1", "timeout_min": "30", "mem_gb": "1.5", "dependency": "singleton"}
    said = submit(make_study(tmp_path, jobs), asked, 1)
    assert (said.runs, said.shares, list(said.jobs)) == (14, 14, ["100", "101", "102", "103", "104", "105"])
    scripts = read_scripts(fake)
    assert [script.get("array") for script in scripts] == ["0-2%3", "0-2%3", None, "0-2%3", "0-2%3", None]
    after = ["aftercorr:100", "aftercorr:101", "afterok:102"]
    assert [s["dependency"] for s in scripts] == ["singleton"] * 3 + [f"singleton,{each}" for each in after]
    for script in scripts:
        assert (script["partition"], script["gpus-per-node"]) == ("gpu", "1")
        assert (script["time"], script["mem"], script["signal"], script["requeue"]) == ("30", "1536MB", "TERM@90", "")
    studies = list((tmp_path / "runs" / "slurm").glob("*/study.json"))
    told = [data for place in studies for share in json.loads(place.read_text())["shares"] for data in share]
    assert sorted(data["id"] for data in told) == sorted(job.id for job in jobs)
    assert {script["job-name"].removeprefix("cdner-") for script in scripts} == {p.parent.name for p in studies}


def test_what_is_in_a_job_already_is_not_submitted_again(tmp_path: Path, fake: Path) -> None:
    pytest.importorskip("submitit")
    jobs = plan(seeds=2)
    submit(make_study(tmp_path, jobs), {}, 1)
    first, second = read_scripts(fake)
    (fake / "queue").write_text(f"{first['job-name']} 100 1\n{second['job-name']} 101 0\n{second['job-name']} 101 1\n")
    queued = find_queued(tmp_path)
    assert sorted(queued.values()) == ["100_1", "101_0", "101_1"]
    (left,) = {job.id for job in jobs} - set(queued)
    overview = standing.look(tmp_path)
    assert (overview.runs, overview.queued) == (dict.fromkeys(queued, "waiting"), 3)
    again = submit(make_study(tmp_path, jobs), {}, 1)
    assert (again.runs, again.queued) == (1, dict(queued))
    (alone,) = [place for place in tmp_path.glob("runs/slurm/*/study.json") if left in place.read_text()][-1:]
    assert alone.exists()
    (fake / "queue").write_text("")  # they have ended, and nothing came of it
    assert submit(make_study(tmp_path, jobs), {}, 1).runs == 4


def test_a_refusal_leaves_nothing(tmp_path: Path, fake: Path) -> None:
    pytest.importorskip("submitit")
    (fake / "full").write_text("2")
    with pytest.raises(CdnerError, match="SLURM refuses the job: Batch job submission failed: Job") as raised:
        submit(make_study(tmp_path, plan(seeds=7)), {}, 1)
    assert raised.value.hint == "nothing was submitted; mend what it names: -x NAME=VALUE"
    assert (fake / "cancelled").read_text() == "100\n101\n"
    assert [path.name for path in (tmp_path / "runs" / "slurm").iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"partition": "gpuu"}, "-x partition=gpuu: the cluster has no partition gpuu", "did you mean 'gpu'?"),
        ({"partition": "cpu,tpu"}, "-x partition=cpu,tpu: the cluster has no partition tpu", "did you mean 'gpu'?"),
        ({"partion": "gpu"}, "-x partion: submitit has no such parameter", "did you mean 'partition'?"),
        ({"timeout": "3"}, "-x timeout: submitit has no such parameter", "did you mean 'timeout_min'?"),
        ({"nodes": "2"}, "-x nodes=2: this is not yours to choose", "leave it out"),
        ({"use_srun": "false"}, "-x use_srun=false: this is not yours to choose", "leave it out"),
        ({"name": "me"}, "-x name=me: this is not yours to choose", "leave it out"),
        ({"mem_gb": "lots"}, "-x mem_gb=lots: no number", "write it as 4"),
        ({"array_parallelism": "all"}, "-x array_parallelism=all: no number", "write it as 4"),
        ({"srun_args": "--x='"}, "-x srun_args=--x=': No closing quotation", "quote it as in a shell"),
        ({"signal_delay_s": "soon"}, "-x signal_delay_s=soon: no number", "write it as 4"),
    ],
)
def test_parameters_that_are_none(
    tmp_path: Path, fake: Path, asked: Mapping[str, str], message: str, hint: str
) -> None:
    pytest.importorskip("submitit")
    with pytest.raises(OptionError) as raised:
        submit(make_study(tmp_path, plan()), asked, 1)
    assert str(raised.value).startswith(message)
    assert raised.value.hint == hint
    assert not list(tmp_path.glob("runs/slurm/*"))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"time": "240", "signal": "TERM@90"}),
        ({"timeout_min": "2"}, {"time": "2", "signal": "TERM@30"}),  # never more than a quarter
        ({"timeout_min": "2", "signal_delay_s": "60"}, {"time": "2", "signal": "TERM@60"}),
        ({"time": "1-00:00:00"}, {"time": "1-00:00:00", "signal": "TERM@90"}),
        ({"account": "007"}, {"account": "007"}),
        ({"exclusive": "true"}, {"exclusive": ""}),
        ({"cpus_per_task": "8", "srun_args": "--mpi=none -v"}, {"cpus-per-task": "8"}),
    ],
)
def test_parameters_are_passed_on(
    tmp_path: Path, fake: Path, asked: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    pytest.importorskip("submitit")
    submit(make_study(tmp_path, plan()), asked, 2)
    (script,) = read_scripts(fake)
    assert {name: script[name] for name in expected} == expected
    (command,) = [line for line in (fake / "script0").read_text().splitlines() if line.startswith("srun")]
    assert ("--mpi=none -v --cpus-per-task=8" in command) is ("srun_args" in asked)


def test_weights_are_fetched_before_anything_is_submitted(
    tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("submitit")
    mini, registry = benchmark.load("mini"), plugins.discover()
    fetched: list[str] = []

    def fetch(name: str) -> None:
        fetched.append(name)
        raise FetchError("there is no internet")

    monkeypatch.setattr(models, "fetch", fetch)
    scenarios = mini.list_scenarios("single", ["ai"])
    jobs = runner.plan(mini, scenarios, [registry.get("bert-tagger")], "cpu", {}, [0, 1])
    with pytest.raises(FetchError):
        submit(Study(jobs, tmp_path), {}, 1)
    assert fetched == [jobs[0].method.backbone]
    assert not read_scripts(fake)
    other = runner.plan(mini, scenarios, [registry.get("bert-tagger")], "cpu", {"backbone": "some/bert"}, [0])
    said = submit(Study(other, tmp_path), {}, 1)
    assert [remark.split(":")[0] for remark in said.remarks] == ["some/bert"]


@pytest.mark.parametrize("number", [0, -3])
def test_a_job_makes_at_least_one_run(tmp_path: Path, number: int) -> None:
    with pytest.raises(OptionError, match=f"--runs-per-job {number}: a job makes at least one run"):
        submit(make_study(tmp_path, plan()), {}, number)


@pytest.mark.parametrize("lacking", ["scontrol", "sbatch", "srun", "squeue", "scancel"])
def test_a_machine_without_slurm(tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch, lacking: str) -> None:
    if lacking != "scontrol":
        pytest.importorskip("submitit")
    (fake / lacking).unlink()
    monkeypatch.setenv("PATH", str(fake))
    with pytest.raises(CdnerError, match=f"SLURM is not on this machine: there is no {lacking}") as raised:
        submit(make_study(tmp_path, plan()), {}, 1)
    assert "leave out --executor slurm" in str(raised.value.hint)


def test_a_slurm_that_does_not_answer(tmp_path: Path, fake: Path) -> None:
    (fake / "scontrol").write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2; exit 1\n")
    with pytest.raises(CdnerError, match="SLURM does not answer: Unable to contact slurm controller"):
        submit(make_study(tmp_path, plan()), {}, 1)


def test_a_python_without_submitit(tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(PluginError, match="submitit") as raised:
        submit(make_study(tmp_path, plan()), {}, 1)
    assert raised.value.hint == "pip install 'cdner-bench[slurm]'"


def write_study(out: Path, fake: Path, **changed: object) -> Path:
    """What jobs get for two runs in one share, changed meanwhile."""
    submit(make_study(out, plan()), {}, 2)
    (place,) = out.glob("runs/slurm/*/study.json")
    place.write_text(json.dumps({**json.loads(place.read_text()), **changed}))
    return place


def test_a_job_makes_its_runs(tmp_path: Path, fake: Path) -> None:
    pytest.importorskip("submitit")
    place = write_study(tmp_path, fake)
    with pytest.raises(SystemExit) as ended:
        make_share(str(place), 0)
    assert not ended.value.code
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""  # nobody has given it one
    assert set(standing.look(tmp_path).runs.values()) == {"finished"}
    assert submit(make_study(tmp_path, plan()), {}, 1).runs == 0


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"core": "00000000"}, "the code of cdner-bench is not what was submitted (then 00000000, here "),
        (
            {"codes": {"sleeping": "00000000"}},
            "the code of the plugin of sleeping is not what was submitted (then 0000",
        ),
    ],
)
def test_a_job_refuses_other_code(tmp_path: Path, fake: Path, changed: Mapping[str, object], what: str) -> None:
    pytest.importorskip("submitit")
    place = write_study(tmp_path, fake, **changed)
    with pytest.raises(SystemExit) as ended:
        make_share(str(place), 0)
    assert ended.value.code == 1
    assert set(standing.look(tmp_path).runs.values()) == {"failed"}
    for kept in tmp_path.glob("runs/*/error.txt"):
        assert what in kept.read_text()
        assert kept.read_text().endswith("; type the same command again")
    assert not list(tmp_path.glob("leaderboards/**/*.json"))


def test_a_job_whose_data_were_changed_makes_the_others(tmp_path: Path, fake: Path) -> None:
    pytest.importorskip("submitit")
    place = write_study(tmp_path, fake)
    study = json.loads(place.read_text())
    study["shares"][0][0]["seed"] = 5
    place.write_text(json.dumps(study))
    with pytest.raises(SystemExit) as ended:
        make_share(str(place), 0)
    assert ended.value.code == 1
    assert sorted(standing.look(tmp_path).runs.values()) == ["failed", "finished"]


def test_a_name_is_an_executor_or_a_queue() -> None:
    assert executing.QUEUES["slurm"] is submit
    assert not set(executing.QUEUES) & set(executing.EXECUTORS)
