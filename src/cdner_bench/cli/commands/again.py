"""`cdner-bench reproduce` makes a finished run again and compares it with what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...errors import OptionError
from ..common import HERE, BenchmarkName, Disabled, Out, PluginFiles, choose_benchmark
from .run import Options, tell_models


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

    from ... import plugins
    from ...io import Stopped, stoppable
    from ...plugins import options
    from ...records import find_run
    from ...running import kept_models, reproducing
    from ..display import open_display
    from ..streams import lasting

    if keep_model and again is None:
        raise OptionError("--keep-model needs a folder that stays", hint="name one: --again DIR")
    found = find_run(run, out)
    before = found.result
    data = choose_benchmark(benchmark or before.benchmark.name)
    registry = plugins.discover(plugin, no_plugin)
    job = reproducing.restore(before, data, registry, options.parse_assignments(option))
    (job,) = kept_models.give_room([job], keep_model)
    try:
        with stoppable(), lasting(), TemporaryDirectory() as folder, open_display(quiet=False) as observer:
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
