"""An installed wheel works from any directory: code, benchmark files, the sample and the plugins are in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support import ROOT


@pytest.mark.slow
def test_a_wheel_works_from_any_directory(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(wheel, check=True, capture_output=True)
    (built,) = tmp_path.glob("*.whl")
    typed = {name.removesuffix("/py.typed") for name in zipfile.ZipFile(built).namelist() if name.endswith("/py.typed")}
    assert typed == {"cdner_bench", *(p.name for p in (ROOT / "plugins").iterdir() if (p / "__init__.py").exists())}
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    install = [*pip, "install", "--quiet", "--no-deps", "--target", str(site), str(built)]
    subprocess.run(install, check=True, capture_output=True)
    elsewhere.mkdir()

    def run(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, "-m", "cdner_bench", *arguments],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    code = "import cdner_bench, cdner_tagger; print(cdner_bench.__file__, cdner_tagger.__file__)"
    where = subprocess.run(
        [sys.executable, "-c", code],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert where.count(str(site)) == 2
    assert "bert-tagger" in run("list")
    assert "33 files" in run("data", "verify", "--benchmark", "mini")
    corpus = "cdner_bench/benchmarks/mini/ai/gtok.json"
    assert "159 of 159" in run(
        "gtok", "clean", str(site / corpus), "--out", "g.json", "--domain", "ai", "--benchmark", "mini"
    )
    run("plugin", "new", "any-method")
    plugin = "any-method/cdner_any_method.py"
    assert "F1" in run(
        "run", "--method", "any-method", "--setting", "single", "--benchmark", "mini", "--plugin", plugin
    )
    run("leaderboard")
    assert (elsewhere / "leaderboards" / "mini" / "single.md").read_text().startswith("# mini")
