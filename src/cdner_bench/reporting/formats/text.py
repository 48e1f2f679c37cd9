"""Cells as text, the same for every format that people read."""

from __future__ import annotations

from ...foreign import show_line
from ...plugins import Number
from ..cells import HOLE, Bracketed, Cell, Estimate, Fixed, Hole, Measure, Remarked, Several
from ..table import Table


def write_cell(cell: Cell) -> str:
    """A cell as text; nothing is escaped yet."""
    match cell:
        case str(text):
            written = text
        case int(number):
            written = f"{number:,}"
        case Hole(reason):
            written = reason or HOLE
        case Fixed(value, digits, before, after):
            written = f"{before}{value:.{digits}f}{after}"
        case Measure(measured):
            written = write_number(measured)
        case Estimate(mean, sd):
            written = f"{mean:.2f}" if sd is None else f"{mean:.2f} ± {sd:.2f}"
        case Bracketed(middle, low, high):
            written = f"{write_cell(middle)} [{write_cell(low)}, {write_cell(high)}]"
        case Remarked(remarked, remark):
            written = f"{write_cell(remarked)} ({remark})"
        case Several(values, between):
            written = between.join(map(write_cell, values))
    return written


def write_number(value: Number) -> str:
    """All digits of an integer, four significant ones of any other number, or those before its point."""
    if value is None:
        return HOLE
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:#.4g}".rstrip(".")


def write_rows(table: Table) -> list[list[str]]:
    """The cells of a table as text on one line each, row by row; no format has escaped them yet."""
    return [[show_line(write_cell(cell)) for cell in cells] for cells in table.cells]
