"""What a run is lent, where nobody watches it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdner_bench import RunContext


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
