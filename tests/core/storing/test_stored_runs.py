"""Runs as they lie on the disk: listed whatever state they are in, shown in full, and removed with what is theirs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cdner_bench import plugins
from cdner_bench.data import Benchmark
from cdner_bench.drawing import draw_curve
from cdner_bench.errors import BusyError, RefusedWarning, ResultError
from cdner_bench.io import lock
from cdner_bench.records import BEGUN, results
from cdner_bench.running import Job, runner
from cdner_bench.storing import State, find_stored, list_stored, plan_removal, portray, remove
from support import ROOT, Nobody, few_files

REGISTRY = plugins.discover([ROOT / "tests" / "methods.py"])


def make(mini: Benchmark, out: Path, method: str, targets: Sequence[str], **options: object) -> list[Job]:
    jobs = runner.plan(mini, mini.list_scenarios("single", targets), [REGISTRY.get(method)], "quick", options, [0])
    list(runner.run(jobs, out, Nobody()))
    return jobs


@pytest.fixture
def made(mini: Benchmark, tmp_path: Path) -> dict[str, str]:
    """The ids of a finished run that has a curve, of one that failed, and of one that could not be run."""
    (good,) = make(mini, tmp_path, "failing", ["ai"])
    (bad,) = make(mini, tmp_path, "oracle-of-case", ["music"], misdeed="raise at predict")
    (needy,) = make(mini, tmp_path, "needs-keys", ["ai"])
    return {"good": good.id, "bad": bad.id, "needy": needy.id}


def test_every_state_is_listed(made: dict[str, str], tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    bare = runs / "0123456789abcdef"
    bare.mkdir()
    (bare / "log.txt").write_text("2026-01-01 10:00:00,000 single/politics topt seed 7\nmore\n")
    refused = runs / "fedcba9876543210"
    refused.mkdir()
    (refused / BEGUN).write_text("[]")
    (runs / "no-run").mkdir()
    with pytest.warns(RefusedWarning, match="begun.json is no result"):
        found = {stored.id: stored for stored in list_stored(tmp_path)}
    assert {key: (s.state, s.name, s.where) for key, s in found.items()} == {
        made["good"]: (State.FINISHED, "failing/single/ai/0", "both"),
        made["bad"]: (State.FAILED, "oracle-of-case/single/music/0", "folder"),
        made["needy"]: (State.NOT_RUN, "needs-keys/single/ai/0", "both"),
        bare.name: (State.UNFINISHED, "topt/single/politics/7", "folder"),
        refused.name: (State.REFUSED, "?", "folder"),
    }
    assert found[made["bad"]].reason == "ValueError: I cannot answer"
    assert "needs the keys corpus" in found[made["needy"]].reason
    assert found[made["good"]].seconds
    assert found[bare.name].seconds is None
    assert found[bare.name].log_tail[-1] == "more"
    shutil.rmtree(refused)
    assert [s.id for s in find_stored("topt/politics/7", tmp_path)] == [bare.name]
    assert [s.id for s in find_stored("0123", tmp_path)] == [bare.name]
    assert {s.id for s in list_stored(tmp_path, "mini")} == set(made.values())
    assert list_stored(tmp_path, "crossner") == []


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """In the block this process may do no more than any user may."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_folder_that_is_somebody_elses_stops_nobody(mini: Benchmark) -> None:
    """The runs of one who lets nobody look are listed as far as the board has them; the others are as they were."""
    with TemporaryDirectory() as place:
        out = Path(place)
        out.chmod(0o755)
        ai, music = (make(mini, out, "failing", [target])[0].id for target in ("ai", "music"))
        begun = out / "runs" / "0123456789abcdef"
        begun.mkdir()
        for folder in (out / "runs" / ai, begun):
            folder.chmod(0)

        def look() -> list[tuple[str, State]]:
            portray(find_stored("failing/ai/0", out)[0], mini)
            return [(stored.id, stored.state) for stored in list_stored(out)]

        look()  # imports what somebody else may not read
        with as_somebody_else():
            assert dict(look()) == {ai: State.FINISHED, music: State.FINISHED, begun.name: State.REFUSED}
            (refused,) = [stored for stored in list_stored(out) if stored.state is State.REFUSED]
            assert refused.reason == "its folder may be looked into by its owner only"
        for folder in (out / "runs" / ai, begun):
            folder.chmod(0o755)


