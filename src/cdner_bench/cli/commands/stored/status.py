"""`cdner-bench status` says how the runs of a store stand, from any shell that sees it."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import ResultError, count
from ....foreign import show_line
from ...common import HERE, Out, make_table, show, tell_command

if TYPE_CHECKING:
    from ....drawing import Grid
    from ....running import standing

INTERVAL = 2.0
"""Seconds between two looks."""
SHOWN = 10
"""How many of many runs, or commands, are named."""
CLEAR = "\x1b[H\x1b[2J"
_OWN = re.compile(r"^cdner_bench\.errors\.\w+: ")
"""How Python names an error whose message says all."""


def status(
    out: Out = HERE,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, till nothing is left.")] = False,
) -> None:
    """Say how many runs are finished, running, failed or waiting; for those that run, where, since when and in which
    phase. Reads little, loads nothing and starts nothing.
    """
    from ....running import standing

    told = ""
    try:
        while True:
            overview = standing.look(out)
            if not overview.runs:
                raise ResultError(
                    f"there are no runs below {out.resolve()}", hint="name a folder that has runs/ in it: --out DIR"
                )
            live = watch and sys.stdout.isatty()
            counts = _count(overview)
            if live or not watch or counts != told:  # what is no terminal is told what is new
                print(end=CLEAR if live else "")
                _show(overview, counts, out)
                sys.stdout.flush()
            told = counts
            if not watch or not set(overview.runs.values()) & {standing.Standing.RUNNING, standing.Standing.WAITING}:
                return
            time.sleep(INTERVAL)
    except KeyboardInterrupt:
        return


def _count(overview: standing.Overview) -> str:
    from ....running import standing

    counts = Counter(overview.runs.values())
    told = ", ".join(f"{counts[each]} {each}" for each in standing.Standing if counts[each])
    return f"{count(len(overview.runs), 'run')}: {told}"


def _show(overview: standing.Overview, counts: str, out: Path) -> None:
    from ....running import standing

    ways = standing.Standing
    print(counts)
    if overview.making:
        show(_tabulate(overview))
    if len(overview.making) > SHOWN:
        print(f"and {len(overview.making) - SHOWN} more that run")
    failed = [run for run, way in overview.runs.items() if way is ways.FAILED]
    for run in failed[:SHOWN]:
        print(f"failed: {show_line(overview.names.get(run, run))}: {_read_why(out / 'runs' / run)}")
    if len(failed) > SHOWN:
        print(f"and {len(failed) - SHOWN} more that failed; cdner-bench runs list names them")
    if overview.queued:
        print(f"{overview.queued} of them wait in jobs of SLURM; squeue says when they start")
    if overview.commands and ways.RUNNING not in overview.runs.values():
        print("nothing is running; to go on:")
        for command in overview.commands[:SHOWN]:
            print(f"  → {show_line(command)}")
    elif not overview.commands and {*overview.runs.values()} <= {ways.FINISHED}:
        if overview.board:
            print(f"  → {show_line(overview.board)}")
        else:
            tell_command("leaderboard", out=out)


def _tabulate(overview: standing.Overview) -> Grid:
    table = make_table("run", "phase", "for", "since", "host", "process", keep=("phase", "for", "since", "host"))
    for made in overview.making[:SHOWN]:
        words = made.name, made.phase, _tell(made.phase_seconds), _tell(made.seconds), made.host, str(made.process)
        table.add_row(*map(show_line, words))
    return table


def _tell(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _read_why(folder: Path) -> str:
    """The last line of what is known of a failure."""
    try:
        with (folder / "error.txt").open("rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - 4096))
            lines = stream.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return show_line(_OWN.sub("", lines[-1])) if lines else "?"
