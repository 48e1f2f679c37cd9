"""`cdner-bench show` tells everything that is known of one run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import OptionError, ResultError
from ...common import HERE, BenchmarkName, Out, make_table, tell_command
from ...common import show as print_parts

if TYPE_CHECKING:
    from rich.table import Table

    from ....marking import Marked
    from ....records import Result
    from ....storing import Portrait, Stored, Wrong

RUN = "An id or how it begins, METHOD/TARGET/SEED, METHOD/SETTING/TARGET/SEED, a folder or a result file."


def show(
    run: Annotated[str, typer.Argument(help=RUN)],
    benchmark: BenchmarkName = None,
    errors: Annotated[int, typer.Option(help="How many sentences with errors, the worst first.", min=0)] = 5,
    format_: Annotated[str, typer.Option("--format", help="text or json.", metavar="NAME")] = "text",
    out: Out = HERE,
) -> None:
    """One run in full: what it was, how it learnt, what it cost, what it got wrong, and where it lies."""
    from ....data import benchmark as benchmarks
    from ....foreign import redact_all
    from ....records import NAME_ONE, tell_apart
    from ....storing import find_stored, portray

    if format_ not in ("text", "json"):
        raise OptionError(f"unknown format {format_!r}", hint="choose from: text, json")
    data = benchmarks.load(benchmark) if benchmark else None
    found = find_stored(run, out, data.name if data else "")
    if len(found) > 1:
        plain = [stored for stored in found if not stored.changes]
        if len(plain) != 1:
            named = tell_apart([stored.run for stored in found if stored.run])
            raise ResultError(f"{run} is the name of {len(found)} runs: {named}", hint=NAME_ONE)
        found = plain
    portrait = portray(found[0], data)
    if format_ == "json":
        print(json.dumps(redact_all(portrait.to_data(errors)), indent=1, ensure_ascii=False))
    else:
        _print(portrait, errors)
        for command in _list_next(found[0]):
            tell_command(*command, out=out)


def _print(portrait: Portrait, most: int) -> None:
    from ....storing import list_facts

    stored, result = portrait.stored, portrait.stored.result
    print(f"run {stored.id}: {stored.name}", flush=True)
    print_parts(_tabulate(list_facts(stored)))
    if portrait.curve:
        print_parts("\nLearning curve", _tabulate(_draw_curves(portrait)))
    if result and result.phases:
        print_parts(_draw_phases(result))
    if result and result.finished:
        print_parts(_draw_types(result))
    if portrait.wrong is not None:
        counted = [f"{number} {kind}" for kind, number in portrait.errors.items() if number]
        print_parts(f"Errors: {', '.join(counted) or 'none'}, in {len(portrait.wrong)} sentences")
        for wrong in portrait.wrong[:most]:
            print_parts("", f"{wrong.sentence.id}: {wrong.errors}", *_draw_sentence(wrong))
        if len(portrait.wrong) > most:
            print_parts("", f"{len(portrait.wrong) - most} more sentences: --errors {len(portrait.wrong)}")
    if not (result and result.finished) and stored.log_tail:
        print_parts("", "The end of its log", *(f"  {line}" for line in stored.log_tail))
    for note in portrait.notes:
        print_parts(f"note: {note}")
    print_parts("", _tabulate([(what, str(place)) for what, place in stored.paths.items()]))


def _tabulate(rows: Sequence[tuple[str, str]]) -> Table:
    """Names and what they stand for, which wraps below itself."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, said in rows:
        table.add_row(name, said)
    return table


def _draw_curves(portrait: Portrait) -> list[tuple[str, str]]:
    """A line for each number of each phase: its first, its course and its last, and of F1 the best."""
    from ....drawing import draw_curve

    rows = []
    for phase in dict.fromkeys(epoch.phase for epoch in portrait.curve):
        epochs = [epoch for epoch in portrait.curve if epoch.phase == phase]
        for name in dict.fromkeys(name for epoch in epochs for name in epoch.numbers):
            points = [(epoch.numbers[name], epoch.epoch) for epoch in epochs if name in epoch.numbers]
            values = [value for value, _ in points]
            said = f"{values[0]:.4g} {draw_curve(values)} {values[-1]:.4g}"
            if name.endswith("f1"):
                best, when = max(points, key=lambda point: (point[0], -point[1]))
                said += f"   best {best:.2f} in epoch {when}"
            rows.append((f"  {phase} {name.replace('_', ' ')}", said))
    return rows


def _draw_phases(result: Result) -> Table:
    from ....storing import tell_phase

    table = make_table("phase", "remarks", "seconds", "epochs", "sentences", right=3, keep=("seconds", "remarks"))
    for phase in result.phases:
        table.add_row(
            phase.name, tell_phase(phase), f"{phase.seconds:.1f}", str(phase.epochs or ""), str(phase.sentences or "")
        )
    table.add_section()
    table.add_row("all but reused", "", f"{sum(p.seconds for p in result.phases if not p.reused):.1f}", "", "")
    return table


def _draw_types(result: Result) -> Table:
    from ....scoring import HEADLINE, name_type, total
    from ..score import COUNTED, format_counts

    per_type = result.scores[HEADLINE]
    table = make_table("type", *COUNTED, title=f"{HEADLINE} per type", right=6, keep=("F1",))
    for kind, counts in per_type.items():
        table.add_row(name_type(kind), *format_counts(counts))
    table.add_section()
    table.add_row("micro", *format_counts(total(per_type.values())))
    return table


def _draw_sentence(wrong: Wrong) -> Iterator[Marked]:
    """Gold, and what was said, below one another."""
    from ....marking import Marked

    for name, pieces in wrong.lines.items():
        yield Marked(pieces, f"  {name}  ")


def _list_next(stored: Stored) -> Iterator[list[str]]:
    """What to type next about a run."""
    if stored.result and stored.result.finished:
        yield ["compare", stored.id, "RUN"]
        if not stored.result.predictions_only:
            yield ["predict", stored.id, "FILE"]
            yield ["reproduce", stored.id]
    yield ["runs", "rm", stored.id]
