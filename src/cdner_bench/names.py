"""The one grammar of names: of methods, analyses, presets, plugins, benchmarks, settings, domains and resources.

Names become parts of paths, of tables and of what is typed, so none may lead elsewhere, or be two on some file system.
"""

from __future__ import annotations

import re

from .errors import CdnerError

LONGEST = 64
GRAMMAR = f"at most {LONGEST} lower-case letters, digits, '-', '_' and '.', with a letter or digit first and last"
RESERVED = frozenset(["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))])
"""What Windows takes for a device, whatever the ending."""

OVERALL = ("average", "pooled")
"""What boards call the scores of all domains, in a column with the names of domains."""


def is_name(name: object) -> bool:
    """Whether something is a name."""
    fits = isinstance(name, str) and len(name) <= LONGEST and re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", name)
    return bool(fits) and str(name).partition(".")[0] not in RESERVED


def check_name(name: object, what: str, error: type[CdnerError]) -> str:
    """The name, if it is one; `what` says where it stands, and what it is to name.

    Raises the `error` with the grammar.
    """
    if not is_name(name):
        shown = repr(name)
        shown = shown if len(shown) <= 2 * LONGEST else f"{shown[: 2 * LONGEST]}…"
        raise error(f"{what} cannot be called {shown}", hint=f"a name has {GRAMMAR}, and is no device of Windows")
    return str(name)


def check_domain(name: object, what: str, error: type[CdnerError]) -> str:
    """As `check_name`, of a name that a domain may have."""
    if name in OVERALL:
        said = f"{what} cannot be called {name!r}: boards call the score of all domains so"
        raise error(said, hint=f"choose another name: my-{name}")
    return check_name(name, what, error)
