"""`cdner-bench analyze` measures corpora and prints the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError, did_you_mean
from ...types import HIGHEST_SEED
from ..common import HERE, BenchmarkName, Disabled, Out, PluginFiles, choose_benchmark, show, split_names

if TYPE_CHECKING:
    from ...data import Benchmark
    from ...records import Measured

ERRORS = ("strict", "replace")


def analyze(
    analysis: Annotated[str, typer.Option(help="Analyses, separated by commas.", metavar="NAME[,NAME]")],
    corpus: Annotated[
        str,
        typer.Option(
            help="gtok, dapt, train, dev, test; gtok+50, with 50 explanations of other domains; a file; - for stdin.",
            metavar="NAME[,NAME]",
        ),
    ],
    domain: Annotated[str | None, typer.Option(help="Domains; all, if left out.", metavar="NAME[,NAME]")] = None,
    benchmark: BenchmarkName = None,
    option: Annotated[
        list[str],
        typer.Option(
            "-o", "--option", help="One option: KEY, or ANALYSIS.KEY for one of several.", metavar="KEY=VALUE"
        ),
    ] = [],
    seed: Annotated[int, typer.Option(help="Of every random draw.", min=0, max=HIGHEST_SEED)] = 0,
    errors: Annotated[str, typer.Option(help="What is not UTF-8: strict stops, replace goes on.")] = "strict",
    figures: Annotated[
        Path | None, typer.Option(help="Draw what was measured: SVG, PNG and CSV.", metavar="DIR")
    ] = None,
    out: Out = HERE,
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> None:
    """Judge corpora without training on them: numbers on the terminal, and everything as JSON."""
    from ... import plugins
    from ...plugins import Analysis, options
    from ...records import measurements
    from ...running import analyses
    from ..display import open_bar

    if errors not in ERRORS:
        raise OptionError(f"--errors {errors}: unknown", hint=did_you_mean(errors, ERRORS))
    registry = plugins.discover(plugin, no_plugin)
    entries = [registry.analysis(name) for name in split_names("--analysis", analysis)]
    owners = {entry.spec.name: entry.spec.load(Analysis).Options for entry in entries}
    settings = options.deal(options.parse_assignments(option), owners)
    resolved = [(entry, entry.spec.resolve(None, settings[entry.spec.name], Analysis)) for entry in entries]
    domains = [] if domain is None else split_names("--domain", domain)
    names = split_names("--corpus", corpus)
    data = _choose_if_needed(benchmark, domains, names)
    made: dict[str, list[Measured]] = {entry.spec.name: [] for entry in entries}
    with open_bar() as titled:
        for name in names:
            for text in analyses.texts(name, data, domains, errors, seed):  # type: ignore[arg-type]
                for entry, values in resolved:
                    job = analyses.MeasurementJob(entry, values, text, data, seed)
                    measured = analyses.measure(job, out / "runs", titled(str(job)))
                    measurements.save(measured, out / "leaderboards" / "measurements" / measured.path)
                    made[entry.spec.name].append(measured)
    for of_analysis in made.values():
        print_measured(of_analysis)
    if figures is not None:
        from ...reporting import draw

        for path in draw([m for of_analysis in made.values() for m in of_analysis], figures):
            print(f"wrote {path}")


def _choose_if_needed(name: str | None, domains: Sequence[str], corpora: Sequence[str]) -> Benchmark | None:
    """The benchmark, if one is asked for or needed: files can do without."""
    if name is None and not domains and all(c == "-" or (Path(c).exists() and not Path(c).is_dir()) for c in corpora):
        return None
    data = choose_benchmark(name)
    for domain in domains:
        data.domain(domain)
    return data


def print_measured(made: Sequence[Measured]) -> None:
    """Numbers as a table, parts as another, and what a reader has to know."""
    from ...reporting import collect_notes, draw_table, tabulate_corpora, tabulate_parts

    show(draw_table(tabulate_corpora(made)))
    if any(m.measurement.parts for m in made):
        show(draw_table(tabulate_parts(made)))
    for note in collect_notes(made):
        print(note)
