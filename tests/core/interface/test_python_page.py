"""What docs/python.md shows is what its blocks print, one after the other; its table has every column."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import cdner_bench
from cdner_bench.interface.tables import OF_RUN, OF_SCORE
from support import ROOT

PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


def test_every_block_prints_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(BLOCKS) == PAGE.count("```python")
    names: dict[str, Any] = {}
    for code, shown in BLOCKS:
        exec(code, names)
        assert capsys.readouterr().out == shown, code


def test_the_table_has_every_column_in_order() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    columns = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert columns == [*OF_RUN, "standing", "option.NAME", "seconds.PHASE", *OF_SCORE]


def test_the_docstring_names_what_a_notebook_needs() -> None:
    assert cdner_bench.__doc__
    for name in ("load_benchmark", "run", "load_results", "score", "compare", "Method"):
        assert f"`{name}`" in cdner_bench.__doc__
        assert callable(getattr(cdner_bench, name))
