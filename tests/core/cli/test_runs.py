"""`show` and `runs`, as they are typed."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT, Run

METHODS = ROOT / "tests" / "methods.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that is finished and one that failed."""
    folder: Path = tmp_path_factory.mktemp("made")
    words = ["run", "--setting", "single", "--target", "ai", "--benchmark", "mini", "--no-isolate", "--plugin"]
    for status, chosen in ((0, ["failing"]), (1, ["oracle-of-case", "-o", "misdeed=raise at predict"])):
        command = [sys.executable, "-m", "cdner_bench", *words, str(METHODS), "--method", *chosen]
        assert subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == status
    return folder


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    """A copy of it, where commands are typed."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_a_run_is_shown(cli: Run, out: Path) -> None:
    done = cli("show", "failing/ai/0", "--errors", "1")
    assert done.returncode == 0, done.stderr
    for said in (
        "finished, F1 0.00", "single: news → ai", "fit dev f1  12.5 ▁ 12.5   best 12.50 in epoch 1", "doubt",
        "span-f1 per type", "micro", "missed", "gold", "more sentences: --errors", "→ cdner-bench reproduce ",
        "→ cdner-bench runs rm ",
    ):  # fmt: skip
        assert said in done.stdout, said
    narrow = cli("show", "failing/ai/0", COLUMNS="80", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert narrow.returncode == 0
    assert "fit loss" in narrow.stdout
    said = json.loads(cli("show", "failing/ai/0", "--format", "json").stdout)
    assert (said["state"], said["curve"][0]["numbers"]["dev_f1"]) == ("finished", 12.5)
    failed = cli("show", "oracle-of-case/ai/0").stdout
    assert "state      failed" in failed
    assert "misdeed=raise at predict" in failed
    assert "The end of its log" in failed
    assert "  ValueError: I cannot answer" in failed
    assert "reproduce" not in failed
    assert "unknown format 'xml'" in cli("show", "failing/ai/0", "--format", "xml").stderr
    assert "there is no run" in cli("show", "nothing").stderr


def test_no_run_is_removed_that_may_not_have_been_meant(typed: Run, out: Path) -> None:
    """Digits that the ids of several begin with name none of them."""
    kept = [out / "runs" / name for name in ("5abc000000000000", "5abd000000000000")]
    for folder in kept:
        folder.mkdir()
    refused = typed("runs", "rm", "5ab", "--yes")
    assert refused.returncode == 1
    assert "nothing was removed: 2 ids begin with 5ab: 5abc000000000000 (?)" in refused.stderr
    assert "write more digits" in refused.stderr
    assert all(map(Path.is_dir, kept))
    assert typed("runs", "rm", "5abc", kept[1].name, "--yes").returncode == 0
    assert not any(map(Path.exists, kept))


def test_runs_are_listed_and_removed(typed: Run, out: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(typed("runs", "list", "--format", "csv").stdout)))
    assert [(row["method"], row["state"], row["where"]) for row in rows] == [
        ("failing", "finished", "both"),
        ("oracle-of-case", "failed", "folder"),
    ]
    assert json.loads(typed("runs", "list", "--format", "json", "--method", "failing").stdout)[0]["f1"] == 0.0
    for asked in (("--target", "music"), ("--setting", "multi"), ("--method", "m"), ("--benchmark", "crossner")):
        assert "there are no such runs" in typed("runs", "list", *asked).stdout
        assert typed("runs", "list", *asked, "--format", "csv").stdout.splitlines() == [",".join(rows[0])]
        assert typed("runs", "list", *asked, "--paths").stdout == ""
    row = f"failing-{rows[0]['row']}"
    assert typed("runs", "list", "--method", row, "--paths").stdout.splitlines() == [
        rows[0][what] for what in ("result", "predictions", "curve", "folder")
    ]
    listed = typed("runs", "list").stdout
    assert f"{rows[1]['run'][:8]}: ValueError: I cannot answer" in listed
    refused = typed("runs", "rm", row + "/ai/0", rows[1]["run"])
    assert (refused.returncode, "add --yes" in refused.stderr) == (1, True)
    total = sum(int(r["bytes"]) for r in rows)
    assert f"2 runs, {total:,} bytes to remove" in refused.stdout
    assert len(list((out / "runs").glob("*/lock"))) == 2
    done = typed("runs", "rm", row + "/ai/0", rows[1]["run"], "--yes")
    assert done.returncode == 0, done.stderr
    assert not list(out.glob("runs/*/lock"))
    assert "there are no such runs" in typed("runs", "list").stdout


def test_runs_go_to_another_machine_and_a_conflict_is_told(typed: Run, out: Path) -> None:
    done = typed("runs", "export", "a.tar.gz", "failing/ai/0")
    assert "files of 1 run," in done.stdout, done.stderr
    there = typed("runs", "import", "a.tar.gz", "--out", "there")
    assert there.returncode == 0, there.stderr
    assert "0 in conflict" in there.stdout
    assert there.stdout.endswith("  → cdner-bench leaderboard --out there\n")
    (log,) = (out / "there").glob("runs/*/log.txt")
    log.write_text("another\n")
    again = typed("runs", "import", "a.tar.gz", "--out", "there")
    assert again.returncode == 1
    assert f"{log.relative_to(out / 'there')}: another file is here" in again.stdout
    assert typed("runs", "import", "a.tar.gz", "--out", "there", "--replace").returncode == 0
    assert log.read_text() != "another\n"
    assert typed("show", "failing/ai/0", "--out", "there").returncode == 0
    assert "is refused" not in again.stderr
    (out / "a.tar.gz").write_bytes(b"x")
    broken = typed("runs", "import", "a.tar.gz", "--out", "there")
    assert (broken.returncode, "is refused, and nothing was written" in broken.stderr) == (1, True)
