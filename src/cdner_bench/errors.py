"""The errors a user can cause, and the advice that goes with each.

Raised anywhere in the core, caught once in the command line. Whatever is not a `CdnerError` is a bug and keeps
its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from .foreign import redact

_NAMED = 6  # how many of several are named

LONGEST = 2000
"""How many characters are shown of what an exception says."""


class CdnerError(Exception):
    """Something the user can mend: what is wrong and where, and (as `hint`) what to type next. It holds no key."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(redact(message))
        self.hint = hint and redact(hint)


class DataError(CdnerError):
    """A data file that is missing, altered, or not what its format promises."""


class OptionError(CdnerError):
    """An unknown or mistyped name on the command line: method, target, setting, preset or option."""


class PluginError(CdnerError):
    """A plugin that cannot be loaded, lacks a package, or breaks the contract."""


class ContractError(PluginError):
    """A method yields what the contract forbids: nothing that it said is kept."""


class PredictionError(CdnerError):
    """A prediction file that does not fit the sentences it claims to be about."""


class ResultError(CdnerError):
    """A result file that cannot be read."""


class PlaceError(CdnerError):
    """A folder that cannot be made or written in, or that has no room left."""

    def __init__(self, folder: Path, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"cannot write in {folder}: {reason}", hint=hint)
        self.folder = folder


class FetchError(CdnerError):
    """A download that failed or that brought something else than was pinned."""


class NotRunError(CdnerError):
    """A method lacks something only the user can provide (a corpus, a key): recorded as *not run*, never as a score."""


class IncompleteError(CdnerError):
    """Answers that a run needs did not come. They are asked for when it is resumed; till then it has no score."""


class BusyError(CdnerError):
    """Another process holds the lock of the same run."""


class AwaitedError(BusyError):
    """Another run builds a shared stage that this one needs, and this one does not wait. `stage` is its place."""

    def __init__(self, stage: Path) -> None:
        super().__init__(f"another run builds the stage {stage.name}", hint="wait for it, or stop it")
        self.stage = stage


class CdnerWarning(UserWarning):
    """Something that stops nothing, but that the user should know."""


class RefusedWarning(CdnerWarning):
    """A file that is not believed: the others are shown without it, and the command ends with 1."""


def describe_refusal(error: OSError) -> str:
    """What the system refused, in its words, and of which file if it says so."""
    return f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror or error)


def name_some(names: Sequence[str]) -> str:
    """Names for a message: six at most, and how many more there are."""
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])


def count(number: int, thing: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def find_hint(error: BaseException) -> str | None:
    """What an exception says is to be typed next, if it says so."""
    return error.hint if isinstance(error, CdnerError) else None


def in_words(error: BaseException) -> str:
    """What is shown of any exception, whatever it does when it is asked: what a `CdnerError` or the system says, else
    its name and what it says.
    """
    name = type(error).__name__
    try:
        if isinstance(error, CdnerError):
            return str(error)
        if isinstance(error, OSError) and error.strerror:
            return describe_refusal(error)
        said = str(error)
    except BaseException:
        return name
    return f"{name}: {said if len(said) <= LONGEST else f'{said[:LONGEST]}…'}" if said else name


def find_near(name: str, choices: Iterable[str]) -> str | None:
    """The nearest of the `choices` to a misspelt `name`, whatever its case; None if none is near."""
    folded = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    return folded[near[0]] if near else None


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Advice for a misspelt `name`: the nearest of the `choices`, or all of them."""
    known = list(map(str, choices))
    near = find_near(name, known)
    return f"did you mean {near!r}?" if near is not None else f"choose from: {', '.join(known) or '(none)'}"
