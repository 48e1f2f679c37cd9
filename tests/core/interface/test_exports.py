"""What other projects read: files that their schemas allow, with the boards' values and nobody's orders or keys."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdner_bench import OptionError
from cdner_bench.data import Benchmark
from cdner_bench.interface import Evaluator, Place, write_every_eval_ever, write_hub
from cdner_bench.records import MethodFacts, Result, Status, results
from cdner_bench.reporting import Board, collect_boards, make_boards
from hostile import TEXTS, find_harm
from samples import RESULT, name_run, run
from support import ROOT, Run

THEIRS = json.loads((Path(__file__).parent / "schemas" / "every-eval-ever-0.3.0.json").read_text(encoding="utf-8"))
PATH = re.compile(
    r"data/[a-z0-9._-]+/[a-z0-9._-]+/[a-z0-9._-]+/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.json"
)
"""What that project's own validation wants of a path."""

# By hand, from https://huggingface.co/docs/hub/eval-results; the Hub publishes no schema.
HUB = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["dataset", "value"],
        "additionalProperties": False,
        "properties": {
            "dataset": {
                "type": "object",
                "required": ["id", "task_id"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "pattern": "^[^/]+/[^/]+$"},
                    "task_id": {"type": "string", "minLength": 1},
                    "revision": {"type": "string", "minLength": 1},
                },
            },
            "value": {"type": "number"},
            "verifyToken": {"type": "string"},
            "date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?$"},
            "source": {
                "type": "object",
                "required": ["url"],
                "additionalProperties": False,
                "properties": {name: {"type": "string"} for name in ("url", "name", "user", "org")},
            },
            "evaluation_framework": {"type": "string"},
            "notes": {"type": "string"},
        },
    },
}
US = Evaluator("My Lab")
THERE = Place("my-lab/mini", "0" * 40, "https://example.org/runs")


