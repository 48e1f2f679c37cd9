"""A plugin with a pyproject.toml of its own, installed: found by its entry point, checked, run, measured with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

import pytest

from support import ROOT, Run

Typed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the plugin is installed."""
    place: Path = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*pip, str(place), str(ROOT / "tests" / "toy-plugin")], check=True, capture_output=True)
    return place


@pytest.fixture
def typed(site: Path, cli: Run) -> Typed:
    """Type a command where the plugin is installed."""
    search = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    return lambda *arguments: cli(*arguments, PYTHONPATH=search)


def test_its_entry_point_names_the_module(site: Path) -> None:
    (installed,) = distributions(path=[str(site)])
    (entry,) = installed.entry_points
    assert (installed.name, entry.group, entry.name, entry.value) == (
        "cdner-toy",
        "cdner_bench",
        "cdner-toy",
        "cdner_toy",
    )


def test_it_is_listed_with_the_plugin_it_comes_from(typed: Typed, cli: Run) -> None:
    (line,) = (line for line in typed("list").stdout.splitlines() if "toy-case" in line)
    assert "cdner-toy" in line
    assert "toy-words" in typed("list").stdout
    assert "toy-" not in cli("list").stdout


def test_it_passes_the_suite(typed: Typed) -> None:
    checked = typed("plugin", "check", "toy-case")
    assert checked.returncode == 0, checked.stdout
    assert "toy-case keeps the contract" in checked.stdout


def test_it_runs_on_the_sample_and_has_a_row(typed: Typed, tmp_path: Path) -> None:
    ran = typed("run", "--method", "toy-case", "--setting", "multi", "--benchmark", "mini")
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.count("finished, F1") == 5
    assert typed("leaderboard").returncode == 0
    assert "toy-case" in (tmp_path / "leaderboards" / "mini" / "multi.md").read_text(encoding="utf-8")


def test_its_analysis_measures(typed: Typed, tmp_path: Path) -> None:
    done = typed("analyze", "--analysis", "toy-words", "--corpus", "gtok", "--domain", "ai", "--benchmark", "mini")
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "leaderboards" / "measurements").rglob("*.json")
    assert json.loads(file.read_text(encoding="utf-8"))["measurement"]["numbers"]["words"] > 1000


def test_it_can_be_left_out(typed: Typed) -> None:
    done = typed("list", "--no-plugin", "cdner-toy")
    assert done.returncode == 0
    assert "toy-" not in done.stdout