def test_sizes_are_those_of_the_files(made: dict[str, str], tmp_path: Path) -> None:
    (stored,) = find_stored(made["good"][:8], tmp_path)
    assert set(stored.paths) == {"result", "predictions", "curve", "folder"}
    files = [*stored.paths.values(), *(tmp_path / "runs" / stored.id).rglob("*")]
    assert stored.size == sum(path.stat().st_size for path in files if path.is_file())


def test_a_run_that_somebody_makes_is_busy_and_stays(made: dict[str, str], tmp_path: Path) -> None:
    both = [stored for stored in list_stored(tmp_path) if stored.id in (made["good"], made["bad"])]
    files = sorted(tmp_path.rglob("*"))
    with lock(tmp_path / "runs" / made["bad"] / "lock"):
        (busy,) = find_stored(made["bad"], tmp_path)
        assert busy.state is State.BUSY
        with pytest.raises(BusyError):
            remove(plan_removal(both, tmp_path))
    assert sorted(tmp_path.rglob("*")) == files


def test_a_removed_run_leaves_nothing_and_takes_nothing_else(made: dict[str, str], tmp_path: Path) -> None:
    (stored,) = find_stored(made["good"], tmp_path)
    others = {path for s in list_stored(tmp_path) if s.id != stored.id for path in s.paths.values()}
    assert stored.folder is not None
    for file in (stored.folder / "run.json", stored.paths["result"], stored.folder):
        assert find_stored(str(file), tmp_path) == [stored]
    removal = plan_removal([stored], tmp_path)
    assert removal.size == stored.size
    remove(removal)
    assert all(path.exists() for path in others)
    assert not any(path.exists() for path in stored.paths.values())
    assert made["good"] not in {s.id for s in list_stored(tmp_path)}
    assert not (tmp_path / "leaderboards" / "predictions" / "mini").exists()
    with pytest.raises(ResultError, match="there is no run"):
        find_stored(made["good"], tmp_path)


def test_more_runs_are_removed_than_a_process_may_have_files_open(tmp_path: Path) -> None:
    for number in range(60):
        folder = tmp_path / "runs" / f"{number:016x}"
        folder.mkdir(parents=True)
        (folder / "log.txt").touch()
    with few_files(30):
        remove(plan_removal(list_stored(tmp_path), tmp_path))
    assert list_stored(tmp_path) == []


