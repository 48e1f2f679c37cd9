"""What a result says of what its run could know: refused where it contradicts itself or the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import Counts, Given, plugins
from cdner_bench.data import Benchmark
from cdner_bench.errors import RefusedWarning, ResultError
from cdner_bench.records import Result, results
from cdner_bench.running import Change, rescore, runner
from samples import RESULT
from support import ROOT, Nobody

FAIR = replace(
    RESULT,
    given=(Given.TARGET_LABELS,),
    repeated={"news/train": (0,), "ai/dev": (0, 1)},
    by_train={"seen": Counts(1, 0, 1), "seen as another type": Counts(0, 1, 0), "unseen": Counts(0, 1, 2)},
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    results.save(FAIR, tmp_path / "r.json")
    assert results.load(tmp_path / "r.json") == FAIR


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"repeated": {"music/train": (0,)}}, "repeated.music/train"),  # no source
        ({"repeated": {"ai/test": (0,)}}, "repeated.ai/test"),
        ({"repeated": {"ai": (0,)}}, "repeated.ai"),
        ({"repeated": {"ai/dev": ()}}, "repeated.ai/dev"),
        ({"repeated": {"ai/dev": (1, 0)}}, "repeated.ai/dev"),
        ({"repeated": {"ai/dev": (0, 0)}}, "repeated.ai/dev"),
        ({"repeated": {"ai/dev": (2,)}}, "repeated.ai/dev: 2 is beyond"),
        ({"repeated": {"ai/dev": (-1,)}}, "repeated.ai/dev.0"),
        ({"by_train": {"seen": Counts(1, 2, 3)}}, "by_train: it has seen, "),
        ({"by_train": {**FAIR.by_train, "unseen": Counts(0, 2, 2)}}, "by_train: they add up to 1/3/3"),
        ({"by_train": {**FAIR.by_train, "seen": Counts(1, 0, 4), "unseen": Counts(0, 1, -1)}}, "by_train.unseen"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, changed: dict[str, Any], field: str) -> None:
    results.save(replace(FAIR, **changed), tmp_path / "r.json")
    with pytest.raises(ResultError, match=rf"schema 7: {field}"):
        results.load(tmp_path / "r.json")


def make(folder: Path, mini: Benchmark) -> Result:
    entry = plugins.discover([ROOT / "tests" / "methods.py"]).get("oracle-of-case")
    (outcome,) = runner.run(
        runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], None, {}, [0]), folder, Nobody()
    )
    assert outcome.result is not None
    return outcome.result


def test_a_run_fills_it_and_rescore_fills_what_is_older(tmp_path: Path, mini: Benchmark) -> None:
    made = make(tmp_path, mini)
    assert made.repeated == {}
    assert made.by_train["seen"].tp + made.by_train["unseen"].tp > 0
    place = tmp_path / "leaderboards" / "results" / made.path
    results.save(replace(made, repeated=None, by_train={}), place)
    registry = plugins.discover([ROOT / "tests" / "methods.py"])
    assert [r.change for r in rescore(tmp_path, mini, registry)] == [Change.RESCORED]
    assert results.load(place) == made
    for kept in [*tmp_path.rglob("*.jsonl.gz"), *tmp_path.rglob("predictions.jsonl")]:
        kept.unlink()
    results.save(replace(made, repeated=None, by_train={}), place)  # without predictions: what the data alone say
    assert [r.change for r in rescore(tmp_path, mini, registry)] == [Change.LIFTED]
    assert results.load(place) == replace(made, by_train={})


def test_what_contradicts_the_data_that_are_here_is_refused(tmp_path: Path, mini: Benchmark) -> None:
    made = make(tmp_path, mini)
    root = tmp_path / "leaderboards" / "results"
    assert results.load_all(root, mini) == [made]
    seen, unseen = made.by_train["seen"], made.by_train["unseen"]
    moved = {"seen": seen + Counts(0, 0, 1), "unseen": unseen + Counts(0, 0, -1)}
    for other, field in (
        (replace(made, repeated={"ai/dev": (0,)}), "repeated: other test sentences"),
        (replace(made, by_train={**made.by_train, **moved}), "by_train.seen: counted over"),
    ):
        results.save(other, root / made.path)
        with pytest.warns(RefusedWarning, match=field):
            assert not results.load_all(root, mini)
