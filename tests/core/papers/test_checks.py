"""`paper`: every number of the paper that needs no model, recomputed beside the printed one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.cli.commands import paper as command
from cdner_bench.data import Benchmark
from cdner_bench.papers import TOPT, load
from cdner_bench.papers import checks as paper
from cdner_bench.papers.checks import Check, Finding
from support import Nobody, Run


@pytest.fixture(scope="module")
def recomputed(crossner: Benchmark) -> list[Finding]:
    return list(paper.recompute(load(TOPT), crossner, plugins.discover(), Nobody()))


@pytest.mark.slow
def test_every_number_of_the_paper_that_needs_no_model(recomputed: list[Finding]) -> None:
    assert [f.check.quantity for f in recomputed if not f.holds] == []
    compared = {f.check.table for f in recomputed if not f.check.not_run}
    assert compared == {"1", "3", "5", "6", "7", "8"}
    assert sum(len(f.recomputed) for f in recomputed) == 65
    claims = list(paper.list_claims(load(TOPT), "crossner"))
    off = {c.what: (c.printed, round(c.follows, 2)) for c in claims if not c.matches}
    assert off == {
        "average of DAPTN, single": (69.63, 68.72),
        "average of TOPT, single": (78.78, 78.79),
        "TOPT, single, ai, of Table 2": (70.89, 72.34),
    }
    assert all(c.holds for c in claims)


def test_a_number_that_is_off_is_found() -> None:
    check = Check("5", "UID variance", {"ai": 0.09, "music": 0.13}, digits=2)
    assert Finding(check, {"ai": [0.0880], "music": [0.1337]}).holds
    assert Finding(check, {"ai": [0.0880], "music": [0.1337]}).remark == "match"
    off = Finding(check, {"ai": [0.0849], "music": [0.1337]})
    assert not off.holds
    assert off.remark == "MISMATCH in ai"
    assert not Finding(check, {"ai": [0.0880]}).holds
    known = Check("3", "Avg.", {"ai": 4.46, "politics": 6.02}, digits=2, differs=("politics",), reason="why")
    assert Finding(known, {"ai": [4.46], "politics": [3.01]}).remark == "politics: why"
    assert not Finding(known, {"ai": [4.46], "politics": [6.02]}).holds  # what is known to be off must be off
    drawn = Check("7", "mixed", {"ai": 0.11}, digits=2, draws=3)
    assert Finding(drawn, {"ai": [0.102, 0.14, 0.12]}).remark == "match: within 3 draws"
    assert not Finding(drawn, {"ai": [0.12, 0.14, 0.13]}).holds


def test_a_mismatch_is_printed_and_makes_the_exit_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check = Check("5", "UID variance", {"ai": 0.09}, digits=2)
    monkeypatch.setattr(paper, "recompute", lambda *_: iter([Finding(check, {"ai": [0.11]})]))
    assert command.paper() == 1
    said = capsys.readouterr().out
    assert "MISMATCH in ai" in said
    assert "1 that should match do not" in said
    monkeypatch.setattr(paper, "recompute", lambda *_: iter([Finding(check, {"ai": [0.088]})]))
    assert command.paper() == 0


@pytest.mark.slow
def test_paper_prints_both_and_exits_by_the_verdict(
    recomputed: list[Finding], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paper, "recompute", lambda *_: iter(recomputed))
    monkeypatch.chdir(tmp_path)
    assert command.paper() == 0
    said = capsys.readouterr().out
    assert "everything that should match does" in said
    assert "the paper divides by 100 in every domain" in said
    assert list(tmp_path.iterdir()) == []


def test_without_the_data_it_says_how_to_fetch_it(typed: Run, tmp_path: Path) -> None:
    nothing = typed("paper", CDNER_DATA=str(tmp_path))
    assert nothing.returncode == 1
    assert "data fetch" in nothing.stderr
