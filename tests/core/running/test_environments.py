"""A method that needs another version of a package than the harness runs in an interpreter of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import cdner_bench
from cdner_bench import NotRunError, PluginError, plugins
from cdner_bench.cli import main
from cdner_bench.data import benchmark
from cdner_bench.environments import Environment, make
from cdner_bench.plugins import Registered
from cdner_bench.running import runner
from support import Nobody

OLD = "1.1.1"  # of iniconfig, which pytest needs in a newer version
TOY = f'''
from dataclasses import dataclass

from cdner_bench import Entity, Method, Prediction, Spec, hookimpl


@hookimpl
def register_methods():
    return [Spec("toy", f"{{__name__}}:Toy", "needs an old package", environment="old", revision=3)]


class Toy(Method):
    @dataclass(frozen=True)
    class Options:
        long: int = 1

    def fit(self, sources, target, run):
        import iniconfig
        from importlib.metadata import version

        if version("iniconfig") != "{OLD}":
            raise RuntimeError("another library")
        self.kind = target.types[0]

    def predict(self, sentences, run):
        for s in sentences:
            yield Prediction(s.id, (Entity(0, 1, self.kind),))

    def save(self, folder):
        (folder / "kind.txt").write_text(self.kind, encoding="utf-8")

    def load(self, folder, types, run):
        from importlib.metadata import version

        assert version("iniconfig") == "{OLD}"
        self.kind = (folder / "kind.txt").read_text(encoding="utf-8")
'''


def list_needed(names: list[str]) -> dict[str, str]:
    """The packages that these need, in the versions that are installed."""
    needed: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower()
        if name not in needed:
            needed[name] = version(name)
            lines = [Requirement(line) for line in requires(name) or ()]
            waiting += [line.name for line in lines if not line.marker or line.marker.evaluate({"extra": ""})]
    return needed


def write_plugin(folder: Path, lock: str) -> Path:
    place = folder / "toy_of_old.py"
    place.write_text(TOY, encoding="utf-8")
    (folder / "old.lock").write_text(lock, encoding="utf-8")
    return place


def find(place: Path) -> Registered:
    return plugins.discover([place]).get("toy")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin, its environment made by pip."""
    folder = tmp_path_factory.mktemp("apart")
    asked = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", str(folder / "pip"), f"iniconfig=={OLD}"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("no registry of packages")
    pins = list_needed(["cdner-bench"])
    del pins["cdner-bench"]
    place = write_plugin(
        folder, "\n".join(f"{name}=={number}" for name, number in pins.items()) + f"\niniconfig=={OLD}"
    )
    with pytest.MonkeyPatch.context() as patch:
        where = subprocess.run(
            [sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=True
        )
        patch.setenv("PIP_CACHE_DIR", where.stdout.strip())
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        decoy = (
            folder / "decoy" / f"iniconfig-{OLD}.dist-info"
        )  # what stands on the user's path is not what is installed
        decoy.mkdir(parents=True)
        (decoy / "METADATA").write_text(f"Metadata-Version: 2.1\nName: iniconfig\nVersion: {OLD}\n", encoding="utf-8")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(decoy.parent), os.environ.get("PYTHONPATH", "")]))
        apart = find(place).environment
        assert apart
        before = apart.is_made
        with pytest.raises(SystemExit) as ended:
            main(["environments", "make", "toy", "--plugin", str(place)])
        assert not ended.value.code
        assert (before, apart.is_made) == (False, True)
    return place


@pytest.fixture
def toy(made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(made.parent / "cache"))
    monkeypatch.chdir(tmp_path)
    return made


def test_it_runs_on_its_own_libraries(toy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    asked = ["run", "--method", "toy,gazetteer", "--benchmark", "mini", "--setting", "single"]
    with pytest.raises(SystemExit) as ended:
        main([*asked, "--target", "ai", "--plugin", str(toy), "--keep-model"])
    assert not ended.value.code, capfd.readouterr().err
    (result,) = [json.loads(path.read_text()) for path in Path("leaderboards").rglob("toy-*.json")]
    apart = find(toy).environment
    assert apart
    assert result["method"]["revision"] == f"3, environment old {apart.hash}"
    assert "torch" not in result["provenance"]["packages"]
    assert version("iniconfig") != OLD
    Path("t.txt").write_text("Perceptron learns .\n", encoding="utf-8")
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["predict", result["run"], "t.txt", "--to", "bio", "--plugin", str(toy)])
    said = capfd.readouterr()
    assert not ended.value.code, said.err
    assert said.out.startswith("Perceptron\tB-")


