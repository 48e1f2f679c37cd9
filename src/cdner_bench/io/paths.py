"""Paths that somebody else wrote: each stays below the folder that it is relative to, on every system."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import DataError
from ..names import RESERVED

_LONGEST = 255  # bytes of a part, on nearly all file systems
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f\\:<>"|?*\ud800-\udfff]')


def check_relative(path: str, where: str) -> str:
    """The path, if it is one of plain names with `/` between. `where` says what names it.

    Raises `DataError` for one that may lead elsewhere, or that some system reads in another way.
    """
    for part in path.split("/"):
        if part in ("", ".", "..") or part.startswith("~"):
            problem = "leads elsewhere" if part else "begins or ends with '/', or has two together"
        elif _UNFIT.search(part):
            problem = "has a character that stands in no path"
        elif part[-1] in ". " or part[0] == " ":
            problem = "has a part with a blank or a dot at its end"
        elif part.partition(".")[0].strip().lower() in RESERVED:
            problem = "names a device of Windows"
        elif len(os.fsencode(part)) > _LONGEST:
            problem = "has a part that is too long"
        else:
            continue
        shown = repr(path) if len(path) <= _LONGEST else f"{path[:_LONGEST]!r}…"
        raise DataError(f"{where}: the path {shown} {problem}", hint="write it relative to its folder: sub/file.txt")
    return path


def find_below(root: Path, path: str, where: str) -> Path:
    """The place of a relative path below a folder, links followed. Raises `DataError` for one that is not below it."""
    place = root / check_relative(path, where)
    if not place.resolve().is_relative_to(root.resolve()):
        raise DataError(
            f"{where}: {place} leads by a link to {place.resolve()}, outside of {root}",
            hint=f"remove the link: rm {next(filter(Path.is_symlink, _list_steps(root, place)), place)}",
        )
    return place


def _list_steps(root: Path, place: Path) -> list[Path]:
    """The folders between a folder and a place below it, and the place."""
    return [step for step in (*reversed(place.parents), place) if step.is_relative_to(root) and step != root]
