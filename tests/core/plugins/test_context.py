"""What a run is lent, where nobody watches it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cdner_bench import Doubt, RunContext
from cdner_bench.errors import OptionError, ResultError
from cdner_bench.io import Phase, meter
from cdner_bench.plugins import SHARED_STAGES, Epoch, Unwatched
from cdner_bench.records import encode_curve, read_curve
from support import context


def test_a_context_without_observer_and_log_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = RunContext.create(0, tmp_path, tmp_path / "shared")
    with run.phase("fit"):
        run.progress(1, 2, loss=0.5)
        run.note("a note")
        run.log.warning("a warning")
    assert capfd.readouterr() == ("", "")


def test_a_stage_that_draws_nothing_is_shared_by_all_seeds(tmp_path: Path) -> None:
    def place(seed: int, *, seeded: bool) -> Path:
        run = RunContext.create(seed, tmp_path / str(seed), tmp_path / "shared")
        return run.stage("base", lambda folder: None, {"made from": "x"}, seeded=seeded)

    assert place(1, seeded=False) == place(2, seeded=False)
    assert place(1, seeded=True) != place(2, seeded=True)


def test_a_misspelt_backbone_is_looked_for_at_no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = context(tmp_path)
    with pytest.raises(OptionError, match="unknown model 'mpnett'") as caught:
        run.backbone("mpnett")
    assert caught.value.hint == "did you mean 'mpnet'?"
    (tmp_path / "mpnett").mkdir()
    names = ["mpnett", "they/mpnett", "bert-base-cased"]
    assert [run.backbone(name) for name in names] == names


def test_an_aside_is_a_phase_of_its_own_and_no_part_of_the_open_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    run = context(tmp_path)
    with run.phase("fit"):  # 0
        for _ in range(2):
            with run.aside("dev") as dev:  # 10 to 20, 30 to 40
                dev.sentences += 5
    assert [(p.name, p.seconds, p.sentences) for p in run.phases] == [("fit", 30.0, 0), ("dev", 20.0, 10)]
    with pytest.raises(RuntimeError, match="aside of no phase"), run.aside("dev"):
        pass


def test_how_busy_the_machine_was_is_told_of_all_blocks_of_a_phase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is read at the ends of each block: others work in the first answers to dev only."""
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(meter, "count_cores", os.cpu_count)
    monkeypatch.setattr(os, "times", lambda: (0.0,) * 5)
    used = iter([0, 0, 10, 10, 10, 10])  # core seconds of all processes
    hertz = os.sysconf("SC_CLK_TCK")
    monkeypatch.setattr(Path, "read_text", lambda *_: f"cpu {next(used) * hertz} 0 0 0 0 0 0 0 0 0\n")
    run = context(tmp_path)
    with run.phase("fit"):  # 0 to 50
        for _ in range(2):
            with run.aside("dev"):  # 10 to 20, 30 to 40
                pass
    assert [(p.name, p.seconds, p.others, p.quiet) for p in run.phases] == [
        ("fit", 30.0, 0.2, True), ("dev", 20.0, 0.5, False),
    ]  # fmt: skip


def test_a_phase_is_too_short_for_the_account_of_others_or_it_counts() -> None:
    assert [Phase("fit", seconds, others=1.0).quiet for seconds in (0.05, 0.5)] == [True, False]
    assert [Phase("fit", 9.0, others=others).quiet for others in (None, 0.25, 0.26)] == [True, True, False]


def test_a_learning_curve_goes_with_its_stage_and_is_kept_beside_the_predictions(tmp_path: Path) -> None:
    def build(run: RunContext) -> None:
        with run.phase("source"):
            run.learnt(1, loss=1 / 3, dev_f1=float("nan"))
            run.learnt(2, loss=0.25, dev_f1=50.0)

    curve = [Epoch("source", 1, {"loss": 0.333333}), Epoch("source", 2, {"loss": 0.25, "dev_f1": 50.0})]
    for number in range(2):
        run = RunContext.create(0, tmp_path / str(number), tmp_path / "shared")
        place = run.stage("source", lambda folder, run=run: build(run), {"made from": "x"})  # type: ignore[misc]
        assert run.curve == curve
        assert (tmp_path / str(number) / SHARED_STAGES).read_text() == f"{place.name}\n"
    kept = tmp_path / "curve.jsonl"
    kept.write_text(encode_curve(curve))
    assert read_curve(kept) == curve
    with pytest.raises(RuntimeError, match="epoch 3 ends in no phase"):
        run.learnt(3)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        "x",
        '{"phase": "a", "epoch": 1}',
        '{"phase": 1, "epoch": 1, "numbers": {}}',
        '{"phase": "a", "epoch": true, "numbers": {}}',
        '{"phase": "a", "epoch": 1, "numbers": {"loss": "0"}}',
        '{"phase": "a", "epoch": 1, "numbers": {"loss": NaN}}',
        '{"phase": "a", "epoch": 1, "numbers": {}, "more": 1}',
    ],
)
def test_a_curve_that_is_none_is_refused_with_its_line(line: str, tmp_path: Path) -> None:
    place = tmp_path / "curve.jsonl"
    place.write_text(f'{{"phase": "a", "epoch": 1, "numbers": {{}}}}\n{line}\n')
    with pytest.raises(ResultError, match=r"curve\.jsonl:2: "):
        read_curve(place)


class Noting(Unwatched):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_doubt_is_told_once_and_goes_with_the_stage_that_gave_rise_to_it(tmp_path: Path) -> None:
    def build(run: RunContext) -> None:
        run.doubt(Doubt.DEV_ZERO)
        run.progress(1, None, loss=0.5, rate=float("inf"))
        run.progress(2, None, loss=float("nan"))

    for number in range(2):
        observer = Noting()
        run = RunContext.create(0, tmp_path / str(number), tmp_path / "shared", observer=observer)
        run.doubt(Doubt.NO_STEP)
        run.stage("source", lambda folder, run=run: build(run), {"made from": "x"})  # type: ignore[misc]
        run.doubt(Doubt.NO_STEP)
        assert run.doubts == [Doubt.NO_STEP, Doubt.DEV_ZERO, Doubt.NOT_FINITE]
        assert observer.notes == [f"the score is to be doubted: {why}" for why in run.doubts]
