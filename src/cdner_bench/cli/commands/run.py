"""`cdner-bench run` makes runs and shows their board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...errors import OptionError
from ..common import HERE, BenchmarkName, Disabled, Out, PluginFiles, choose_benchmark, split_names

MOST = 100
"""The highest exit status, so that it stays clear of those of signals."""


def run(
    method: Annotated[str | None, typer.Option(help="Methods, separated by commas.", metavar="NAME[,NAME]")] = None,
    setting: Annotated[str | None, typer.Option(help="single, multi, or another setting of the benchmark.")] = None,
    target: Annotated[str | None, typer.Option(help="Target domains; all, if left out.", metavar="NAME[,NAME]")] = None,
    benchmark: BenchmarkName = None,
    preset: Annotated[str | None, typer.Option(help="quick, cpu or paper; by default the benchmark's.")] = None,
    option: Annotated[
        list[str], typer.Option("-o", "--option", help="One option of the method.", metavar="KEY=VALUE")
    ] = [],
    seeds: Annotated[str, typer.Option(help="How many seeds (0, 1, …), or the seeds themselves: 555,666,777.")] = "1",
    campaign: Annotated[
        Path | None, typer.Option(help="A file of rows to make, in place of all of the above.", metavar="FILE")
    ] = None,
    out: Out = HERE,
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the outcome only.")] = False,
) -> int:
    """Run methods on a benchmark. What is finished is skipped, what was interrupted is continued."""
    from ... import plugins
    from ...plugins import options
    from ...running import Ending, runner
    from ...running import campaign as campaigns
    from ..display import open_display
    from .leaderboard import print_boards

    registry = plugins.discover(plugin, no_plugin)
    if campaign is not None:
        if method or setting or target or option or benchmark or preset or seeds != "1":
            raise OptionError(
                "a campaign names its own benchmark, preset, methods, settings, options and seeds",
                hint="leave them out, or write a campaign of your own",
            )
        asked = campaigns.read(campaign)
        data = choose_benchmark(asked.benchmark)
        jobs = list(asked.jobs(data, registry))
    else:
        if method is None or setting is None:
            raise OptionError(
                f"run needs a {'--method' if method is None else '--setting'}",
                hint="type: cdner-bench run --method topt --setting multi; cdner-bench list says what there is",
            )
        data = choose_benchmark(benchmark)
        entries = [registry.get(name) for name in split_names("--method", method)]
        scenarios = data.list_scenarios(setting, () if target is None else split_names("--target", target))
        jobs = runner.plan(data, scenarios, entries, preset, options.parse_assignments(option), _parse_seeds(seeds))
    with open_display(quiet) as observer:
        outcomes = list(runner.run(jobs, out, observer))
    for name in dict.fromkeys(job.scenario.setting for job in jobs):
        print_boards(data, out, name)
    failed = sum(outcome.failed for outcome in outcomes if not (campaign and outcome.status is Ending.BUSY))
    if failed:
        print(f"{failed} of {len(jobs)} runs failed; type the same command to try them again")
    return min(failed, MOST)


def _parse_seeds(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 0 or ("," not in text and numbers[0] == 0):
        raise OptionError(
            f"--seeds {text}: not a number of seeds",
            hint="write --seeds 3, or the seeds: --seeds 555,666,777",
        )
    return numbers if "," in text else list(range(numbers[0]))
