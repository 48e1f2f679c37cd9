"""Tables as a terminal shows them: every number whole, and where there is no room for a column, without it; and curves
in a line.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

MORE = "| cat after the command"
"""What shows all columns of any table, because nothing is left out where there is no terminal."""
EDGES, GAP = 2, 2
"""Columns of the terminal for the edges of a table, and between two of its columns."""
WORDS, WORD = 12, 16
"""What a column of words needs where it has that much to say, and how long a word is that is never broken."""

SPARKS = "▁▂▃▄▅▆▇█"
"""The heights of a curve in a line."""

_NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?%?", re.IGNORECASE)


class Grid(Table):
    """A table that fits its terminal. Words wrap, numbers do not; columns for which that leaves no room are left out,
    the least important first and of equals the rightmost, and are named under the table with what shows them.
    """

    def __init__(self, title: RenderableType = "", legend: RenderableType = "", more: str = MORE) -> None:
        super().__init__(box=box.SIMPLE, pad_edge=False, padding=(0, GAP - 1, 0, 0))
        self.title, self.caption, self.more = title, legend, more  # type: ignore[assignment]
        self.importance: list[int] = []

    def add(self, header: RenderableType, justify: JustifyMethod, importance: int) -> None:
        """Add a column that is the longer shown the more important it is."""
        self.add_column(header, justify=justify)
        self.importance.append(importance)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The title, the table as wide as there is room, what its marks mean, and what was left out of it."""
        columns = [
            _measure(_read(column.header, console), [_read(cell, console) for cell in column.cells], column.justify)
            for column in self.columns
        ]
        widths = self._fit(columns, options.max_width)
        shown = Table(box=self.box, pad_edge=self.pad_edge, padding=self.padding)
        for n, width in widths.items():
            shown.add_column(columns[n].header, justify=columns[n].justify, width=width, overflow="fold")
        for n, row in enumerate(self.rows):
            cells = [columns[c].wrap(n, width) for c, width in widths.items()]
            shown.add_row(*cells, end_section=row.end_section)
        left_out = [" ".join(c.header.plain.split()) for n, c in enumerate(columns) if n not in widths]
        yield from _say(self.title, "table.title", console)
        yield shown
        yield from _say(self.caption, "table.caption", console)
        if left_out:
            room = f"no room in {options.max_width} columns for: {', '.join(left_out)}"
            yield Text(f"{room}. To see them: a wider terminal, or {self.more}", "table.caption")

    def _fit(self, columns: Sequence[_Measured], room: int) -> dict[int, int]:
        """How wide each column is, by its number, without those that are left out."""
        kept = list(range(len(columns)))

        def left(widths: list[int]) -> int:
            return room - EDGES - GAP * (len(widths) - 1) - sum(widths)

        while len(kept) > 1 and left([columns[n].least for n in kept]) < 0:
            kept.remove(min(kept, key=lambda n: (self.importance[n], -n)))
        if left([columns[n].natural for n in kept]) >= 0:
            return {n: columns[n].natural for n in kept}
        widths = {n: columns[n].least for n in kept}
        for _ in range(left(list(widths.values()))):
            narrow = [n for n in kept if widths[n] < columns[n].natural]
            widths[min(narrow, key=widths.__getitem__)] += 1
        return widths


def draw_curve(values: Sequence[float], width: int = 40) -> str:
    """Numbers as a line of blocks from the lowest to the highest; where they are too many, the means of parts."""
    size = len(values)
    parts = [values[n * size // width : (n + 1) * size // width] for n in range(width)] if size > width else []
    shown = [fmean(part) for part in parts] or values
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    steps = (high - low) / (len(SPARKS) - 1) or 1.0
    return "".join(SPARKS[round((value - low) / steps)] for value in shown)


@dataclass(frozen=True)
class _Measured:
    """A column with the width that shows it on one line a row, and the least that breaks no number."""

    header: Text
    cells: Sequence[Text]
    justify: JustifyMethod
    natural: int
    least: int

    def wrap(self, row: int, width: int) -> Text:
        """A cell in lines no wider than that, broken between words, or parts of words."""
        cell = self.cells[row]
        if cell_len(cell.plain) <= width:
            return cell
        return Text("\n".join(_Words(width).wrap(cell.plain)), cell.style)


class _Words(textwrap.TextWrapper):
    """What breaks a long name before it breaks a number in it."""

    wordsep_re = re.compile(r"(\s+)|(?<=[=/_@])|(?=\()|(?<=[^\W\d_]{2}-)|(?<=,)(?!\d{3}(?!\d))")


def _measure(header: Text, cells: Sequence[Text], justify: JustifyMethod) -> _Measured:
    lines = [line for text in (header, *cells) for line in text.plain.split("\n")]
    natural = max(map(cell_len, lines))
    said = [text.plain for text in cells if text.plain]
    word = min(WORD, max((cell_len(word) for line in lines for word in line.split()), default=0))
    if justify == "right" or (said and all(map(_NUMBER.fullmatch, said))):
        over = [min(WORD, cell_len(word)) for word in header.plain.split()]
        least = max([0, *map(cell_len, said), *over])
    else:
        least = max(
            [min(natural, max(WORDS, word)), *(len(number) for text in said for number in _NUMBER.findall(text))]
        )
    return _Measured(header, cells, justify, natural, least)


def _read(part: RenderableType, console: Console) -> Text:
    return part if isinstance(part, Text) else console.render_str(str(part))


def _say(text: RenderableType | None, style: str, console: Console) -> Iterator[Text]:
    """A paragraph beside the table, if there is something to say."""
    if said := _read(text or "", console).plain:
        yield Text(said, style)
