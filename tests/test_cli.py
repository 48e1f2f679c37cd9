"""What a user types, and what a mistake looks like: one or two lines, a non-zero exit, no traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdner_bench.benchmark import Benchmark
from support import Run

METHODS = Path(__file__).parent / "methods.py"
RUN = ["run", "--method", "oracle-of-case", "--setting", "single", "--benchmark", "mini", "--plugin", METHODS]


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        (
            ["run", "--method", "bert-tager", "--setting", "single", "--benchmark", "mini"],
            "unknown method 'bert-tager'",
            "did you mean 'bert-tagger'?",
        ),
        ([*RUN[:4], "singel", *RUN[5:]], "mini has no setting 'singel'", "did you mean 'single'?"),
        ([*RUN, "--target", "musik"], "mini has no target 'musik'", "did you mean 'music'?"),
        ([*RUN, "--preset", "quik"], "method oracle-of-case has no preset 'quik'", "did you mean 'quick'?"),
        ([*RUN, "-o", "lenght=3"], "method oracle-of-case has no option 'lenght'", "did you mean 'length'?"),
        (
            [*RUN, "-o", "length=x"],
            "method oracle-of-case: option length=x: input should be a valid integer",
            None,
        ),
        ([*RUN, "-o", "length"], "'length' is no option", "write -o name=value"),
        ([*RUN, "--target", ""], "--target names nothing", None),
        ([*RUN, "--method", ","], "--method names nothing", None),
        ([*RUN, "--no-plugin", "tager"], "--no-plugin tager: there is no such plugin", "did you mean 'tagger'?"),
        ([*RUN, "--seeds", "x"], "--seeds x: not a number of seeds", "write --seeds 3"),
        ([*RUN, "--benchmark", "minni"], "unknown benchmark 'minni'", "did you mean 'mini'?"),
        ([*RUN, "--plugin", "gone.py"], "there is no file gone.py", "disable it: --no-plugin gone"),
        (["leaderboard", "--format", "mdd"], "unknown format 'mdd'", "did you mean 'md'?"),
        (["score", "gone.jsonl", "--benchmark", "mini"], "cannot read gone.jsonl", None),
        (["models", "fetch", "minlm"], "unknown model 'minlm'", "did you mean 'minilm'?"),
        (["plugin", "check", "nothing"], "unknown method 'nothing'", None),
        (["data", "fetch", "--benchmark", "mini"], "the data of mini is not fetched", None),
    ],
)
def test_a_mistake_is_answered(cli: Run, command: list[object], message: str, hint: str | None) -> None:
    done = cli(*command)
    assert done.returncode == 1
    assert message in done.stderr
    assert hint is None or f"→ {hint}" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


def test_usage_errors_are_the_parser_s(cli: Run) -> None:
    done = cli("run", "--methd", "x")
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_the_first_line_names_the_benchmark_and_why(cli: Run, tmp_path: Path) -> None:
    done = cli(*RUN[:5], "--plugin", METHODS, "--target", "ai", CDNER_DATA=str(tmp_path))
    assert done.stdout.startswith("benchmark mini version 1 (the CrossNER data is not here; cdner-bench data fetch")


def test_a_run_prints_plain_lines_and_a_leaderboard(cli: Run) -> None:
    done = cli(*RUN, "--seeds", "2", "--target", "ai,music")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[1].startswith("[1/4] single/ai oracle-of-case seed 0: finished, F1 ")
    assert "Strict span micro-F1" in done.stdout
    assert "\x1b" not in done.stdout
    assert cli(*RUN, "--seeds", "2", "--target", "ai,music").stdout.count("skipped") == 4


def test_missing_data_is_one_clear_message(cli: Run, tmp_path: Path) -> None:
    done = cli("data", "verify", "--benchmark", "crossner", CDNER_DATA=str(tmp_path))
    assert done.returncode == 1
    assert "there is no file" in done.stderr
    assert "cdner-bench data fetch" in done.stderr


def test_verify_stats_and_audit(cli: Run, crossner: Benchmark) -> None:
    assert "23 files are as declared" in cli("data", "verify", "--benchmark", "crossner").stdout
    assert "203,621" in cli("data", "stats", "--benchmark", "crossner").stdout
    assert "60 groups of identical sentences" in cli("data", "audit", "--benchmark", "crossner").stdout


def test_scoring_a_file_in_every_format(cli: Run, mini: Benchmark, tmp_path: Path) -> None:
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
        done = cli("score", *arguments, "--benchmark", "mini")
        assert done.returncode == 0, done.stderr
        rows = [line.split()[:4] for line in done.stdout.splitlines()]
        assert ["span-f1", *["100.00"] * 3] in rows
        assert ["string-multiset", *["100.00"] * 3] in rows
        assert "wrong boundary" in done.stdout
    assert "needs --target" in cli("score", "tags.bio", "--benchmark", "mini").stderr


def test_a_tampered_result_stops_the_leaderboard_by_name(cli: Run, tmp_path: Path) -> None:
    assert cli(*RUN, "--target", "ai").returncode == 0
    (victim,) = (tmp_path / "leaderboards").rglob("*.json")
    victim.write_text(victim.read_text()[:100])
    done = cli("leaderboard")
    assert done.returncode == 1
    assert victim.name in done.stderr
    assert "not a whole result file" in done.stderr


def test_a_full_disk_is_reported_and_nothing_is_half_written(tmp_path: Path, cli: Run) -> None:
    """A limit on the size of files stands for the full disk; without it, the same command finishes."""
    import shlex
    import subprocess
    import sys

    command = [sys.executable, "-m", "cdner_bench", *map(str, RUN), "--target", "ai"]
    limited = ["bash", "-c", f"ulimit -f 2; exec {shlex.join(command)}"]
    done = subprocess.run(limited, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "failed: File too large" in done.stdout
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
