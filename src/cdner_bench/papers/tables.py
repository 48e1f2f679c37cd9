"""A paper's tables of scores in its own layout, what was measured here under each printed row, and what is missing.

`made` in `paper.toml` says of a printed row which method makes it here, what it learns from, with which `options`, and
what it `needs`. What a table lays out is its `rows` and what it has `repeated`, in the `order` of its own, or its
`lines`: rows of a `label`, each with the UID variance printed under a name of its `checks`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from ..data import Benchmark
from ..io import find_data_dir
from ..records import Measured, Result
from ..reporting import (
    PREAMBLE,
    Board,
    Cell,
    Column,
    Estimate,
    Fixed,
    Hole,
    Row,
    Table,
    escape_latex,
    escape_markdown,
    make_boards,
    name_row,
    write_cell,
    write_tabular,
)
from ..scoring import Sample, find_ties
from .hypothesis import UID
from .printed import Paper, show_percent

AVERAGE = "average"
SCALE = "paper"
"""The preset with which a method is what the paper describes."""


@dataclass(frozen=True)
class Line:
    """A row as the paper prints it, or one that was measured here. `what` says which: "reported", or the backbone.
    `tied`: its average cannot be told from the best that was measured in its setting.
    """

    setting: str
    label: str
    what: str
    cells: Mapping[str, Cell]
    measured: bool = False
    sample: Sample | None = None
    tied: bool = False


@dataclass(frozen=True)
class PaperTable:
    """A table: its columns by their keys, its lines, and of each printed row with a hole what would fill it."""

    number: str
    title: str
    columns: Mapping[str, str]
    lines: Sequence[Line]
    holes: Sequence[str]

    def to_table(self) -> Table:
        """It as other tables are."""
        several = len({line.setting for line in self.lines}) > 1
        setting = [Column[Line]("Setting", "left", lambda line: line.setting, 5)] if several else []
        columns = [
            *setting,
            Column[Line]("Method", "left", lambda line: line.label, 9),
            Column[Line]("Row", "left", lambda line: line.what, 8),
            *(_show(title, key) for key, title in self.columns.items()),
        ]
        title = f"Table {self.number}" + (f": {self.title}" if self.title else "")
        grouped = AVERAGE in self.columns and any(line.tied for line in self.lines)
        return Table(title, columns, self.lines, NOTE + (GROUP if grouped else ""))

    def is_best(self, line: Line, key: str) -> bool:
        """Whether a line has the best F1 of a column: of those printed, or of those measured here."""
        score = _take_score(line, key)
        alike = [_take_score(other, key) for other in self.lines if _is_alike(line, other)]
        return score is not None and score == max(value for value in alike if value is not None)


GROUP = (
    " Underlined: measured averages that cannot be told from the best of their setting (paired approximate "
    "randomisation, Holm)."
)
NOTE = (
    "Micro-F1 in percent. Reported: copied from the paper, most likely not strict span F1. Measured: strict span F1 "
    "with the backbone that is named, mean ± SD over seeds. Only rows of preset paper are at the paper's scale."
)


def lay_out(
    paper: Paper, benchmark: Benchmark, results: Iterable[Result], measurements: Iterable[Measured]
) -> list[PaperTable]:
    """Every table of the paper that has scores of a benchmark, in the order of its numbers."""
    boards = {board.setting: board for board in make_boards(results, benchmark)}
    variances = _collect_variances(benchmark, measurements)
    return [
        _lay_out_one(paper, table, benchmark, boards, variances)
        for table in paper.list_tables(benchmark.name)
        if table.get("rows") or table.get("lines")
    ]


def _lay_out_one(
    paper: Paper,
    table: Mapping[str, Any],
    benchmark: Benchmark,
    boards: Mapping[str, Board],
    variances: Mapping[tuple[str, str], float],
) -> PaperTable:
    printed = list(_list_printed(paper, table))
    domains = list(dict.fromkeys(domain for row in printed for domain in row["f1"]))
    with_variance = bool(table.get("lines"))
    columns: dict[str, str] = {}
    for domain in domains:
        title = benchmark.domain(domain).title
        columns |= {domain: title, **({_name_variance(domain): f"{title}, UID var."} if with_variance else {})}
    if any(AVERAGE in row for row in table.get("rows", ())):
        columns[AVERAGE] = "Avg."
    lines: list[Line] = []
    holes: list[str] = []
    for row in printed:
        label, made = row.get("label", row["method"]), paper.made.get(row["method"])
        reported = {domain: show_percent(row["f1"].get(domain)) for domain in domains}
        reported |= {_name_variance(domain): value for domain, value in row.get("variance", {}).items()}
        reported[AVERAGE] = show_percent(row.get(AVERAGE))
        lines.append(Line(row["setting"], label, "reported", reported))
        if made is None:
            holes.append(f"{label}, {row['setting']}: no method here makes it")
            continue
        known = {
            _name_variance(d): v for d in domains if (v := variances.get((made.get("learnt_from", ""), d))) is not None
        }
        of_corpus = {key: Fixed(value, 3) for key, value in known.items()}
        found = _find_rows(boards.get(row["setting"]), made)
        for measured in found:
            cells: dict[str, Cell] = {domain: measured.cell(domain) for domain in domains}
            cells[AVERAGE] = measured.average() or Hole()
            name = _name_measured(measured)
            lines.append(Line(row["setting"], "", name, {**cells, **of_corpus}, measured=True, sample=measured.sample))
        missing = _list_missing([measured for measured in found if _is_at_scale(measured)], list(row["f1"]))
        if missing:
            if not any(map(_is_at_scale, found)):
                cells = {domain: Hole("not run") for domain in row["f1"]}
                lines.append(Line(row["setting"], "", f"{made['model']}, preset {SCALE}", cells, measured=True))
            needs = f", which needs {made['needs']}" if made.get("needs") else ""
            command = _write_command(benchmark, row["setting"], missing, made)
            holes.append(f"{label}, {row['setting']}{needs}: {command}")
    return PaperTable(table["table"], table.get("title", ""), columns, _group_with_best(lines), holes)


def _group_with_best(lines: Sequence[Line]) -> list[Line]:
    """The lines, those marked that cannot be told from the best that was measured in their setting."""
    tied: set[int] = set()
    for setting in {line.setting for line in lines}:
        known = [line for line in lines if line.setting == setting and line.sample]
        ranked = sorted(known, key=lambda line: -(_take_score(line, AVERAGE) or 0.0))
        ties = find_ties([line.sample for line in ranked if line.sample])
        tied |= {id(line) for line, same in zip(ranked, ties, strict=True) if same}
    return [replace(line, tied=id(line) in tied) for line in lines]


def _list_printed(paper: Paper, table: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The rows that a table prints, each with `f1`, and `variance` as cells where it prints that."""
    if not table.get("lines"):
        first = {(t, row["setting"], row["method"]): row for t, row in paper.list_rows(table["benchmark"])}
        again = [
            {**row, AVERAGE: first[row["of"], row["setting"], row["method"]].get(AVERAGE)}
            for row in table.get("repeated", ())
        ]
        rows = [*table.get("rows", ()), *again]
        order = list(table.get("order", ())) or list(dict.fromkeys(row["method"] for row in rows))
        settings = list(dict.fromkeys(row["setting"] for row in rows))
        yield from sorted(rows, key=lambda row: (settings.index(row["setting"]), order.index(row["method"])))
        return
    checks = {check["quantity"]: check for check in table.get("checks", ())}
    for line in table["lines"]:
        entries = [e for e in table.get("pairs", ()) if e["variance"] == line["variance"]]
        entries += [e for e in table.get("repeated", ()) if e["method"] == line["method"]]
        check = checks[line["variance"]]
        variance = {domain: Fixed(value, check["digits"]) for domain, value in check["printed"].items()}
        known = [entry["f1"] for entry in entries if "f1" in entry]
        yield {"f1": known[0] if known else {}, **line, "variance": variance}


