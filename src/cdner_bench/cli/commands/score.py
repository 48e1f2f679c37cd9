"""`cdner-bench score` and `cdner-bench rescore`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError
from ..common import (
    HERE,
    BenchmarkName,
    Disabled,
    Out,
    PluginFiles,
    choose_benchmark,
    make_table,
    name_command,
    show,
    split_names,
    uncollected,
)
from ..streams import check_place

if TYPE_CHECKING:
    from rich.table import Table

    from ...data import Benchmark, readers
    from ...scoring import Counts, Judged, Report

COUNTED = ("precision", "recall", "F1", "tp", "fp", "fn")
AVERAGES = {"macro": "macro: mean over types", "weighted": "weighted by gold"}
WIDEST = 80
"""Columns of a terminal that a table of types may take."""
Format = Annotated[
    str | None, typer.Option("--format", help="What the file is; by default told from its content.", metavar="NAME")
]
TagScheme = Annotated[
    str | None,
    typer.Option(help="IO, IOB1, IOB2, IOBES, BILOU or BMEWO; by default told from the tags.", metavar="NAME"),
]
Types = Annotated[str | None, typer.Option(help="Score these types only.", metavar="TYPE[,TYPE]")]
Renamed = Annotated[
    list[str],
    typer.Option("--map", help="Read the type OLD of predictions as NEW; may be repeated.", metavar="OLD=NEW[,...]"),
]
Ignored = Annotated[str | None, typer.Option("--ignore-type", help="Leave these types out.", metavar="TYPE[,TYPE]")]


@uncollected()
def score(
    file: Annotated[Path, typer.Argument(help="Predictions in any of the formats of docs/formats.md; - is stdin.")],
    benchmark: BenchmarkName = None,
    target: Annotated[str | None, typer.Option(help="The domain, for a file without sentence ids.")] = None,
    split: Annotated[
        str | None, typer.Option(help="The split, for a file without sentence ids; test, if left out.")
    ] = None,
    gold: Annotated[Path | None, typer.Option(help="A gold file of one's own, in place of a benchmark.")] = None,
    format: Format = None,
    scheme: TagScheme = None,
    types: Types = None,
    ignore_type: Ignored = None,
    map_: Renamed = [],
    errors: Annotated[
        Path | None, typer.Option(help="Write every error with its sentence: .jsonl or .csv.", metavar="FILE")
    ] = None,
    as_: Annotated[
        str | None, typer.Option("--as", help="Put the predictions on a board, as a row NAME.", metavar="NAME")
    ] = None,
    setting: Annotated[str | None, typer.Option(help="With --as: the setting of the board.")] = None,
    out: Out = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Score anyone's predictions under every protocol."""
    from ... import scoring
    from ...data import readers

    if as_ is not None and (gold or types or ignore_type):
        raise OptionError(
            "--as is for all types of a benchmark's test split", hint="leave out --gold, --types and --ignore-type"
        )
    if as_ is None and setting is not None:
        raise OptionError("--setting says on which board a row stands", hint="add --as NAME, or leave it out")
    if errors is not None:
        _check_errors_file(errors, [file, *([gold] if gold else [])])
    said = readers.read_file(file, format, scheme)
    data = choose_benchmark(benchmark, quiet=True) if as_ is not None else None
    if data is not None:
        judged = scoring.judge_by_benchmark(said, data, target, split)
    else:
        judged = _judge(said, benchmark, target, split, gold)
    if map_:
        judged = scoring.rename_types(judged, _read_map(map_))
    chosen = None
    if types or ignore_type:
        only = split_names("--types", types) if types else []
        judged, chosen = scoring.choose_types(
            judged, only, split_names("--ignore-type", ignore_type) if ignore_type else []
        )
    report = scoring.Report(said, judged, chosen)
    written = _put_on_board(as_, report, data, setting, out) if as_ is not None and data is not None else []
    if as_json:
        print(json.dumps(report.to_data(), indent=1))
    else:
        _show(report)
    if errors is not None:
        _write_errors(report, errors)
    for line in written:
        print(line, file=sys.stderr)


