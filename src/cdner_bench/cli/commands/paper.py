"""`cdner-bench paper` recomputes a paper's numbers beside the printed ones; `protocols` scores runs as papers do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError, ResultError, did_you_mean
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
    from rich.table import Table

    from ...data import Benchmark
    from ...papers import checks
    from ...records import Run
    from ...reporting import Page

WHAT = ("quantity", "")
ALL = "Without RUN: only these."
Format = Annotated[
    str | None, typer.Option("--format", help="md, csv, latex, html or json; a table, if left out.", metavar="NAME")
]


app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def choose(context: typer.Context, plugin: PluginFiles = [], no_plugin: Disabled = []) -> int:
    """Recompute every number of the TOPT paper that needs no model, beside the printed one; 1 if one is off."""
    return 0 if context.invoked_subcommand else paper(plugin, no_plugin)


def paper(plugin: Sequence[Path] = (), no_plugin: Sequence[str] = ()) -> int:
    """Recompute every number of the TOPT paper that needs no model, beside the printed one; 1 if one is off."""
    from ... import plugins
    from ...papers import TOPT, checks, load
    from ..display import open_bar

    topt = load(TOPT)
    benchmark = choose_benchmark("crossner")
    registry = plugins.discover(plugin, no_plugin)
    with open_bar() as titled:
        findings = list(checks.recompute(topt, benchmark, registry, titled("recomputing")))
    claims = list(checks.list_claims(topt, benchmark.name))
    show(_tabulate_numbers(findings), _tabulate_off(claims))
    print(f"{sum(c.matches for c in claims)} of {len(claims)} averages and repeated numbers agree with the others")
    broken = sum(not finding.holds for finding in findings) + sum(not claim.holds for claim in claims)
    verdict = "everything that should match does" if not broken else f"{broken} that should match do not"
    print(f"{len(findings)} rows of numbers recomputed, or said why not: {verdict}")
    return min(broken, 1)


@app.command("tables")
def tables(
    paper: Annotated[str, typer.Option(help="Whose tables.", metavar="NAME")] = "topt",
    format_: Annotated[
        str | None, typer.Option("--format", help="md or latex; tables, if left out.", metavar="NAME")
    ] = None,
    out: Out = HERE,
) -> None:
    """Lay out the paper's tables of scores as it does, what was measured here under each printed row, and what would
    fill each hole.
    """
    from ...data import benchmark as benchmarks
    from ...papers import NOTE, WRITERS, lay_out, load, load_all
    from ...records import measurements, results
    from ...reporting import draw_table

    if format_ is not None and format_ not in WRITERS:
        raise OptionError(f"unknown format {format_!r}", hint=did_you_mean(format_, WRITERS))
    known = [each.name for each in load_all()]
    if paper not in known:
        raise OptionError(f"--paper {paper}: no such paper", hint=did_you_mean(paper, known))
    if not out.is_dir():
        raise OptionError(f"there is no folder {out}", hint="--out DIR names the folder with leaderboards/")
    chosen = load(paper)
    made = []
    for name in dict.fromkeys(table["benchmark"] for table in chosen.tables):
        data, boards = benchmarks.load(name), out / "leaderboards"
        found = results.load_all(boards / "results", data), measurements.load_all(boards / "measurements")
        made += lay_out(chosen, data, *found)
    if format_ is not None:
        print(WRITERS[format_](made), end="")
        return
    print(NOTE)
    for table in made:
        show(draw_table(table.to_table(), "the same command with --format md"))
        print(*(f"not run: {hole}" for hole in table.holes), sep="\n")


def _tabulate_numbers(findings: Sequence[checks.Finding]) -> Table:
    """Two rows for each row of numbers: what came out, and what is printed."""
    domains = list(dict.fromkeys(domain for finding in findings for domain in finding.check.printed))
    shown = make_table("table", *WHAT, *domains, title="Numbers that need no model", right=len(domains), keep=WHAT)
    for finding in findings:
        check = finding.check
        values = [finding.format(d) if d in check.printed else "" for d in domains]
        printed = [check.format(check.printed[d]) if d in check.printed else "" for d in domains]
        shown.add_row(check.table, check.quantity, "recomputed", *values)
        shown.add_row("", finding.remark, "printed", *printed, end_section=True)
    return shown


def _tabulate_off(claims: Sequence[checks.Claim]) -> Table:
    """A row for each printed number that the others do not bear out."""
    headers = ("table", "what", "printed", "follows from the others", "why")
    shown = make_table(*headers, title="Averages and repeated numbers that are off", keep=headers[1:4])
    for claim in claims:
        if not claim.matches:
            values = [f"{claim.printed:.2f}", f"{claim.follows:.2f}"]
            shown.add_row(claim.table, claim.what, *values, claim.reason or "MISMATCH")
    return shown


def protocols(
    run: Annotated[
        list[str] | None,
        typer.Argument(help="An id or how it begins, METHOD/TARGET/SEED, or a result file; all runs, if left out."),
    ] = None,
    benchmark: BenchmarkName = None,
    setting: Annotated[str | None, typer.Option(help=ALL, metavar="NAME[,NAME]")] = None,
    method: Annotated[str | None, typer.Option(help=ALL, metavar="NAME[,NAME]")] = None,
    paper: Annotated[
        str | None,
        typer.Option(help="In place of runs: what this paper's scores are in strict F1, an estimate.", metavar="NAME"),
    ] = None,
    format_: Format = None,
    out: Out = HERE,
) -> None:
    """Score the predictions of finished runs under every protocol, beside one another; trains and writes nothing."""
    from ...papers import ProtocolPage, score_run
    from ...reporting import FORMATS
    from ..display import open_bar

    if format_ is not None and format_ not in FORMATS:
        raise OptionError(f"unknown format {format_!r}", hint=did_you_mean(format_, FORMATS))
    if paper is not None:
        if run or setting or method:
            raise OptionError(
                "--paper is about printed scores", hint="leave out RUN, --setting and --method, or --paper"
            )
        show_page(_estimate(paper, out, benchmark or "crossner"), format_)
        return
    if run and (setting or method):
        raise OptionError("--setting and --method choose among all runs", hint="leave them out, or RUN")
    found = _find_named(run, out, benchmark) if run else _find_all(out, benchmark, setting, method)
    known = _load_benchmarks((each.result.benchmark.name for each in found), benchmark)
    scored = []
    with open_bar() as titled:
        observer = titled("scoring")
        for number, each in enumerate(found, start=1):
            scored.append(score_run(each, known.get(each.result.benchmark.name)))
            observer.progress(number, len(found), {})
    show_page(ProtocolPage(scored, named=bool(run)), format_)


def show_page(page: Page, format_: str | None) -> None:
    """Draw the tables of a page, or write it in a format."""
    from ...reporting import FORMATS, draw_table

    if format_ is not None:
        print(FORMATS[format_](page), end="")
        return
    for table in page.tables():
        if table.note:
            print(table.note)
        show(draw_table(table, "the same command with --format csv"))


def _estimate(name: str, out: Path, benchmark: str) -> Page:
    from ...data import benchmark as benchmarks
    from ...papers import estimate_printed, load, load_all
    from ...records import load_runs

    known = [paper.name for paper in load_all() if paper.released]
    if name not in known:
        raise OptionError(f"--paper {name}: no such paper", hint=did_you_mean(name, known))
    data = benchmarks.load(benchmark)
    page = estimate_printed(load(name), data, [run.result for run in load_runs(out, data.name)])
    if not page.rows:
        raise OptionError(f"{name} prints no scores of {data.name}", hint="leave out --benchmark")
    return page


def _find_named(names: list[str], out: Path, benchmark: str | None) -> list[Run]:
    from ...data import benchmark as benchmarks
    from ...records import find_run

    of = benchmarks.load(benchmark).name if benchmark else ""
    found = [find_run(name, out, of) for name in dict.fromkeys(names)]
    for each in found:
        if not each.result.finished:
            raise ResultError(
                f"{each.name} has no scores, it is {each.result.status}: {each.result.reason}",
                hint="finish it with the command that began it",
            )
    return list({each.result.run: each for each in found}.values())


def _find_all(out: Path, benchmark: str | None, setting: str | None, method: str | None) -> list[Run]:
    from ...records import load_runs

    data = choose_benchmark(benchmark, quiet=True)
    found = [each for each in load_runs(out, data.name) if each.result.finished]
    if not found:
        raise ResultError(
            f"there are no finished runs of {data.name} below {out.resolve()}",
            hint=f"make one: cdner-bench run --benchmark {data.given} --method gazetteer; or name a folder: --out DIR",
        )
    settings = _choose("--setting", setting, [each.result.scenario.setting for each in found])
    methods = _choose("--method", method, [each.result.method.name for each in found])
    chosen = [e for e in found if e.result.scenario.setting in settings and e.result.method.name in methods]
    if not chosen:
        raise OptionError("no run has this setting and this method together", hint="leave one of them out")
    return chosen


def _choose(option: str, text: str | None, there: Sequence[str]) -> Sequence[str]:
    """The names that an option gives, or all that there are. Raises `OptionError` for one that there is not."""
    known = list(dict.fromkeys(there))
    names = known if text is None else split_names(option, text)
    for name in names:
        if name not in known:
            raise OptionError(f"{option} {name}: there are no results of it", hint=did_you_mean(name, known))
    return names


def _load_benchmarks(names: Iterable[str], given: str | None) -> dict[str, Benchmark]:
    """The benchmarks of runs by name, as far as they are known here."""
    from ...data import benchmark as benchmarks

    known = {data.name: data for data in ([benchmarks.load(given)] if given else [])}
    for name in dict.fromkeys(names):
        if name not in known and (data := benchmarks.find(name)):  # of somebody's own, runs are shown as results say
            known[name] = data
    return known
