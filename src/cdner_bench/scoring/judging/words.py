"""A report in words: a sentence to cite, and a page for a notebook or a Python prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...foreign import show, show_line
from ...version import __version__
from ..counts import HEADLINE, OUTSIDE, Counts, Ratios

if TYPE_CHECKING:
    from .report import Report


def cite(report: Report) -> str:
    """One sentence that says what the score is, by which scorer, and of which data."""
    counts, judged = report.scores.counts(), report.judged
    sizes = [
        f"{len(gold):,} sentences, {sum(len(s.entities) for s in gold):,} entities" for (gold, _), _ in judged.parts
    ]
    named = [f"{name}: {size}" for name, size in zip(judged.splits, sizes, strict=True)] if judged.splits else sizes
    said = (
        f"Strict span micro-F1 {counts.f1:.2f} (precision {counts.precision:.2f}, recall {counts.recall:.2f}), "
        f"protocol {HEADLINE} of cdner-bench {__version__}, on {judged.cited or judged.gold}; {'; '.join(named)}"
    )
    if left_out := sorted(set(judged.types) - set(judged.types if report.types is None else report.types)):
        said += f"; types left out: {', '.join(left_out)}"
    if judged.renamed:
        said += f"; types renamed: {', '.join(f'{old} to {new}' for old, new in judged.renamed.items())}"
    return show_line(f"{said}.")


def describe(report: Report) -> str:
    """Precision, recall, F1 and the size of gold for each type and on average, then the errors and the remarks."""
    rows: list[tuple[str, Counts | Ratios]] = [(name_type(kind), counts) for kind, counts in report.per_type.items()]
    rows += [("micro", report.scores.counts()), *report.averages.items()]
    width = max(len(name) for name, _ in rows)
    lines = [f"{'':{width}}  precision  recall      F1   gold"]
    for name, row in rows:
        gold = f"{row.tp + row.fn:>7,}" if isinstance(row, Counts) else ""
        lines.append(f"{name:{width}}  {row.precision:9.2f}  {row.recall:6.2f}  {row.f1:6.2f}{gold}".rstrip())
    errors = ", ".join(f"{count:,} {kind}" for kind, count in report.errors.items() if count)
    lines += ["", f"{HEADLINE}, in percent; errors: {errors or 'none'}", *(f"note: {r}" for r in report.remarks)]
    return show("\n".join(lines))


def name_type(kind: str) -> str:
    """What a reader is told of a type."""
    return "(unknown type)" if kind == OUTSIDE else kind
