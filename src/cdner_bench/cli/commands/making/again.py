"""`cdner-bench reproduce` makes a finished run again and compares it with what it was; `time` takes its seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import OptionError, count
from ...common import HERE, BenchmarkName, Disabled, Out, PluginFiles, choose_benchmark, tell_command
from .asked import Options
from .run import MOST
from .told import tell_duration, tell_models

if TYPE_CHECKING:
    from ....running import reproducing


def reproduce(
    run: Annotated[
        str, typer.Argument(help="A finished run: its id or how it begins, METHOD/TARGET/SEED, or its result file.")
    ],
    benchmark: BenchmarkName = None,
    option: Options = [],
    out: Out = HERE,
    again: Annotated[
        Path | None, typer.Option(help="Where to make it; by default a folder that goes again.", metavar="DIR")
    ] = None,
    keep_model: Annotated[bool, typer.Option("--keep-model", help="With --again: keep what was learnt there.")] = False,
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> int:
    """Make a finished run again elsewhere, and say which of its predictions are the same; 0 only if all are."""
    from tempfile import TemporaryDirectory

    from .... import plugins
    from ....io import Stopped, stoppable
    from ....plugins import options
    from ....records import find_run
    from ....running import kept_models, reproducing
    from ...display import open_displays
    from ...streams import lasting

    if keep_model and again is None:
        raise OptionError("--keep-model needs a folder that stays", hint="name one: --again DIR")
    found = find_run(run, out)
    before = found.result
    if again is not None and again.resolve() == found.folder.resolve().parent.parent:
        raise OptionError(f"--again {again}: there it is finished, and would not be made", hint="name another folder")
    data = choose_benchmark(benchmark, recorded=before.benchmark.name)
    registry = plugins.discover(plugin, no_plugin)
    job = reproducing.restore(before, data, registry, options.parse_assignments(option))
    (job,) = kept_models.give_room([job], keep_model)
    try:
        with stoppable(), lasting(), TemporaryDirectory() as folder, open_displays(False, 1) as (observer,):
            made = reproducing.reproduce(job, before, found.predictions, again or Path(folder), observer)
    except Stopped as stopped:
        return stopped.status
    for difference in made.differences:
        print(f"not as it was: {difference}")
    share = made.same / made.sentences if made.sentences else 1
    print(f"{made.same} of {made.sentences} predictions are the same ({share:.1%})")
    if keep_model and again is not None:
        tell_models([made.outcome], again)
    return int(not made.exact)


def time(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...", help="Finished runs: ids or how they begin, METHOD/TARGET/SEED, or result files."
        ),
    ],
    benchmark: BenchmarkName = None,
    option: Options = [],
    out: Out = HERE,
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> int:
    """Take the seconds of finished runs anew, on a machine that does nothing else: boards mark those of a busy one.
    Each run is made again elsewhere, one after the other; scores and predictions stay. 0 only if all were taken.
    """
    from .... import plugins
    from ....io import Stopped, stoppable
    from ....plugins import options
    from ....records import find_run
    from ....running import reproducing
    from ...display import open_displays
    from ...streams import lasting

    data = choose_benchmark(benchmark) if benchmark else None
    named = {run.file: run for run in (find_run(name, out, data.name if data else "") for name in runs)}
    for run in named.values():
        reproducing.require_made(run)
    found = [run for run in named.values() if not reproducing.has_quiet_seconds(run.result)]
    if len(found) < len(named):
        print(f"{count(len(named) - len(found), 'run')} had a quiet machine already")
    registry, chosen, jobs = plugins.discover(plugin, no_plugin), options.parse_assignments(option), []
    names = dict.fromkeys(run.result.benchmark.name for run in found)
    answered = {name: data or choose_benchmark(None, recorded=name) for name in names}
    for run in found:
        jobs.append(reproducing.restore(run.result, answered[run.result.benchmark.name], registry, chosen))
        reproducing.require_timing(jobs[-1], run.result)
    if not jobs:
        return 0
    reproducing.require_quiet()
    took = sum(phase.seconds for run in found for phase in run.result.phases)
    print(f"about {tell_duration(took)}, as they took", flush=True)
    timed = []
    try:
        with stoppable(), lasting(), open_displays(False, 1) as (observer,):
            for each in reproducing.time_again(found, jobs, out, observer):
                timed.append(each)
    except Stopped as stopped:
        return stopped.status
    finally:
        for each in timed:
            print(_tell(each))
    refused = sum(bool(each.refusal) for each in timed)
    if refused < len(timed):
        tell_command("leaderboard", out=out)
    return min(refused, MOST)


def _tell(timed: reproducing.Timed) -> str:
    if timed.refusal:
        return f"not taken: {timed.run.name}: {timed.refusal}"
    then, now = (sum(phase.seconds for phase in phases) for phases in (timed.run.result.phases, timed.made.phases))
    same = f"{timed.made.same} of {timed.made.sentences} predictions are the same"
    return f"{timed.run.name}: {now:.1f} s, before {then:.1f}; {same}"
