"""`cdner-bench plan` says what `run` would make. It starts nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...common import HERE, Out, make_table, show
from .asked import Asked, asks_for_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....running import Job, Planned


@asks_for_runs
def plan(asked: Asked, out: Out = HERE) -> None:
    """Say what `run` with the same arguments would make, what it shares, and what it may take. Starts nothing."""
    from ....running import State, survey

    _, jobs = asked.list_jobs()
    rows: dict[tuple[str, ...], list[Planned]] = {}
    for planned in survey(jobs, out):
        rows.setdefault(_describe(planned.job), []).append(planned)
    left = [p for row in rows.values() for p in row if p.left]
    headers = ("method", "preset", "setting", "runs", *State, "sharing", "minutes a run", "hours left")
    table = make_table(*headers, right=len(State) + 4, keep=("setting", State.TO_DO, "hours left", "runs", "preset"))
    users = Counter(stage for row in rows.values() for p in row for stage in p.stages)
    for name, row in rows.items():
        counts = Counter(p.state for p in row)
        time = _tell_time([p for p in row if p.left])
        sharing = sum(any(users[stage] > 1 for stage in p.stages) for p in row)
        table.add_row(*name, str(len(row)), *(str(counts[state] or "") for state in State), str(sharing or ""), *time)
    show(table)
    for reason in dict.fromkeys(p.reason for row in rows.values() for p in row if p.reason):
        print(f"blocked: {reason}")
    unknown = sum(p.seconds is None for p in left)
    hours = sum(p.seconds or 0 for p in left) / 3600
    took = f", {hours:.1f} hours as earlier runs like them took, one at a time" if unknown < len(left) else ""
    print(f"{len(left)} of {len(jobs)} runs to make{took}")
    if on_gpu := sum(p.seconds or 0 for p in left if p.on_gpu) / 3600:
        print(f"{on_gpu:.1f} of them are hours of a GPU")
    if tokens := sum(p.tokens for p in left):
        cost = sum(p.cost for p in left)
        print(f"about {tokens:,.0f} tokens of language models" + (f", ${cost:,.2f}" if cost else ""))
    if shared := [stage for stage, count in users.items() if count > 1]:
        there = sum((out / "runs" / "shared" / stage).is_dir() for stage in shared)
        print(f"{len(shared)} stages are shared by several of these runs, and {there} of them are there already")
    if unknown:
        which = f"{unknown} of them are not in this sum" if took else "how long is not known"
        print(f"{which}: no run like them was finished yet")


def _describe(job: Job) -> tuple[str, str, str]:
    options = ", ".join(f"{name}={job.method.options[name]}" for name in job.departures)
    name = job.entry.spec.name
    return f"{name} ({options})" if options else name, job.preset or "–", job.scenario.setting


def _tell_time(planned: Sequence[Planned]) -> tuple[str, str]:
    """Minutes of a run and hours of all, of those that can be estimated."""
    known = [p.seconds for p in planned if p.seconds is not None]
    if not known:
        return ("?", "?") if planned else ("", "")
    return f"{sum(known) / len(known) / 60:.1f}", f"{sum(known) / 3600:.1f}"
