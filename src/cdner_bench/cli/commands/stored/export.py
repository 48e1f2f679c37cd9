"""`cdner-bench export` writes the rows of boards in the formats of other projects."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import ResultError
from ...common import HERE, Out, uncollected

if TYPE_CHECKING:
    from ....reporting import Board

app = typer.Typer(help="Write the rows of boards for other projects; nothing is sent anywhere.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="Where to write.", metavar="FOLDER")]
Benchmarks = Annotated[
    list[str], typer.Option("--benchmark", help="Only these; .toml files for your own.", metavar="NAME")
]


@app.command("every-eval-ever")
@uncollected()
def every_eval_ever(
    folder: Folder,
    organization: Annotated[str, typer.Option(help="Who publishes the results.", metavar="NAME")],
    relationship: Annotated[
        str, typer.Option(help="To the models: first_party, third_party, collaborative or other.", metavar="WORD")
    ] = "other",
    benchmark: Benchmarks = [],
    out: Out = HERE,
) -> None:
    """One JSON file a row, in the schema of the Every Eval Ever project and at its place in its store."""
    from ....interface import Evaluator, write_every_eval_ever

    who = Evaluator(organization, relationship)
    _write(write_every_eval_ever(_collect(out, benchmark), who), folder)


@app.command("hub")
@uncollected()
def hub(
    folder: Folder,
    dataset: Annotated[str, typer.Option(help="The benchmark's dataset on the Hub.", metavar="OWNER/NAME")],
    revision: Annotated[str, typer.Option(help="The state of the dataset: its commit.", metavar="HASH")] = "",
    source: Annotated[str, typer.Option(help="Where the runs can be looked at.", metavar="URL")] = "",
    benchmark: Benchmarks = [],
    out: Out = HERE,
) -> None:
    """A folder a row with .eval_results/*.yaml, for the repository of its model on the Hugging Face Hub."""
    from ....interface import Place, write_hub

    place = Place(dataset, revision, source)
    _write(write_hub(_collect(out, benchmark), place), folder)


def _collect(out: Path, benchmarks: Sequence[str]) -> list[Board]:
    """The boards, after what they leave out is said."""
    from ....reporting import collect_boards, tell_left_out

    boards = collect_boards(out / "leaderboards", benchmarks)
    for remark in (remark for board in boards for remark in tell_left_out(board)):
        print(remark, file=sys.stderr)
    return boards


def _write(files: Mapping[Path, str], folder: Path) -> None:
    from ....io import write_atomic, writing

    if not files:
        raise ResultError("no run of these benchmarks is finished", hint="type: cdner-bench run --help")
    with writing(folder, "name another folder"):
        for path, text in files.items():
            write_atomic(folder / path, text)
            print(f"wrote {folder / path}")
