"""`cdner-bench score` and `cdner-bench rescore`."""

from __future__ import annotations

import gc
import json
from collections import Counter
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
    show,
    split_names,
)

if TYPE_CHECKING:
    from ...data import readers
    from ...scoring import Counts, Judged, Report

COUNTED = ("precision", "recall", "F1", "tp", "fp", "fn")
Format = Annotated[
    str | None, typer.Option("--format", help="What the file is; by default told from its content.", metavar="NAME")
]
TagScheme = Annotated[
    str | None,
    typer.Option(help="IO, IOB1, IOB2, IOBES, BILOU or BMEWO; by default told from the tags.", metavar="NAME"),
]
Types = Annotated[str | None, typer.Option(help="Score these types only.", metavar="TYPE[,TYPE]")]
Ignored = Annotated[str | None, typer.Option("--ignore-type", help="Leave these types out.", metavar="TYPE[,TYPE]")]


def score(
    file: Annotated[Path, typer.Argument(help="Predictions in any of the formats of docs/formats.md; - is stdin.")],
    benchmark: BenchmarkName = None,
    target: Annotated[str | None, typer.Option(help="The domain, for a file without sentence ids.")] = None,
    split: Annotated[str, typer.Option(help="The split, for a file without sentence ids.")] = "test",
    gold: Annotated[Path | None, typer.Option(help="A gold file of one's own, in place of a benchmark.")] = None,
    format: Format = None,
    scheme: TagScheme = None,
    types: Types = None,
    ignore_type: Ignored = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Score anyone's predictions under every protocol."""
    from ... import scoring
    from ...data import readers

    gc.disable()  # a file's sentences are no garbage, and to look for it among them takes a third of the time
    said = readers.read_file(file, format, scheme)
    judged, chosen = _judge(said, benchmark, target, split, gold), None
    if types or ignore_type:
        only = split_names("--types", types) if types else []
        judged, chosen = scoring.choose_types(
            judged, only, split_names("--ignore-type", ignore_type) if ignore_type else []
        )
    report = scoring.Report(said, judged, chosen)
    if as_json:
        print(json.dumps(report.to_data(), indent=1))
    else:
        _show(report)


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
    said: readers.LabelledFile, benchmark: str | None, target: str | None, split: str, gold: Path | None
) -> Judged:
    from ... import scoring

    if gold is not None:
        if benchmark or target:
            raise OptionError("--gold stands for a benchmark", hint="leave out --benchmark and --target")
        return scoring.judge_by_file(said, gold)
    if not (benchmark or target) and scoring.has_gold_column(said):
        return scoring.judge_by_column(said)
    return scoring.judge_by_benchmark(said, choose_benchmark(benchmark, quiet=True), target, split)


def _show(report: Report) -> None:
    from ... import scoring

    print(f"predictions: {report.file}\ngold: {report.judged.gold}", flush=True)
    if report.types is not None:
        print(f"only these types: {', '.join(report.types)}", flush=True)
    for remark in report.remarks:
        print(f"note: {remark}", flush=True)
    protocols = make_table("protocol", *COUNTED, title=f"{len(report.pairs)} sentences", right=6)
    for name in report.scores.protocols:
        protocols.add_row(name, *_format_counts(report.scores.counts(name)))
    for name, value in report.lenient.items():
        protocols.add_row(f"({name})", "", "", f"{value:.2f}", "", "", "")
    per_type = make_table("type", *COUNTED, title=f"{scoring.HEADLINE} per type", right=6)
    for kind, counts in report.scores.protocols[scoring.HEADLINE].items():
        per_type.add_row("(unknown type)" if kind == scoring.OUTSIDE else kind, *_format_counts(counts))
    errors = make_table("error", "count", title="Errors", right=1)
    for kind, count in report.errors.items():
        errors.add_row(kind, str(count))
    show(protocols, per_type, errors)


def _format_counts(counts: Counts) -> list[str]:
    ratios = (counts.precision, counts.recall, counts.f1)
    return [*(f"{value:.2f}" for value in ratios), str(counts.tp), str(counts.fp), str(counts.fn)]
