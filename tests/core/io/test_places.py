"""Where things lie: the environment decides, then the system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cdner_bench.io import find_benchmarks_dir, find_cache_dir, find_data_dir


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("CDNER_DATA", raising=False)
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
def test_the_cache_of_linux_is_where_it_was(home: Path) -> None:
    assert find_cache_dir() == home / ".cache" / "cdner-bench"
    assert find_data_dir() == home / ".cache" / "cdner-bench" / "data"


def test_the_environment_decides(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    assert find_cache_dir() == home / "cache" / "cdner-bench"
    assert find_data_dir() == home / "cache" / "cdner-bench" / "data"
    monkeypatch.setenv("CDNER_DATA", "~/corpora")
    assert find_data_dir() == home / "corpora"
    assert find_cache_dir() == home / "cache" / "cdner-bench"


def test_the_shipped_benchmarks_are_found() -> None:
    assert (find_benchmarks_dir() / "mini.toml").is_file()
