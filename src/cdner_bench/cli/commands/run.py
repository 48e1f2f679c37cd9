"""`cdner-bench run` makes runs and shows their board."""

from __future__ import annotations

from typing import Annotated

import typer

from ..common import HERE, BenchmarkName, Disabled, Out, PluginFiles, chosen, named

MOST = 100
"""The highest exit status, so that it stays clear of those of signals."""


def run(
    method: Annotated[str, typer.Option(help="Methods, separated by commas.", metavar="NAME[,NAME]")],
    setting: Annotated[str, typer.Option(help="single, multi, or another setting of the benchmark.")],
    target: Annotated[str | None, typer.Option(help="Target domains; all, if left out.", metavar="NAME[,NAME]")] = None,
    benchmark: BenchmarkName = None,
    preset: Annotated[str | None, typer.Option(help="quick, cpu or paper; by default the benchmark's.")] = None,
    option: Annotated[
        list[str], typer.Option("-o", "--option", help="One option of the method.", metavar="KEY=VALUE")
    ] = [],
    seeds: Annotated[str, typer.Option(help="How many seeds (0, 1, …), or the seeds themselves: 555,666,777.")] = "1",
    out: Out = HERE,
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the outcome only.")] = False,
) -> int:
    """Run methods on a benchmark. What is finished is skipped, what was interrupted is continued."""
    from ... import plugins
    from ...plugins import options
    from ...running import runner
    from ..display import display
    from .leaderboard import print_boards

    data = chosen(benchmark)
    registry = plugins.discover(plugin, no_plugin)
    entries = [registry.get(name) for name in named("--method", method)]
    scenarios = data.scenarios(setting, () if target is None else named("--target", target))
    jobs = runner.plan(data, scenarios, entries, preset, options.parse_assignments(option), _seeds(seeds))
    with display(quiet) as observer:
        outcomes = list(runner.run(jobs, out, observer))
    print_boards(data, out, setting)
    failed = sum(outcome.failed for outcome in outcomes)
    if failed:
        print(f"{failed} of {len(jobs)} runs failed; type the same command to try them again")
    return min(failed, MOST)


def _seeds(text: str) -> list[int]:
    from ...errors import OptionError

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
