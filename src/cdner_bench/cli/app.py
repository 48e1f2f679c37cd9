"""The commands, and the one place where an error becomes a message and an exit status.

Nothing heavy is imported here: `--help` and `list` answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

import typer

from ..errors import CdnerError
from .commands import analyze, data, gtok, leaderboard, listing, llm, models, paper, plugin, run, score

app = typer.Typer(
    name="cdner-bench",
    help="One runner, one scorer, every method a plugin: a benchmark harness for cross-domain NER.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("plan")(run.plan)
app.command("analyze")(analyze.analyze)
app.command("list")(listing.list_)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("score")(score.score)
app.command("rescore")(score.rescore)
app.command("paper")(paper.paper)
app.add_typer(data.app, name="data")
app.add_typer(gtok.app, name="gtok")
app.add_typer(models.app, name="models")
app.add_typer(llm.app, name="llm")
app.add_typer(plugin.app, name="plugin")

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0, 1 for a failure, 2 for a mistake on the command line, 130 after Ctrl-C.

    `run` exits with the number of runs that failed, at most 100.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    sys.exit(_guard(lambda: _dispatch(words)))


def _dispatch(words: list[str]) -> object:
    if words == ["list"]:  # nothing to parse, and what parses options takes a third of the time
        listing.list_()
        return 0
    return app(args=words, standalone_mode=False)


def _guard(command: Callable[[], object]) -> int:
    try:
        status = command()
    except CdnerError as error:
        return _complain(str(error), error.hint, 1)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        if error.strerror is None:
            raise
        return _complain(f"{error.strerror}{f': {error.filename}' if error.filename else ''}", None, 1)
    except Exception as error:
        # Usage errors of the parser know how to show themselves.
        if not (hasattr(error, "show") and hasattr(error, "exit_code")):
            raise
        error.show()
        return int(error.exit_code)
    if status == INTERRUPTED:  # what the parser makes of Ctrl-C
        return _complain("interrupted", "type the same command to go on; what was finished is kept", INTERRUPTED)
    return status if isinstance(status, int) else 0


def _complain(message: str, hint: str | None, status: int) -> int:
    print(f"cdner-bench: {message}", file=sys.stderr)
    if hint:
        print(f"  → {hint}", file=sys.stderr)
    return status