def _collect_variances(benchmark: Benchmark, measurements: Iterable[Measured]) -> dict[tuple[str, str], float]:
    """The UID variance of each corpus and domain, over draws; of what was measured in one way only."""
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for m in measurements:
        value = m.measurement.numbers.get("variance") if m.analysis.name == UID else None
        if value is not None and (m.corpus.benchmark, m.corpus.version) == (benchmark.name, benchmark.version):
            found.setdefault((m.corpus.name, m.corpus.domain or ""), {}).setdefault(m.analysis.row, []).append(value)
    return {place: fmean(values) for place, by_way in found.items() if len(by_way) == 1 for values in by_way.values()}


def _find_rows(board: Board | None, made: Mapping[str, Any]) -> list[Row]:
    """The rows of a board that stand for a printed one: of its method, and of what it learns from."""
    return [
        row
        for row in (board.every_row if board else ())
        if row.method == made["method"] and row.finished and row.finished[0].learnt_from == made.get("learnt_from")
    ]


def _is_at_scale(row: Row) -> bool:
    """Whether nothing but what the corpus asks for was changed of the preset that the paper describes."""
    first = row.results[0]
    return row.preset == SCALE and set(first.departures) <= set(first.method.knowledge_options)


def _list_missing(rows: Sequence[Row], domains: Sequence[str]) -> list[str]:
    return [domain for domain in domains if not any(row.f1(domain) for row in rows)]