@pytest.mark.parametrize(
    ("others", "asked", "goes"),
    [
        ("", False, ()),
        ("", True, ("own", "both")),
        ("both-0123456789abcdef\n", True, ("own",)),
        (None, True, ()),  # of a run of before nobody knows what it uses
    ],
)
def test_a_shared_stage_goes_only_if_nobody_else_uses_it(
    others: str | None, asked: bool, goes: tuple[str, ...], made: dict[str, str], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    stages = {name: runs / "shared" / f"{name}-0123456789abcdef" for name in ("own", "both", "third")}
    for stage in stages.values():
        stage.mkdir()
        (stage / "model.safetensors").write_text("x" * 100)
    shutil.rmtree(runs / made["needy"])
    (runs / made["good"] / "shared.txt").write_text("own-0123456789abcdef\nboth-0123456789abcdef\n")
    if others is None:
        (runs / made["bad"] / "shared.txt").unlink()
    else:
        (runs / made["bad"] / "shared.txt").write_text(others)
    removal = plan_removal(find_stored(made["good"], tmp_path), tmp_path, stages=asked)
    assert set(removal.stages) == {stages[name] for name in goes}
    assert set(removal.kept) == {stages["own"], stages["both"]} - set(removal.stages)
    remove(removal)
    assert {name for name, stage in stages.items() if not stage.exists()} == set(goes)


def test_a_link_is_removed_and_not_followed(made: dict[str, str], tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "runs" / made["bad"], tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    remove(plan_removal(find_stored(made["bad"], tmp_path), tmp_path))
    assert not folder.is_symlink()
    assert (elsewhere / BEGUN).exists()


def test_what_has_taken_the_place_of_a_run_makes_it_stale(made: dict[str, str], tmp_path: Path) -> None:
    (stored,) = find_stored(made["good"], tmp_path)
    result, place = stored.result, stored.on_board
    assert result is not None
    assert place is not None
    newer = replace(result, run="0" * 16, provenance={**result.provenance, "created": "2999-01-01T00:00:00+00:00"})
    results.save(newer, place)
    assert [s.stale for s in list_stored(tmp_path) if s.id == stored.id] == [
        f"run {'0' * 16} has taken its place on the board"
    ]
    results.save(result, place)
    other = replace(newer, seed=1, method=replace(newer.method, revision="99"))
    results.save(other, tmp_path / "leaderboards" / "results" / other.path)
    assert [s.stale for s in list_stored(tmp_path) if s.stale] == [
        f"run {'0' * 16} of its row is newer, of revision 99 and not {result.method.revision}"
    ]


def test_a_portrait_has_every_error_worst_first(made: dict[str, str], tmp_path: Path) -> None:
    (stored,) = find_stored(made["good"], tmp_path)
    portrait = portray(stored)
    assert stored.result is not None
    assert portrait.wrong
    counts = [len(wrong.mistakes) for wrong in portrait.wrong]
    assert counts == sorted(counts, reverse=True)
    assert [(epoch.phase, epoch.epoch) for epoch in portrait.curve] == [("fit", 1)]
    said = portrait.to_data(3)
    assert len(said["sentences"]) == 3
    assert said["types"]["micro"]["fn"] + said["types"]["micro"]["tp"] == sum(
        c.tp + c.fn for c in stored.result.sentences
    )
    assert sum(said["errors"].values()) == sum(counts)
    json.dumps(said, allow_nan=False)
    few = portray(stored, most=3).wrong
    assert few is not None
    assert len(few) == 3
    assert all(wrong in portrait.wrong for wrong in few)
    most = [len(set(w.sentence.entities) ^ set(w.prediction.entities)) for w in (*few, *portrait.wrong)]
    assert sorted(most[:3]) == sorted(most[3:])[-3:]


def test_a_portrait_without_predictions_or_data_says_so(made: dict[str, str], tmp_path: Path) -> None:
    (stored,) = find_stored(made["good"], tmp_path)
    result = stored.result
    assert result is not None
    assert stored.run is not None
    other = replace(result, comparable=replace(result.comparable, data="0" * 64))  # type: ignore[type-var]
    strange = replace(stored, run=replace(stored.run, result=other))
    assert portray(strange).notes == ["no errors with their sentences: the data of mini here are not those of the run"]
    unknown = replace(other, benchmark=replace(other.benchmark, name="nobody-s"))
    strange = replace(stored, run=replace(stored.run, result=unknown))
    assert "the benchmark nobody-s is not shipped" in portray(strange).notes[0]
    (tmp_path / "runs" / stored.id / "predictions.jsonl").unlink()
    stored.paths["predictions"].unlink()
    assert "there are no predictions" in portray(stored).notes[0]
    (failed,) = find_stored(made["bad"], tmp_path)
    assert "test sentences were answered before it ended" in portray(failed).notes[0]
    assert portray(failed).to_data(1)["log"][-1] == "ValueError: I cannot answer"


@pytest.mark.parametrize(
    ("values", "width", "shown"),
    [
        ([], 5, ""),
        ([3.0], 5, "▁"),
        ([2.0, 2.0], 5, "▁▁"),
        ([0.0, 7.0, 3.5], 5, "▁█▅"),
        ([0.0, 0.0, 7.0, 7.0], 2, "▁█"),
        ([float(n) for n in range(100)], 8, "▁▂▃▄▅▆▇█"),
    ],
)
def test_a_curve_is_drawn_in_a_line(values: list[float], width: int, shown: str) -> None:
    assert draw_curve(values, width) == shown
