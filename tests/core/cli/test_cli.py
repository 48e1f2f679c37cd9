"""What a user types, and what comes of it."""

from __future__ import annotations

import json
import platform
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from cdner_bench.data import Benchmark
from support import ROOT, Run

METHODS = ROOT / "tests" / "methods.py"
RUN = ["run", "--method", "oracle-of-case", "--setting", "single", "--benchmark", "mini", "--plugin", METHODS]


def test_the_first_line_names_the_benchmark_and_why(cli: Run, tmp_path: Path) -> None:
    done = cli(*RUN[:5], "--plugin", METHODS, "--target", "ai", CDNER_DATA=str(tmp_path))
    assert done.stdout.startswith("benchmark mini version 2 (the CrossNER data is not here; cdner-bench data fetch")


def test_a_run_prints_plain_lines_and_a_leaderboard(cli: Run) -> None:
    done = cli(*RUN, "--seeds", "2", "--target", "ai,music")
    assert done.returncode == 0
    who = "[1/4] single/ai oracle-of-case seed 0"
    phases = [f"{who}: {phase}" for phase in ("load", "fit", "predict", "score")]
    lines = done.stdout.splitlines()
    assert lines[1:6] == ["no run like these was made yet: how long is not known", *phases]
    assert lines[6].startswith(f"{who}: finished, F1 ")
    assert "Strict span micro-F1" in done.stdout
    assert "\x1b" not in done.stdout
    assert cli(*RUN, "--seeds", "2", "--target", "ai,music").stdout.count("skipped") == 4


def test_version_says_what_is_installed(cli: Run) -> None:
    import cdner_bench

    done = cli("--version")
    assert done.returncode == 0
    release, packages = done.stdout.splitlines()
    assert re.fullmatch(
        rf"cdner-bench {cdner_bench.__version__}( \(commit [0-9a-f]{{10}}(, changed since)?\))?", release
    )
    assert packages.startswith(f"Python {platform.python_version()}, ")
    assert f"torch {version('torch')}" in packages
    assert f"version: {cdner_bench.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_missing_data_is_one_clear_message(typed: Run, tmp_path: Path) -> None:
    done = typed("data", "verify", "--benchmark", "crossner", CDNER_DATA=str(tmp_path))
    assert done.returncode == 1
    assert "there is no file" in done.stderr
    assert "cdner-bench data fetch" in done.stderr


def test_verify_stats_and_audit(typed: Run, crossner: Benchmark) -> None:
    verified = typed("data", "verify", "--benchmark", "crossner").stdout
    missing = [name for name in ("ai", "science") if "dapt" not in crossner.corpus(name).resources]
    assert f"{25 - len(missing)} files are as declared" in verified
    assert all(f"dapt/{name}.txt" in verified for name in missing)
    assert "203,621" in typed("data", "stats", "--benchmark", "crossner").stdout
    audited = typed("data", "audit", "--benchmark", "crossner").stdout
    assert "60 groups of identical sentences carry different labels; 5 of them, all with --show-conflicts 60" in audited
    none = typed("data", "audit", "--benchmark", "mini").stdout.splitlines()
    assert none[-1] == "0 groups of identical sentences carry different labels"  # and no table without a row
    assert re.search(r"ai +22\.3% +23\.1% +34\.40", audited)


def test_scoring_a_file_in_every_format(typed: Run, mini: Benchmark, tmp_path: Path) -> None:
    from cdner_bench import conll, text2text

    gold = mini.corpus("ai").test
    spans = "".join(
        json.dumps({"id": s.id, "entities": [[e.start, e.end, e.type] for e in s.entities]}) + "\n" for s in gold
    )
    raw = "".join(json.dumps({"id": s.id, "raw": text2text.answer(s)}) + "\n" for s in gold)
    (tmp_path / "spans.jsonl").write_text(spans)
    (tmp_path / "raw.jsonl").write_text(raw)
    conll.write(tmp_path / "tags.bio", gold)
    for arguments in (["spans.jsonl"], ["raw.jsonl"], ["tags.bio", "--target", "ai"]):
        done = typed("score", *arguments, "--benchmark", "mini")
        assert done.returncode == 0, done.stderr
        rows = [line.split()[:4] for line in done.stdout.splitlines()]
        assert ["span-f1", *["100.00"] * 3] in rows
        assert ["string-multiset", *["100.00"] * 3] in rows
        assert "unplaced" in done.stdout
    assert "needs --target" in typed("score", "tags.bio", "--benchmark", "mini").stderr