def rescore(
    out: Out = HERE,
    benchmark: Annotated[list[str], typer.Option(help="Only these; .toml files for your own.", metavar="NAME")] = [],
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> None:
    """Bring results to today's scorer and protocols, from the predictions that are kept beside them; trains nothing."""
    from ...data import benchmark as benchmarks
    from ...errors import ResultError
    from ...plugins import discover
    from ...running import Change
    from ...running import rescore as bring_to_today

    folder = out / "leaderboards" / "results"
    names = benchmark or [p.name for p in sorted(folder.glob("*")) if p.name in benchmarks.list_shipped()]
    if not names:
        raise ResultError(
            f"there are no results of shipped benchmarks in {folder}", hint="name yours: --benchmark FILE.toml"
        )
    registry = discover(plugin, no_plugin)
    changes: Counter[Change] = Counter()
    for name in names:
        for rescored in bring_to_today(out, benchmarks.load(name), registry):
            changes[rescored.change] += 1
            if rescored.change is not Change.NOTHING:
                print(f"{rescored.path}: {rescored.change}", flush=True)
    print("; ".join(f"{changes[change]} {change}" for change in Change if changes[change]) or "there are no results")


def _judge(
    said: readers.LabelledFile, benchmark: str | None, target: str | None, split: str | None, gold: Path | None
) -> Judged:
    from ... import scoring

    if gold is not None:
        if benchmark or target or split:
            raise OptionError("--gold stands for a benchmark", hint="leave out --benchmark, --target and --split")
        return scoring.judge_by_file(said, gold)
    if not (benchmark or target) and said.has_gold:
        return scoring.judge_by_column(said)
    return scoring.judge_by_benchmark(said, choose_benchmark(benchmark, quiet=True), target, split)


def _read_map(options: Sequence[str]) -> dict[str, str]:
    renamed: dict[str, str] = {}
    for pair in [pair for option in options for pair in split_names("--map", option)]:
        old, equals, new = (part.strip() for part in pair.partition("="))
        if not (old and equals and new):
            raise OptionError(f"--map: {pair!r} does not say which type is read as which", hint="write --map OLD=NEW")
        if renamed.setdefault(old, new) != new:
            raise OptionError(f"--map: {old!r} is read as {renamed[old]!r} and as {new!r}", hint="leave one out")
    return renamed


def _check_errors_file(place: Path, read: Sequence[Path]) -> None:
    """Before anything is scored: that the errors have a format, and take the place of nothing that is read."""
    if place.suffix.lower() not in (".jsonl", ".csv"):
        raise OptionError(f"--errors: {place} ends neither in .jsonl nor in .csv", hint="name it errors.csv")
    check_place("--errors", [place], read, "name another: --errors errors.csv")


def _write_errors(report: Report, place: Path) -> None:
    from ...foreign import redact_all
    from ...io import write_atomic, writing
    from ...reporting import write_lines

    records = [redact_all(mistake.to_data()) for mistake in report.mistakes]
    if place.suffix.lower() == ".csv":
        sides, parts = ("gold", "predicted"), ("start", "end", "type", "text")
        rows = [
            [record["id"], record["text"], record["error"]]
            + [None if record[side] is None else record[side][part] for side in sides for part in parts]
            for record in records
        ]
        header = ["id", "text", "error", *(f"{side}_{part}" for side in sides for part in parts)]
        text = write_lines([header, *rows])
    else:
        text = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
    with writing(place.parent, "name another file: --errors FILE"):
        write_atomic(place, text)
    print(f"wrote {place}: {len(records):,} errors", file=sys.stderr)


def _put_on_board(name: str, report: Report, data: Benchmark, setting: str | None, out: Path) -> list[str]:
    """What to say of it when the report has been shown."""
    from ...plugins import discover
    from ...records import submit

    became = submit(out / "leaderboards", name, report.judged, data, setting, discover())
    command = name_command("leaderboard", "--benchmark", data.given, out=out)
    return [*(f"{what} {path}" for path, what in became.items()), f"to see the row, type: {command}"]


def _show(report: Report) -> None:
    from ... import scoring

    print(f"predictions: {report.file}\ngold: {report.judged.gold}", flush=True)
    if report.types is not None:
        print(f"only these types: {', '.join(report.types)}", flush=True)
    if report.judged.renamed:
        print(f"types renamed: {', '.join(f'{a} to {b}' for a, b in report.judged.renamed.items())}", flush=True)
    protocols = make_table("protocol", *COUNTED, title=f"{len(report.pairs)} sentences", right=6, keep=("F1",))
    for name, counts in report.protocols.items():
        protocols.add_row(name, *format_counts(counts))
    for name, value in report.lenient.items():
        protocols.add_row(f"({name})", "", "", f"{value:.2f}", "", "", "")
    per_type = make_table("type", *COUNTED, title=f"{scoring.HEADLINE} per type", right=6, keep=("F1",))
    for kind, counts in report.per_type.items():
        per_type.add_row(scoring.name_type(kind), *format_counts(counts))
    per_type.add_section()
    per_type.add_row("micro", *format_counts(report.scores.counts()))
    for name, mean in report.averages.items():
        per_type.add_row(AVERAGES[name], *(f"{value:.2f}" for value in (mean.precision, mean.recall, mean.f1)))
    kinds = list(report.errors)
    errors = make_table(
        "type", *(kind.replace(" ", "\n") for kind in kinds), "all", title="Errors", right=len(kinds) + 1
    )
    for kind, of_type in report.errors_per_type.items():
        errors.add_row(
            scoring.name_type(kind), *(str(of_type[error] or "") for error in kinds), str(sum(of_type.values()))
        )
    errors.add_section()
    errors.add_row("all", *map(str, report.errors.values()), str(sum(report.errors.values())))
    show(protocols, per_type, errors)
    if report.mistakes:
        show(_draw_confusion(report))
    for remark in report.remarks:
        print(f"note: {remark}", flush=True)
    print(f"to cite: {report.citation}", flush=True)


def _draw_confusion(report: Report) -> Table | str:
    """Gold types against predicted types: under their names if that is narrow enough, else under their numbers."""
    from ... import scoring
    from ..terminal import Terminal

    rows = report.confusion
    ends = (scoring.SPURIOUS, scoring.MISSED)
    found = {kind for said in rows.values() for kind in said} | rows.keys()
    kinds = [*sorted(found - set(ends)), *(end for end in ends if end in found)]
    across = [kind for kind in kinds if any(kind in said for said in rows.values())]
    numbers = {kind: str(n) for n, kind in enumerate(kinds, start=1)}
    for headings in (list(map(scoring.name_type, across)), [numbers[kind] for kind in across]):
        named = headings == list(map(scoring.name_type, across))
        table = make_table(
            "gold \\ predicted", *headings, title="Errors by gold and predicted type (right ones not counted)",
            right=len(across),
        )  # fmt: skip
        table.padding = (0, 0)
        for kind in kinds:
            if kind in rows or (not named and kind in across):
                label = scoring.name_type(kind) if named else f"{numbers[kind]} {scoring.name_type(kind)}"
                table.add_row(label, *(str(rows.get(kind, {}).get(other, "")) for other in across))
        if Terminal(width=1000).measure(table).maximum <= WIDEST:
            return table
    return f"errors by gold and predicted type: {len(across)} columns are too many here; --json has them, as confusion"


def format_counts(counts: Counts) -> list[str]:
    """The cells of `COUNTED`."""
    ratios = (counts.precision, counts.recall, counts.f1)
    return [*(f"{value:.2f}" for value in ratios), str(counts.tp), str(counts.fp), str(counts.fn)]
