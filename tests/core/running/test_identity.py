"""A run's record is the run's own: what was changed in it makes no row, and what is none is named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.data import benchmark
from cdner_bench.records import locate_predictions
from cdner_bench.running import Ending, Job, Outcome, runner
from support import ROOT, Nobody

METHODS = ROOT / "tests" / "methods.py"


def make_jobs(seeds: tuple[int, ...] = (0,)) -> list[Job]:
    mini = benchmark.load("mini")
    entry = plugins.discover([METHODS]).get("oracle-of-case")
    return runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], None, {}, seeds)


def run(folder: Path, seeds: tuple[int, ...] = (0,)) -> list[Outcome]:
    return list(runner.run(make_jobs(seeds), folder, Nobody()))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    assert [outcome.status for outcome in run(folder)] == [Ending.FINISHED]
    return folder / "runs" / make_jobs()[0].id


def put(finished: Path, folder: Path) -> Path:
    """A copy of the run, of which no board knows; where its record is."""
    place = folder / "runs" / finished.name
    place.mkdir(parents=True)
    for name in ("run.json", "predictions.jsonl"):
        (place / name).write_bytes((finished / name).read_bytes())
    return place / "run.json"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run", "0123456789abcdef"),
        ("seed", 1),
        ("benchmark/data", "00"),
        ("benchmark/version", "3"),
        ("scenario/target", "music"),
        ("scenario/setting", "multi"),
        ("scenario/sources", ["politics"]),
        ("comparable/data", "00"),
        ("comparable/sentences", [1, 1, 132]),
        ("method/name", "better"),
        ("method/revision", "9"),
        ("method/options/length", 2),
        ("method/backbone", "bert-large"),
        ("method/knowledge_options", ["length"]),
    ],
)
def test_a_record_of_another_run_is_refused(finished: Path, tmp_path: Path, field: str, value: object) -> None:
    record = put(finished, tmp_path)
    table = json.loads(record.read_text())
    place = table
    *path, last = field.split("/")
    for key in path:
        place = place[key]
    place[last] = value
    if field == "benchmark/version":
        table["comparable"]["version"] = value
    record.write_text(json.dumps(table))
    changed, other = run(tmp_path, (0, 1))
    assert (changed.status, other.status) == (Ending.FAILED, Ending.FINISHED)
    named = "method.options" if field == "method/options/length" else path[0] if path and path[0] != "method" else field
    assert changed.message == f"{record} is not this run's: {named.replace('/', '.')} is another"
    assert changed.hint == f"remove it, and the run is finished again: rm {record}"
    assert len(list((tmp_path / "leaderboards" / "results").rglob("*.json"))) == 1
    record.unlink()
    assert [outcome.status for outcome in run(tmp_path)] == [Ending.FINISHED]


def test_the_name_of_the_preset_is_no_part_of_a_run(finished: Path, tmp_path: Path) -> None:
    record = put(finished, tmp_path)
    record.write_text(record.read_text().replace('"preset": "quick"', '"preset": "cpu"'))
    assert [outcome.status for outcome in run(tmp_path)] == [Ending.SKIPPED]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "no regular file"),
        (Path.mkdir, "Is a directory"),
        (lambda path: path.write_text("[" * 100_000), "nested too deeply"),
        (lambda path: path.write_text("{}"), "no schema"),
        (lambda path: path.write_bytes(b"\xff"), "not UTF-8"),
    ],
)
def test_what_is_no_record_is_named(finished: Path, tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    record = put(finished, tmp_path)
    record.unlink()
    make(record)
    (outcome,) = run(tmp_path)
    assert outcome.status is Ending.FAILED
    assert f"{record}" in outcome.message
    assert said in outcome.message
    assert outcome.hint == f"remove it and run again: rm {record}"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: lines[:-1], "has 131 predictions for 132 sentences"),
        (lambda lines: [*lines, lines[0]], "has more predictions for 132 sentences"),
        (lambda lines: [lines[1], *lines[1:]], "predictions.jsonl:1: 'id' is"),
        (lambda lines: [*lines[:-1], lines[-1][:-3]], "predictions.jsonl:132: not JSON"),
        (
            lambda lines: [
                *lines[:4],
                lines[4].replace('"entities": [', '"entities": [[0, 1, "planet"], '),
                *lines[5:],
            ],
            "",
        ),
        (lambda lines: [lines[0].replace('"id"', '"id": "x", "id"'), *lines[1:]], "'id' stands twice"),
        (
            lambda lines: [lines[0].replace('"entities": [', '"entities": [[0, 999, "person"], '), *lines[1:]],
            "ends outside",
        ),
        (lambda lines: ["[" * 100_000 + "\n", *lines[1:]], "nested too deeply"),
    ],
)
def test_predictions_of_a_finished_run_answer_its_sentences(
    finished: Path, tmp_path: Path, damage: Callable[[list[str]], list[str]], said: str
) -> None:
    path = put(finished, tmp_path).with_name("predictions.jsonl")
    path.write_text("".join(damage(path.read_text().splitlines(keepends=True))))
    (outcome,) = run(tmp_path)
    assert outcome.status is Ending.FAILED
    assert str(path) in outcome.message
    assert said in outcome.message
    assert not list((tmp_path / "leaderboards").rglob("*.json"))


def test_what_is_no_file_in_the_place_of_predictions_is_named(finished: Path, tmp_path: Path) -> None:
    (first,) = run(tmp_path)
    assert first.result is not None
    place = locate_predictions(tmp_path / "leaderboards", first.result)
    place.unlink()
    os.mkfifo(place)
    (again,) = run(tmp_path)
    assert (again.status, again.message) == (Ending.FAILED, f"cannot read {place}: it is no regular file")


def test_a_changed_result_on_the_board_is_not_taken_for_the_run(finished: Path, tmp_path: Path) -> None:
    (first,) = run(tmp_path)
    assert first.result is not None
    place = tmp_path / "leaderboards" / "results" / first.result.path
    place.write_text(place.read_text().replace('"target": "ai"', '"target": "music"'))
    (tmp_path / "runs" / finished.name / "run.json").unlink()
    (again,) = run(tmp_path)
    assert again.status is Ending.FINISHED  # it was not skipped, and is on the board again
    assert place.read_text() == (tmp_path / "runs" / finished.name / "run.json").read_text()
    assert locate_predictions(tmp_path / "leaderboards", first.result).exists()