def test_a_tampered_result_stops_the_leaderboard_by_name(cli: Run, tmp_path: Path) -> None:
    assert cli(*RUN, "--target", "ai").returncode == 0
    (victim,) = (tmp_path / "leaderboards").rglob("*.json")
    victim.write_text(victim.read_text()[:100])
    done = cli("leaderboard")
    assert done.returncode == 1
    assert victim.name in done.stderr
    assert "is not JSON" in done.stderr


def test_a_full_disk_is_reported_and_nothing_is_half_written(tmp_path: Path, cli: Run) -> None:
    """A limit on the size of files stands for the full disk; without it, the same command finishes."""
    import shlex
    import subprocess
    import sys

    command = [sys.executable, "-m", "cdner_bench", *map(str, RUN), "--target", "ai"]
    limited = ["bash", "-c", f"ulimit -f 2; exec {shlex.join(command)}"]
    done = subprocess.run(limited, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"failed: cannot write in {tmp_path / 'runs'}/" in done.stdout
    assert "File too large" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not list((tmp_path / "leaderboards").rglob("*.json"))
    assert cli(*RUN, "--target", "ai").returncode == 0
    assert len(list((tmp_path / "leaderboards").rglob("*.json"))) == 1


def test_a_broken_pipe_is_no_error(tmp_path: Path) -> None:
    import subprocess
    import sys

    command = f"{sys.executable} -m cdner_bench list | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


def test_a_corpus_of_explanations_is_refused_cleaned_and_counted(typed: Run, mini: Benchmark, tmp_path: Path) -> None:
    from cdner_bench import gtok, knowledge
    from cdner_bench.knowledge.leaks import HeldOut

    corpus = mini.corpus("ai")
    made = json.loads(corpus.resources["gtok-by-hand"].read_text())
    secret, gold = HeldOut(corpus).surfaces[0], corpus.test[0]
    made[3]["explanations"][0]["explanation"] += f" So is {secret}."
    made[5]["explanations"][0]["explanation"] = "[bold]Well! However, \x1b[31m"
    made.append({"text": gold.text, "explanations": []})
    path = tmp_path / "made it.json"
    path.write_text(json.dumps(made))
    total = sum(len(r["explanations"]) for r in made)

    done = typed("gtok", "check", path.name, "--domain", "ai", "--benchmark", "mini")
    assert done.returncode == 1
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows if row and row[0].isdigit()] == ["3", str(len(made) - 1)]
    assert secret in done.stdout
    clean = "gtok clean 'made it.json' --out 'made it-clean.json' --domain ai --benchmark mini"
    assert f"→ type: cdner-bench {clean}" in done.stderr

    said = [
        "gtok",
        "clean",
        path.name,
        "--out",
        "c.json",
        "--domain",
        "ai",
        "--benchmark",
        "mini",
        "--report",
        "r.json",
    ]
    done = typed(*said)
    assert done.returncode == 0, done.stderr
    assert f"{total - 2} of {total} explanations in {len(made) - 1} of {len(made)} records are kept" in done.stdout
    assert "Dropped explanations by type" in done.stdout
    assert {r["name"]: r["explanations"] for r in json.loads((tmp_path / "r.json").read_text())["rules"]}[
        "however"
    ] == 1
    done = typed("gtok", "check", "c.json", "--domain", "ai", "--benchmark", "mini")
    assert (done.returncode, done.stderr) == (0, "")

    done = typed("gtok", "stats", "--corpus", "c.json", "--domain", "ai", "--benchmark", "mini")
    counted = knowledge.statistics(gtok.records(tmp_path / "c.json"), corpus)
    row = next(line.split() for line in done.stdout.splitlines() if line.strip().startswith("ai "))
    assert row[:4] == ["ai", str(len(made) - 1), str(total - 2), f"{counted.tokens:,}"]
    assert row[-1] == "0.01"
    assert "programlang" in done.stdout
    assert len(typed("gtok", "stats", "--benchmark", "mini").stdout.splitlines()) > 60


def test_tables_1_and_3(typed: Run, crossner: Benchmark) -> None:
    if "gtok" not in crossner.corpus("ai").resources:
        pytest.skip("the released GTOK corpora are not here")
    shown = typed("gtok", "stats", "--benchmark", "crossner").stdout
    rows = [line.split() for line in shown.splitlines()]
    assert ["politics", "165", "602", "72,059", "20.4", "6.02", "3.01", "0.54"] in rows
    assert ["politics", "politicalparty", "195", "15", "0.92"] in rows