def _name_measured(row: Row) -> str:
    changed = name_row(row).removeprefix(row.method)
    seeds = sorted({n for target in row.targets if (n := len(row.seeds(target)))})
    counted = f"{'–'.join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))} seed{'' if seeds == [1] else 's'}"
    doubts = "".join(f", doubtful: {doubt}" for doubt in row.doubts(row.targets))
    return f"measured: {row.backbone}, preset {row.preset or 'none'}{changed}, {counted}{doubts}"


def _write_command(benchmark: Benchmark, setting: str, domains: Sequence[str], made: Mapping[str, Any]) -> str:
    words = ["cdner-bench", "run", "--benchmark", benchmark.given, "--method", made["method"], "--preset", SCALE]
    words += ["--setting", setting, "--target", ",".join(domains)]
    for key, value in made.get("options", {}).items():
        words += ["-o", f"{key}={value}".replace("{data}", str(find_data_dir()))]
    return shlex.join(words)


def _name_variance(domain: str) -> str:
    return f"{domain} variance"


def _show(title: str, key: str) -> Column[Line]:
    return Column(title, "right", lambda line: line.cells.get(key, Hole()), 7, key)


def _take_score(line: Line, key: str) -> float | None:
    """The F1 in a column; None for a hole, and for a variance."""
    match line.cells.get(key):
        case Fixed(value) if not key.endswith(" variance"):
            return value
        case Estimate(mean):
            return mean
    return None


def _is_alike(one: Line, other: Line) -> bool:
    return (one.setting, one.measured) == (other.setting, other.measured)


def write_markdown(tables: Sequence[PaperTable]) -> str:
    """The tables, the best of a column bold, and under each what would fill its holes."""
    parts = []
    for table in tables:
        shown = table.to_table()
        rows = _mark(table, shown, escape_markdown, lambda text: f"**{text}**", lambda text: f"<u>{text}</u>")
        heads = [escape_markdown(title) for title in shown.headers]
        rule = [" ---: " if column.align == "right" else " --- " for column in shown.columns]
        lines = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
        lines.insert(1, f"|{'|'.join(rule)}|")
        parts += [f"## {escape_markdown(shown.title)}", escape_markdown(shown.note), "\n".join(lines)]
        parts += ["What would fill the holes:", "\n".join(["```", *table.holes, "```"])] if table.holes else []
    return "\n\n".join(parts) + "\n"


def write_latex(tables: Sequence[PaperTable]) -> str:
    """The tables for booktabs, the best of a column bold, and under each, as comments, what would fill its holes."""
    parts = [PREAMBLE]
    for table in tables:
        shown = table.to_table()
        rows = _mark(
            table, shown, escape_latex, lambda text: f"\\textbf{{{text}}}", lambda text: f"\\underline{{{text}}}"
        )
        body: list[list[str] | str] = []
        for n, (line, row) in enumerate(zip(table.lines, rows, strict=True)):
            if n and not line.measured and (line.setting != table.lines[n - 1].setting or table.lines[n - 1].measured):
                body.append("\\midrule" if line.setting != table.lines[n - 1].setting else "\\addlinespace")
            body.append(row)
        holes = [f"% not run: {hole}" for hole in table.holes]
        parts.append("\n".join([write_tabular(shown, body, shown.note), *holes]))
    return "\n\n".join(parts) + "\n"


def _mark(
    table: PaperTable,
    shown: Table,
    escape: Callable[[str], str],
    bold: Callable[[str], str],
    underline: Callable[[str], str],
) -> Iterator[list[str]]:
    """The cells of each line as text, escaped, the best of each column bold, averages tied with it underlined."""
    for line, cells in zip(table.lines, shown.cells, strict=True):
        row = []
        for column, cell in zip(shown.columns, cells, strict=True):
            text = escape(write_cell(cell))
            text = bold(text) if table.is_best(line, column.key) else text
            row.append(underline(text) if line.tied and column.key == AVERAGE else text)
        yield row


WRITERS: Mapping[str, Callable[[Sequence[PaperTable]], str]] = {"md": write_markdown, "latex": write_latex}
"""What the tables can be written as."""
