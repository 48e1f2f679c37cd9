"""Runs on Ray: those of one process, whatever is killed, and nothing is begun that cannot be made."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cdner_bench.errors import OptionError, PluginError
from cdner_bench.running import executing, standing
from cdner_bench.running.executing import Study
from cdner_bench.running.executing.ray import find_fault
from studies import SLEEPERS, STUDY, make_alone, plan, read_log, read_store, start, wait_for, wait_for_runs
from support import Run

ADDRESS = "ADDRESS_OF_THE_CLUSTER"


def hire(out: Path, parameters: Mapping[str, str], workers: int | None = None) -> None:
    with executing.EXECUTORS["ray"](Study(plan("sleeping", seeds=1), out, [SLEEPERS]), workers, parameters):
        pass


@pytest.mark.parametrize(
    ("parameters", "said", "hint"),
    [
        ({"num_gpu": "1"}, "-x num_gpu: a run on Ray has no such parameter", "did you mean 'num_gpus'?"),
        ({"partition": "gpu"}, "-x partition: a run on Ray has no such parameter", "choose from: address, num_cpus"),
        ({"num_cpus": "0"}, "-x num_cpus=0: a run has a number of them, more than 0", "write it as -x num_cpus=2"),
        ({"num_gpus": "-1"}, "-x num_gpus=-1: a run has a number of them, 0 or more", "write it as -x num_gpus=2"),
        ({"num_gpus": "nan"}, "-x num_gpus=nan: a run has a number of them, 0 or more", "write it as"),
        ({"num_gpus": "inf"}, "-x num_gpus=inf: a run has a number of them, 0 or more", "write it as"),
        ({"memory": "4GB"}, "-x memory=4GB: a run has a number of them, 0 or more", "write it as -x memory=2"),
        ({"num_gpus": "1.5"}, "-x num_gpus=1.5: above one, Ray has whole ones only", "type -x num_gpus=2"),
        ({"memory": "0.5"}, "-x memory=0.5: above one, Ray has whole ones only", "type -x memory=1"),
        ({"address": "ray://head:10001"}, "-x address=ray://head:10001: this is no address of a cluster", "on one of"),
        ({"address": "head"}, "-x address=head: this is no address of a cluster", "on one of its nodes, type -x"),
    ],
)
def test_what_ray_cannot_mean_is_named(parameters: dict[str, str], said: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError) as caught:
        hire(tmp_path / "out", parameters)
    assert str(caught.value) == said
    assert hint in (caught.value.hint or "")
    assert not (tmp_path / "out").exists()


def test_somebody_has_to_make_runs_on_ray_too(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--workers 0: somebody has to make the runs"):
        hire(tmp_path / "out", {}, 0)


def test_ray_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PluginError, match="--executor ray needs the package ray") as caught:
        hire(tmp_path / "out", {})
    assert caught.value.hint == "pip install 'cdner-bench[ray]'"
    assert not (tmp_path / "out").exists()


def make_terms(out: Path) -> dict[str, Any]:
    """What a node is told, when it is asked whether it can make runs."""
    return {
        "out": str(out),
        "mark": str(out),
        "folder": os.getcwd(),
        "plugins": [str(SLEEPERS)],
        "disabled": [],
        **executing.hash_codes(plan("sleeping", seeds=1)),
    }


@pytest.mark.parametrize(
    ("changed", "fault", "hint"),
    [
        ({}, None, None),
        ({"mark": "/elsewhere/mark"}, "it does not see ", "name a folder that all nodes see under one path"),
        ({"folder": "/elsewhere"}, "it does not see /elsewhere", "type the command in a folder that it sees"),
        (
            {"core": "00000000"},
            "the code of cdner-bench is not what was submitted (then 00000000, here ",
            "have the same code",
        ),
        ({"codes": {"sleeping": "00000000"}}, "the code of the plugin of sleeping is not what was submitted", None),
        ({"plugins": []}, "unknown method 'sleeping'", None),
    ],
)
def test_a_node_that_cannot_make_runs_says_why(
    changed: Mapping[str, object], fault: str | None, hint: str | None, tmp_path: Path
) -> None:
    found = find_fault({**make_terms(tmp_path), **changed})
    assert (found is None) == (fault is None)
    if found is not None and fault is not None:
        assert fault in found["message"]
        assert hint is None or hint in found["hint"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """A cluster of one node that has four runs' worth of cores, and what its commands need in the environment."""
    pytest.importorskip("ray", reason="pip install 'cdner-bench[ray]'")
    needed = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    needed |= {"RAY_worker_niceness": "0"}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # another for each process that tests
    needed[ADDRESS] = f"127.0.0.1:{port}"
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # paths of sockets are short
    options = ["--num-cpus=4", f"--port={port}", "--include-dashboard=false", f"--object-store-memory={80 << 20}"]
    head = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", *options, f"--temp-dir={folder}"],
        env={**os.environ, **needed, "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_till(lambda: (folder / "ray_current_cluster").exists() or head.poll() is not None)
        assert head.poll() is None, "the cluster did not start"
        yield needed
    finally:
        head.terminate()
        head.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def wait_till(true: Any) -> None:
    give_up = time.monotonic() + 120
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def list_processes(needed: Mapping[str, str], named: bytes) -> list[int]:
    """The processes of a cluster with such words in their command lines."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if needed["RAY_AUTH_TOKEN"].encode() in (place / "environ").read_bytes():
                found += [int(place.name)] * (named in (place / "cmdline").read_bytes())
    return found


def on(needed: Mapping[str, str], out: Path, *more: object) -> subprocess.Popen[str]:
    return start(out, "--executor", "ray", "-x", f"address={needed[ADDRESS]}", *more, **needed)


@pytest.mark.slow
def test_a_ray_of_ones_own_makes_what_one_process_makes(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="pip install 'cdner-bench[ray]'")
    process = start(tmp_path / "out", "--executor", "ray", "--workers", 3, "-x", "num_cpus=0.25", "-o", "failing=music")
    shown, _ = process.communicate(timeout=300)
    assert process.returncode == 4, shown
    assert "Ray: 3 workers on 1 node, each with num_cpus=0.25" in shown
    assert (shown.count(" finished, F1 "), shown.count("ValueError: I cannot sleep")) == (16, 4)
    lines = read_log(tmp_path / "out")
    assert len({line[3] for line in lines}) <= 3  # each worker has made several
    assert {(line[4], line[5]) for line in lines} == {(os.environ["OMP_NUM_THREADS"], "")}
    assert not [place for place in (tmp_path / "out" / "runs").iterdir() if place.name.startswith(".ray")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what runs")
def test_runs_of_workers_that_are_killed_are_made_by_others(tmp_path: Path, cluster: dict[str, str]) -> None:
    process = on(cluster, tmp_path)
    for ended in (2, 7):
        wait_for(tmp_path, ended=ended)
        os.kill(list_processes(cluster, b"ray::Hand")[-1], signal.SIGKILL)
    shown, _ = process.communicate(timeout=300)
    assert process.returncode == 0, shown
    assert "Ray: 4 workers on 1 node, each with num_cpus=1" in shown
    assert "the process that makes it was ended from outside; it goes on in another" in shown
    assert read_store(tmp_path) == make_alone(tmp_path / "alone")
    ends = [line[0] for line in read_log(tmp_path) if line[6] == "end"]
    assert len(ends) - len(set(ends)) <= 2  # of what was killed at its very end


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what runs")
def test_ctrl_c_ends_the_runs_on_the_cluster_and_says_how_to_go_on(tmp_path: Path, cluster: dict[str, str]) -> None:
    process = on(cluster, tmp_path, "-o", "seconds=30")
    wait_for_runs(tmp_path, 4)
    assert list(map(str, standing.look(tmp_path).runs.values())).count("running") == 4  # others wait, or were put back
    os.kill(process.pid, signal.SIGINT)
    shown, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert shown.endswith("interrupted\n  → type the same command to go on; what was finished is kept\n")
    wait_till(lambda: not list_processes(cluster, b"cdner_bench.running"))
    assert set(standing.look(tmp_path).runs.values()) == {"interrupted", "waiting"}
    assert not list(tmp_path.glob("runs/*/error.txt"))


@pytest.mark.slow
def test_what_a_cluster_has_not_is_named(tmp_path: Path, cluster: dict[str, str], cli: Run) -> None:
    there = ["--executor", "ray", "-x", f"address={cluster[ADDRESS]}"]
    none = "-x num_gpus=2: no node of the cluster has more than 0\n  → leave out num_gpus, or start a node"
    less = "-x num_cpus=5: no node of the cluster has more than 4\n  → type -x num_cpus=4"
    few = "--workers 3: the cluster has room for 2 with num_cpus=2 each\n  → type --workers 2, or declare less"
    for said, *more in (
        (none, "-x", "num_gpus=2"),
        (less, "-x", "num_cpus=5"),
        (few, "--workers", "3", "-x", "num_cpus=2"),
    ):
        done = cli(*STUDY, "--out", tmp_path / "out", *there, *more, **cluster)
        assert done.returncode == 1
        assert said in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:99999", "nowhere.invalid:6379"])
def test_an_address_at_which_nobody_answers_is_named(address: str, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="pip install 'cdner-bench[ray]'")
    with pytest.raises(OptionError, match=f"-x address={address}: no cluster answers there"):
        hire(tmp_path / "out", {"address": address})
    assert not (tmp_path / "out").exists()
