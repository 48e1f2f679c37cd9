"""A page as LaTeX: booktabs tables, one after the other, every cell escaped. It compiles with any engine as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import normalize

from tabulate import LATEX_ESCAPE_RULES

from ...foreign import show_line
from ..cells import Cell, Estimate, Remarked
from ..table import Page, Table
from .text import write_cell

PREAMBLE = "% In the preamble:\n% \\usepackage[T1]{fontenc}\n% \\usepackage{textcomp}\n% \\usepackage{booktabs}"
_MATHS = {
    "±": "\\pm", "−": "-", "→": "\\rightarrow", "←": "\\leftarrow", "≤": "\\leq", "≥": "\\geq", "≈": "\\approx",
    "∞": "\\infty", "ρ": "\\rho", "σ": "\\sigma", "τ": "\\tau", "Δ": "\\Delta",
}  # fmt: skip
_RULES = {
    **LATEX_ESCAPE_RULES,
    **{sign: f"\\ensuremath{{{command}}}" for sign, command in _MATHS.items()},
    **{sign: f"{{{sign}}}" for sign in "[]*`'"},
    '"': "\\textquotedbl{}",
    "…": "\\textellipsis{}",
    "\N{NO-BREAK SPACE}": " ",
}
"""What stands for a character; brackets and a star mean something after the end of a row, quotes after one another."""
_KNOWN = set("–—‘’“”„‚‹›•€™") | set(map(chr, range(0xA1, 0x17F))) - set("\xadĦħĸĿŀŉŦŧ")
"""Characters beyond ASCII that every engine has a sign for, in T1 or for texts."""


def write_latex(page: Page) -> str:
    """The tables, each under a comment with its title, after what they need."""
    return "\n\n".join([PREAMBLE, *map(_table, page.tables())]) + "\n"


def _table(table: Table) -> str:
    columns = [_align(cells) for cells in zip(*table.cells, strict=True)]
    return write_tabular(table, zip(*columns, strict=True), table.legend)


def write_tabular(table: Table, body: Iterable[Sequence[str] | str], note: str) -> str:
    """A table under a comment with its title, and above a note, if there is one. The body is LaTeX already: rows of
    cells, and rules between them.
    """
    lines = [
        f"% {show_line(table.title)}",
        f"\\begin{{tabular}}{{{''.join(column.align[0] for column in table.columns)}}}",
        "\\toprule",
        _row(map(escape_latex, table.headers)),
        "\\midrule",
        *(line if isinstance(line, str) else _row(line) for line in body),
        "\\bottomrule",
        "\\end{tabular}",
        *([f"\n{{\\footnotesize {escape_latex(note)}}}"] if note else []),
    ]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f" {' & '.join(cells)} \\\\"


def _align(cells: Sequence[Cell]) -> list[str]:
    """The cells of a column: points stand under one another, because every number has as much after it as the others,
    seen or not; and the best estimate is bold.
    """
    split = [_split(cell) for cell in cells]
    best = max((float(mean) for mean, *_, scored in split if scored), default=None)
    spread = max((sd for _, sd, _, scored in split if scored), key=len, default="")
    mark = max((remark for _, _, remark, scored in split if scored), key=len, default="")
    made = []
    for mean, sd, remark, scored in split:
        if scored:
            shown = f"\\textbf{{{mean}}}" if float(mean) == best else escape_latex(mean)
            made.append(shown + _pad(sd, spread).replace("\\ensuremath{\\pm}", "$\\pm$") + _pad(remark, mark))
        else:
            made.append(escape_latex(mean))
    return made


def _split(cell: Cell) -> tuple[str, str, str, bool]:
    """A cell in parts: the number, its deviation, its remark; and whether it is an estimate, or else one text."""
    match cell:
        case Estimate():
            mean, sign, sd = write_cell(cell).partition(" ± ")
            return mean, sign + sd, "", True
        case Remarked(Estimate() as inner, remark):
            mean, sd, _, scored = _split(inner)
            return mean, sd, show_line(f" ({remark})"), scored
    return show_line(write_cell(cell)), "", "", False


def _pad(text: str, longest: str) -> str:
    """A text with as much room after it as the longest has more."""
    more = longest[len(text) :]
    return escape_latex(text) + (f"\\phantom{{{escape_latex(more)}}}" if more else "")


def escape_latex(text: str) -> str:
    """A text that is no command. What not every engine has a sign for is named by its number."""
    return "".join(map(_escape, normalize("NFC", show_line(text))))


def _escape(character: str) -> str:
    if character in _RULES:
        return _RULES[character]
    return (
        character
        if character.isascii() or character in _KNOWN
        else f"\\textless U+{ord(character):04X}\\textgreater{{}}"
    )
