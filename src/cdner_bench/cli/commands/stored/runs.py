"""`cdner-bench runs` lists what runs have left, removes it, and carries it to another machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ....errors import OptionError, count, name_some
from ...common import HERE, Out, make_table, name_command, show, split_names, tell_command
from .show import RUN

if TYPE_CHECKING:
    from ....storing import Stored

app = typer.Typer(help="What runs have left: list it, remove it, carry it to another machine.", no_args_is_help=True)
FORMATS = ("text", "csv", "json")
Runs = Annotated[list[str], typer.Argument(help=RUN, metavar="[RUN]...")]


@app.command("list")
def list_(
    runs: Runs = [],
    benchmark: Annotated[str | None, typer.Option(help="Only runs on this one.", metavar="NAME")] = None,
    setting: Annotated[str | None, typer.Option(help="Only these.", metavar="NAME[,NAME]")] = None,
    method: Annotated[
        str | None, typer.Option(help="Only these; METHOD-ROW for one row of it.", metavar="NAME[,NAME]")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Only these.", metavar="NAME[,NAME]")] = None,
    paths: Annotated[bool, typer.Option("--paths", help="Print where they lie, and nothing else.")] = False,
    format_: Annotated[str, typer.Option("--format", help="text, csv or json.", metavar="NAME")] = "text",
    out: Out = HERE,
) -> None:
    """The runs below a folder, finished or not: F1, when, how long, where they lie and how many bytes they take."""
    from ....reporting import write_lines
    from ....storing import State, Stored

    if format_ not in FORMATS:
        raise OptionError(f"unknown format {format_!r}", hint=f"choose from: {', '.join(FORMATS)}")
    found = [
        stored
        for stored in _find(runs, out, benchmark)
        if all(_is_among(text, _list_names(stored)[key]) for key, text in
               {"method": method, "setting": setting, "target": target}.items())
    ]  # fmt: skip
    if paths:
        print("".join(f"{place}\n" for stored in found for place in stored.paths.values()), end="")
        return
    records = [_describe(stored) for stored in found]
    if format_ == "json":
        print(json.dumps(records, indent=1, ensure_ascii=False))
    elif format_ == "csv":
        header = list(_describe(Stored("", None, None, None, State.UNFINISHED)))
        print(write_lines([header, *(record.values() for record in records)]), end="")
    else:
        _show_list(found, records)


def _find(runs: Sequence[str], out: Path, benchmark: str | None = None) -> list[Stored]:
    """The runs that are named, each once, or all."""
    from ....storing import find_each, list_stored

    if not runs:
        return list_stored(out, benchmark or "")
    return [s for s in find_each(runs, out) if not benchmark or (s.result and s.result.benchmark.name == benchmark)]


def _list_names(stored: Stored) -> dict[str, list[str]]:
    method, setting, target, _ = f"{stored.name}///".split("/")[:4]
    row = [stored.result.method.named_row] if stored.result else []
    return {"method": [method, *row], "setting": [setting], "target": [target]}


def _is_among(asked: str | None, names: Sequence[str]) -> bool:
    return asked is None or any(name in names for name in split_names("what is asked for", asked))


def _describe(stored: Stored) -> dict[str, Any]:
    from ....scoring import HEADLINE

    result = stored.result
    method, setting, target, seed = (f"{stored.name}///".split("/"))[:4]
    paths = stored.paths
    return {
        "run": stored.id,
        "benchmark": result.benchmark.name if result else None,
        "method": method,
        "row": result.method.row if result else None,
        "setting": setting,
        "target": target,
        "seed": int(seed) if seed.isdigit() else None,
        "state": str(stored.state),
        "reason": stored.reason,
        "stale": stored.stale,
        "f1": result.f1(HEADLINE) if result else None,
        "made": stored.made,
        "seconds": stored.seconds,
        "where": stored.where,
        "bytes": stored.size,
        **{what: str(paths[what]) if what in paths else None for what in ("result", "predictions", "curve", "folder")},
    }


def _show_list(found: Sequence[Stored], records: Sequence[dict[str, Any]]) -> None:
    table = make_table(
        "run", "benchmark", "name", "options", "state", "where", "made", "F1", "seconds", "size",
        right=3, keep=("name", "F1", "state", "size", "where", "seconds"),
    )  # fmt: skip
    for stored, record in zip(found, records, strict=True):
        state = "stale" if stored.stale else str(stored.state)
        f1 = "" if record["f1"] is None else f"{record['f1']:.2f}"
        seconds = "" if stored.seconds is None else f"{stored.seconds:.0f}"
        made = stored.made[:16].replace("T", " ")
        named = (stored.id[:8], record["benchmark"] or "?", stored.name, stored.changes, state, stored.where, made)
        table.add_row(*named, f1, seconds, tell_size(record["bytes"]))
    if not found:
        print("there are no such runs here; cdner-bench run makes one, --out FOLDER says where they lie")
        return
    show(table)
    print(f"{count(len(found), 'run')}, {tell_size(sum(record['bytes'] for record in records))}")
    for what, said in (("stale", "stands on no board"), ("reason", "")):
        told = [(stored.id[:8], record[what]) for stored, record in zip(found, records, strict=True) if record[what]]
        for run, why in told[:10]:
            print(f"{run} {said}: {why}" if said else f"{run}: {why}")
        if len(told) > 10:
            print(f"and {len(told) - 10} more; --format json has them all")


def tell_size(size: int) -> str:
    """Bytes in the unit of which there are some."""
    number = float(size)
    for unit in ("B", "KiB", "MiB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"


@app.command()
def rm(
    runs: Annotated[list[str], typer.Argument(help=RUN, metavar="RUN...")],
    stages: Annotated[bool, typer.Option("--stages", help="Also the shared stages that no other run uses.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    out: Out = HERE,
) -> int:
    """Remove runs with their results, predictions and folders. What many runs share stays, if not asked for."""
    from ....storing import State, plan_removal, remove

    found = _find(runs, out)
    _refuse_beginnings(runs, found)
    removal = plan_removal(found, out, stages=stages)
    for stored in found:
        busy = ", which another process is making" if stored.state is State.BUSY else ""
        print(f"run {stored.id}, {stored.name}, {stored.state}{busy}")
    for place in (*removal.paths, *removal.stages):
        print(f"  {place}")
    for place, why in removal.kept.items():
        print(f"  stays: {place} ({why})")
    print(f"{count(len(found), 'run')}, {removal.size:,} bytes to remove", flush=True)
    if not yes:
        if not sys.stdin.isatty():
            raise OptionError("nothing was removed: there is no terminal to ask at", hint="add --yes")
        if not typer.confirm("remove them?"):
            print("nothing was removed")
            return 1
    remove(removal)
    print(f"removed; type: {name_command('leaderboard', out=out)}, and the pages are without them")
    return 0


def _refuse_beginnings(named: Sequence[str], found: Sequence[Stored]) -> None:
    """Raise `OptionError` for digits that the ids of several runs begin with."""
    for digits in named:
        several = [stored for stored in found if stored.id.startswith(digits)]
        if len(several) > 1:
            shown = name_some([f"{stored.id} ({stored.name})" for stored in several])
            raise OptionError(
                f"nothing was removed: {len(several)} ids begin with {digits}: {shown}",
                hint="write more digits of the one that is meant, or the ids of all",
            )


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="The archive to write: NAME.tar.gz.", metavar="FILE")],
    runs: Runs = [],
    benchmark: Annotated[list[str], typer.Option(help="All runs and measurements of these.", metavar="NAME")] = [],
    weights: Annotated[bool, typer.Option("--weights", help="Also what runs have learnt, if it is kept.")] = False,
    out: Out = HERE,
) -> None:
    """Write results, predictions, measurements and logs as one archive that another machine imports: of the runs and
    benchmarks that are named, or all there are.
    """
    from ....storing import State, export, find_each, list_stored

    found = {stored.id: stored for stored in find_each(runs, out)}
    for name in benchmark or ([] if runs else [""]):
        found |= {stored.id: stored for stored in list_stored(out, name)}
    made = export(file, list(found.values()), out, benchmark, whole=not (runs or benchmark), weights=weights)
    busy = [stored.id for stored in found.values() if stored.state is State.BUSY]
    if busy:
        print(f"left out, because another process is making them: {', '.join(busy)}")
    counted = f"{count(len(made.files), 'file')} of {count(len(found) - len(busy), 'run')}"
    print(f"wrote {file}: {counted}, {tell_size(file.stat().st_size)}")
    tell_command("runs", "import", file.name)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An archive of runs export.", metavar="FILE")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Let the archive's files take the place of others.")
    ] = False,
    limit: Annotated[float, typer.Option(help="How many GiB it may hold.", min=0)] = 4,
    out: Out = HERE,
) -> int:
    """Check an archive as a whole, then put its files where they belong. What is here already stays as it is."""
    from ....storing import import_archive

    made = import_archive(file, out, replace=replace, limit=limit)
    for path, why in made.conflicts.items():
        print(f"left as it is: {path}: {why}")
    print(
        f"{len(made.new):,} files new, {len(made.equal):,} equal, {len(made.replaced):,} replaced, "
        f"{len(made.conflicts):,} in conflict"
    )
    if made.conflicts:
        print("  → what belongs to them was left, too; --replace takes the archive's")
    if made.new or made.replaced:
        tell_command("leaderboard", out=out)
    return int(bool(made.conflicts))
