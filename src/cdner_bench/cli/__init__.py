"""The command line: parse, call one function, print."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit, as `app.main` says; 130 after Ctrl-C, while modules are imported, too."""
    try:
        from .app import main as run

        run(arguments)
    except KeyboardInterrupt:
        print("cdner-bench: interrupted", file=sys.stderr)
        sys.exit(130)