def check(document: object, schema: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(document)


def on_mini(mini: Benchmark, *found: Result) -> list[Board]:
    targets = mini.setting("single").targets
    facts = replace(RESULT.benchmark, version=mini.version)
    spread = [
        replace(r, benchmark=facts, scenario=replace(r.scenario, target=t), run=name_run(r.method, t, r.seed))
        for r in found
        for t in targets
    ]
    return make_boards(spread, mini)


def write_all_to_hub(boards: list[Board]) -> dict[Path, str]:
    """The files of each benchmark by itself: a dataset is of one."""
    names = dict.fromkeys(board.benchmark.name for board in boards)
    parts = [write_hub([board for board in boards if board.benchmark.name == name], THERE) for name in names]
    return {path: text for part in parts for path, text in part.items()}


@pytest.fixture(scope="module")
def shipped() -> list[Board]:
    return collect_boards(ROOT / "leaderboards", [])


def test_all_that_is_shipped_fits_the_schemas(shipped: list[Board]) -> None:
    files = {path.as_posix(): json.loads(text) for path, text in write_every_eval_ever(shipped, US).items()}
    rows = [(board, row) for board in shipped for row in board.every_row if row.finished]
    assert len(files) == len(rows) > 10
    for path, record in files.items():
        check(record, THEIRS)
        assert PATH.fullmatch(path)
        assert path.split("/")[2:4] == record["model_info"]["id"].split("/")
    written = write_all_to_hub(shipped)
    assert len(written) == len(rows)
    for text in written.values():
        check(yaml.safe_load(text), HUB)


def test_values_are_the_board_s(shipped: list[Board]) -> None:
    theirs = {
        (record["model_info"]["id"].partition("/")[2], score["evaluation_name"]): score["score_details"]
        for record in map(json.loads, write_every_eval_ever(shipped, US).values())
        for score in record["evaluation_results"]
    }
    hub = {
        (path.parts[0], path.stem, entry["dataset"]["task_id"]): entry["value"]
        for path, text in write_all_to_hub(shipped).items()
        for entry in yaml.safe_load(text)
    }
    compared = 0
    for board in shipped:
        for ranked in (*board.ranked, *board.unranked):
            row, place = ranked.row, f"{board.benchmark.name}/{board.setting}"
            model = f"{row.method}-{row.results[0].method.row}"
            for target in row.targets:
                if estimate := row.f1(target):
                    assert theirs.pop((model, f"{place}/{target}"))["score"] == estimate.mean
                    key = (model, place.replace("/", "-"), f"{board.setting}-{target}")
                    assert hub.pop(key) == estimate.mean
                    compared += 1
            if average := row.average():
                whole = theirs.pop((model, f"{place}/mean of the targets"))
                assert whole["score"] == average.mean
                if ranked.interval:
                    ends = whole["uncertainty"]["confidence_interval"]
                    assert (ends["lower"], ends["upper"]) == (ranked.interval.low, ranked.interval.high)
    assert (theirs, hub) == ({}, {})
    assert compared > 50


def test_the_hub_s_own_library_reads_the_files(mini: Benchmark) -> None:
    hub = pytest.importorskip("huggingface_hub", minversion="1.3")
    (text,) = write_hub(on_mini(mini, run(40), replace(run(44), seed=1)), THERE).values()
    data = yaml.safe_load(text)
    entries = hub.parse_eval_result_entries(data)
    assert hub.eval_result_entries_to_yaml(entries) == data
    assert [entry.task_id for entry in entries] == [f"single-{target}" for target in mini.setting("single").targets]
    assert {(entry.value, entry.dataset_id, entry.source_name) for entry in entries} == {
        (42.0, "my-lab/mini", "cdner-bench")
    }
    assert "mean of 2 seeds" in entries[0].notes


def test_only_finished_runs_are_written(mini: Benchmark) -> None:
    lacking = replace(run(0), status=Status.INCOMPLETE, reason="answers", scores={}, sentences=[], phases=[])
    assert write_hub(on_mini(mini, lacking), THERE) == write_every_eval_ever(on_mini(mini, lacking), US) == {}
    boards = on_mini(mini, run(40), replace(lacking, seed=1))
    for record in map(json.loads, write_every_eval_ever(boards, US).values()):
        assert {score["score_details"]["details"]["seeds"] for score in record["evaluation_results"]} == {"1"}


def test_what_boards_leave_out_is_left_out_and_said(tmp_path: Path, mini: Benchmark, typed: Run) -> None:
    here = replace(run(40), benchmark=replace(RESULT.benchmark, version=mini.version))
    older = replace(here, seed=1, run="1" * 16, method=replace(here.method, revision="0"), provenance={})
    for result in (here, older):
        results.save(result, tmp_path / "leaderboards" / "results" / result.path)
    said = typed("export", "hub", "h", "--dataset", "a/b", "--benchmark", "mini")
    assert "left out of mini/single: 1 result of topt (ai): it is of revision 0" in said.stderr
    (path,) = (tmp_path / "h").rglob("*.yaml")
    assert "one seed" in yaml.safe_load(path.read_text(encoding="utf-8"))[0]["notes"]


def test_predictions_that_somebody_brought_are_marked(mini: Benchmark) -> None:
    brought = replace(
        run(40),
        method=MethodFacts("theirs", "predictions only", "predictions only", {}),
        departures=(),
        phases=[],
        device="",
        usage=None,
    )
    boards = on_mini(mini, brought)
    (record,) = map(json.loads, write_every_eval_ever(boards, US).values())
    check(record, THEIRS)
    assert record["model_info"]["additional_details"]["deployment_type"] == "unknown"
    assert "predictions only" in record["model_info"]["additional_details"]["remarks"]
    (text,) = write_hub(boards, THERE).values()
    assert all("predictions only: nobody knows" in entry["notes"] for entry in yaml.safe_load(text))


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_others_stay_texts(mini: Benchmark, text: str) -> None:
    method = replace(RESULT.method, name="m", options={"backbone": text}, backbone=text)
    said = replace(run(40), method=method, departures=("backbone",), model=replace(RESULT.model, backbone=text))
    boards = on_mini(mini, replace(said, device=text))
    ((path, written),) = write_every_eval_ever(boards, Evaluator(f"lab {text[:20]}")).items()
    record = json.loads(written)
    check(record, THEIRS)
    assert PATH.fullmatch(path.as_posix())
    (yaml_text,) = write_hub(boards, THERE).values()
    check(entries := yaml.safe_load(yaml_text), HUB)
    assert len(entries) == len(mini.setting("single").targets)
    assert find_harm(written + yaml_text) == []


def test_no_key_leaves(mini: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", key := "s3cr3t-0123456789abcdef")
    method = replace(RESULT.method, options={"note": f"with {key}"})
    boards = on_mini(mini, replace(run(40), method=method, departures=("note",)))
    written = [*write_every_eval_ever(boards, US).values(), *write_hub(boards, THERE).values()]
    assert len(written) == 2
    assert key not in "".join(written)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Evaluator("…"), "leaves no name for a folder"),
        (lambda: Evaluator("data"), "leaves no name for a folder"),
        (lambda: Evaluator("con"), "leaves no name for a folder"),
        (lambda: Evaluator("lab", "friends"), "no such word"),
        (lambda: Place("mini"), "no dataset of the Hub"),
        (lambda: Place("a/b/c"), "no dataset of the Hub"),
        (lambda: Place("a/b\n- x: 1"), "no dataset of the Hub"),
        (lambda: Place("a/b", source="javascript:alert(1)"), "no address"),
    ],
)
def test_wrong_words_are_refused(make: Any, said: str) -> None:
    with pytest.raises(OptionError, match=said) as caught:
        make()
    assert caught.value.hint


def test_the_commands_write_the_same_bytes_again(tmp_path: Path, typed: Run) -> None:
    results = ["--out", ROOT, "--benchmark", "mini"]
    commands = {
        "e": ["every-eval-ever", "e", "--organization", "My Lab", *results],
        "h": ["hub", "h", "--dataset", "my-lab/mini", *results],
    }
    for folder, words in commands.items():
        said = typed("export", *words)
        assert said.returncode == 0, said.stderr
        written = {path: path.read_bytes() for path in (tmp_path / folder).rglob("*.*") if path.is_file()}
        assert sorted(said.stdout.split()[1::2]) == sorted(str(path.relative_to(tmp_path)) for path in written)
        assert typed("export", *words).stdout == said.stdout
        assert {path: path.read_bytes() for path in written} == written
    several = typed("export", *commands["h"][:4], "--out", ROOT)
    assert several.returncode == 1
    assert "is of one benchmark, there are results of crossner, mini\n  → say which: --benchmark" in several.stderr
    nothing = typed("export", *commands["h"][:4], "--out", "empty")
    assert nothing.returncode == 1
    assert "there are no results in empty/leaderboards/results" in nothing.stderr
