"""The commands, and the one place where an error becomes a message and an exit status.

Nothing heavy is imported here: `--help` and `list` answer at once.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

from ..errors import CdnerError, CdnerWarning, OptionError, RefusedWarning, count, describe_refusal
from ..io import meter, settle_home
from . import streams
from .commands import analyze, data, gtok, leaderboard, listing, llm, models, paper, score
from .commands.making import again, plan, run
from .commands.plugged import environments, plugin
from .commands.stored import compare, export, runs, show, status

app = typer.Typer(
    name="cdner-bench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(asked: bool) -> None:
    if not asked:
        return
    from ..records import describe_provenance
    from ..version import __version__

    facts = describe_provenance()
    changed = ", changed since" if facts["dirty"] else ""
    packages = (f"{name} {release}" for name, release in facts["packages"].items() if name != "cdner-bench")
    print(f"cdner-bench {__version__}" + (f" (commit {facts['commit'][:10]}{changed})" if facts["commit"] else ""))
    print(", ".join((f"Python {facts['python']}", facts["platform"], *packages)))
    raise typer.Exit


@app.callback()
def _begin(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show what is installed, for a report or a paper.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """One runner, one scorer, every method a plugin: a benchmark harness for cross-domain NER."""


app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("status")(status.status)
app.command("reproduce")(again.reproduce)
app.command("time")(again.time)
app.command("predict")(models.predict)
app.command("analyze")(analyze.analyze)
app.command("list")(listing.list_)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("compare")(compare.compare)
app.command("score")(score.score)
app.command("rescore")(score.rescore)
app.command("show")(show.show)
app.command("protocols")(paper.protocols)
app.add_typer(paper.app, name="paper")
app.add_typer(data.app, name="data")
app.add_typer(gtok.app, name="gtok")
app.add_typer(runs.app, name="runs")
app.add_typer(export.app, name="export")
app.add_typer(models.app, name="models")
app.add_typer(llm.app, name="llm")
app.add_typer(plugin.app, name="plugin")
app.add_typer(environments.app, name="environments")

INTERRUPTED = {130: "interrupted", 143: "terminated (SIGTERM)", 129: "the terminal has gone (SIGHUP)"}
"""Exit statuses of what was stopped from outside: 128 and the number of the signal."""
ENCODE = "type before the command: PYTHONUTF8=1"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0, 1 for a failure, a file that is not believed or a reader that went away, 2 for a
    mistake on the command line, 130 after Ctrl-C.

    `run` exits with the number of runs that failed, at most 100; with 143 or 129 after SIGTERM or SIGHUP; and goes on
    when its reader goes away.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    threads = set(threading.enumerate())
    settle_home()
    meter.settle_threads()
    streams.prepare()
    with warnings.catch_warnings():
        refused = _announce_warnings()
        status = _guard(lambda: _dispatch(words))
    if refused:
        print(f"cdner-bench: {count(len(refused), 'file')} refused, the others count", file=sys.stderr)
    streams.abandon_broken()
    status = status or int(bool(refused))
    if any(not thread.daemon for thread in threading.enumerate() if thread not in threads):
        os._exit(status)  # a method left it behind, and the command would wait for it
    sys.exit(status)


def _announce_warnings() -> set[str]:
    """Show our own warnings as one line; Python shows others with the line of code that they come from. Returns where
    refusals are noted, each once.
    """
    usual, refused = warnings.showwarning, set[str]()
    warnings.simplefilter("always", RefusedWarning)

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if str(message) in refused:
            return
        if issubclass(category, RefusedWarning):
            refused.add(str(message))
        if issubclass(category, CdnerWarning):
            print(f"cdner-bench: {message}", file=sys.stderr)
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show
    return refused


def _dispatch(words: list[str]) -> object:
    if words == ["list"]:  # nothing to parse, and what parses options takes a third of the time
        listing.list_()
        return 0
    command = typer.main.get_command(app)
    _refuse_repeats(command, words)
    return command(args=words, standalone_mode=False, obj=words)


def _refuse_repeats(command: Any, words: Sequence[str]) -> None:
    """Raise `OptionError` for an option that is given twice where several names are meant: the parser would take the
    last.
    """
    while hasattr(command, "commands") and words:
        command, *words = command.commands.get(words[0]), *words[1:]
    if not hasattr(command, "make_parser") or hasattr(command, "commands"):
        return  # what is wrong with it, the parser says
    try:
        _, _, found = command.make_parser(command.context_class(command)).parse_args(list(words))
    except Exception as error:
        if not hasattr(error, "exit_code"):
            raise
        return
    for option in found:
        several = "[," in (getattr(option, "metavar", None) or "") and not option.multiple
        name = max(option.opts, key=len)
        if (several or name == "--setting") and found.count(option) > 1:
            hint = f"write all names behind one, with commas: {name} A,B" if several else "type the command for each"
            raise OptionError(f"{name} is given twice", hint=hint)


def _guard(command: Callable[[], object]) -> int:
    try:
        status = command()
        sys.stdout.flush()
    except BrokenPipeError:
        return 1
    except Exception as error:
        return _explain(error)
    if status in INTERRUPTED:  # 130 is also what the parser makes of Ctrl-C
        how = INTERRUPTED[status]
        return _complain(how, "type the same command to go on; what was finished is kept", status)
    return status if isinstance(status, int) else 0


def _explain(error: Exception) -> int:
    """Say what went wrong. Raises what is none of the user's business, but a bug."""
    match error:
        case CdnerError():
            return _complain(str(error), error.hint, 1)
        case OSError(strerror=str()):
            return _complain(describe_refusal(error), None, 1)
        case UnicodeEncodeError() if error.encoding != "utf-8":  # what is shown never raises: a name of a file
            return _complain(f"no file can have the name {error.object!r} in {error.encoding}", ENCODE, 1)
    # Usage errors of the parser know how to show themselves.
    if not (hasattr(error, "show") and hasattr(error, "exit_code")):
        raise error
    error.show(file=sys.stderr)
    return int(error.exit_code)


def _complain(message: str, hint: str | None, status: int) -> int:
    with suppress(OSError):  # where nobody is told, the status tells
        print(f"cdner-bench: {message}", *([f"  → {hint}"] if hint else []), sep="\n", file=sys.stderr, flush=True)
    return status