def test_it_is_checked_there(toy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plugin", "check", "toy", "--plugin", str(toy), "--no-plugin", "topt"])
    said = capfd.readouterr().out
    assert not ended.value.code, said
    assert "toy keeps the contract" in said


def test_python_makes_its_runs_there(toy: Path) -> None:
    runs = cdner_bench.run("toy", setting="single", target="ai", benchmark="mini", plugin=toy)
    assert len(runs) == 1


def test_not_in_this_process(toy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "run",
                "--method",
                "toy",
                "--benchmark",
                "mini",
                "--setting",
                "single",
                "--plugin",
                str(toy),
                "--no-isolate",
            ]
        )
    assert ended.value.code == 1
    assert "--no-isolate: toy runs in an environment of its own" in capfd.readouterr().err


def test_an_environment_that_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    place = write_plugin(tmp_path, "iniconfig==1.1.1\n")
    mini = benchmark.load("mini").cut_to(5)
    (job,) = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [find(place)], None, {}, [0])
    with pytest.raises(NotRunError, match=r"toy runs in an environment of its own, old \w{12}, which is not made"):
        runner.require_resources(job)
    outcome = runner.attempt(job, tmp_path, Nobody())
    assert (outcome.status, outcome.hint) == (
        "not-run",
        "type: cdner-bench environments make toy --plugin toy_of_old.py",
    )
    with pytest.raises(SystemExit):
        main(["plugin", "check", "toy", "--plugin", str(place)])
    assert "which is not made\n  → type: cdner-bench environments make toy" in capfd.readouterr().err


def test_the_lock_is_part_of_what_a_run_is(tmp_path: Path) -> None:
    hashes = []
    for lock in ("a==1\nb==2\n", "# why\nb==2  # too\n\na==1", "a==1\nb==3\n"):
        entry = find(write_plugin(tmp_path, lock))
        assert entry.environment
        hashes.append(entry.environment.hash)
        assert entry.revision.endswith(entry.environment.hash)
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    "line", ["a", "a>=1", "a==1.*", "a~=1", "-e .", "https://x.org/a.whl", "a @ file:///a", "-r b"]
)
def test_what_is_not_pinned(tmp_path: Path, line: str) -> None:
    environment = find(write_plugin(tmp_path, f"b==2\n{line}\n")).environment
    assert environment
    with pytest.raises(PluginError, match=rf"old\.lock: '{re.escape(line)}' is not pinned"):
        assert environment.hash


def test_without_a_lock(tmp_path: Path) -> None:
    place = write_plugin(tmp_path, "")
    (tmp_path / "old.lock").unlink()
    with pytest.raises(PluginError, match="cannot read") as raised:
        assert find(place).revision
    assert "cdner-bench environments lock toy --plugin" in str(raised.value.hint)


def test_a_lock_without_what_the_harness_needs(toy: Path, tmp_path: Path) -> None:
    environment = Environment(tmp_path / "few.lock", "toy", {"cdner_bench": Path(cdner_bench.__file__).parent})
    environment.lock.write_text(f"iniconfig=={OLD}\n", encoding="utf-8")
    with pytest.raises(PluginError, match="does not suffice: ModuleNotFoundError"):
        make(environment)
    assert not environment.is_made


def test_a_name_of_an_environment_becomes_a_path(tmp_path: Path) -> None:
    entry = find(write_plugin(tmp_path, ""))
    with pytest.raises(PluginError, match="environment"):
        replace(entry, spec=replace(entry.spec, environment="../../x"))


def test_most_methods_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["environments", "make", "gazetteer"])
    assert "gazetteer has no environment of its own" in capsys.readouterr().err
