"""Cells as text, and tables on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cdner_bench.reporting import (
    HOLE,
    Bracketed,
    Cell,
    Column,
    Estimate,
    Fixed,
    Hole,
    Measure,
    Remarked,
    Several,
    Table,
    draw_table,
    write_cell,
)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("a|b", "a|b"),
        (1234, "1,234"),
        (Hole(), HOLE),
        (Hole("not run"), "not run"),
        (Fixed(0.125, 2), "0.12"),
        (Fixed(1.5, 2, before="$"), "$1.50"),
        (Fixed(2, 1, after="M"), "2.0M"),
        (Measure(None), HOLE),
        (Measure(0.5), "0.5000"),
        (Estimate(50, None, 1), "50.00"),
        (Estimate(50, 1.005, 2), "50.00 ± 1.00"),
        (Bracketed(Fixed(-0.5, 2), Fixed(-0.75, 2), Fixed(0, 2)), "-0.50 [-0.75, 0.00]"),
        (Remarked(Fixed(0.03, 4), "sampled"), "0.0300 (sampled)"),
        (Remarked(Estimate(50, 1.005, 2), "a, b"), "50.00 ± 1.00 (a, b)"),
        (Several([1, "x", Fixed(2, 1)], " / "), "1 / x / 2.0"),
    ],
)
def test_a_cell_as_text(cell: Cell, shown: str) -> None:
    assert write_cell(cell) == shown


def test_a_name_is_neither_markup_nor_emoji_nor_an_order_to_the_terminal() -> None:
    names = ["[red]x[/red]", ":smile:", "a\x1b[2Jb"]
    column = Column[str]("name :smile:", "left", lambda name: name)
    stream = io.StringIO()
    Console(file=stream, width=80, force_terminal=False).print(draw_table(Table("[b]title", [column], names)))
    shown = stream.getvalue()
    assert "\x1b" not in shown
    assert all(
        text in shown
        for text in ("[red]x[/red]", ":smile:", "name :smile:", "[b]title", "a\N{REPLACEMENT CHARACTER}[2Jb")
    )
