"""Where things lie on this machine, and paths that somebody else wrote: each stays below its folder."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path

from ..errors import CdnerError, DataError
from ..names import RESERVED

CACHE_REMEDY = "set XDG_CACHE_HOME to a folder that can be written"
DATA_REMEDY = "set CDNER_DATA to a folder that can be written"
_LONGEST = 255  # bytes of a part, on nearly all file systems
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f\\:<>"|?*\ud800-\udfff]')


def find_cache_dir() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/cdner-bench`, else the folder that the system has for such things
    (`~/.cache/cdner-bench` on Linux, `~/Library/Caches/cdner-bench` on macOS). It need not be there, nor be possible.
    """
    named = _read_place("XDG_CACHE_HOME")
    if named:
        return named / "cdner-bench"
    from platformdirs import user_cache_path  # not for `--help`

    settle_home()
    return user_cache_path("cdner-bench", appauthor=False, opinion=False)


def settle_home() -> None:
    """Give a user whom the system does not know the home `/`, as containers do. Without one, some libraries fail and
    others make a folder `~` where one works.
    """
    if not os.path.isabs(os.environ.get("HOME", os.sep)):
        del os.environ["HOME"]
    if not os.path.isabs(os.path.expanduser("~")):
        os.environ["HOME"] = os.path.abspath(os.sep)


def find_data_dir() -> Path:
    """Where fetched corpora lie: `$CDNER_DATA`, else `data` in the cache directory."""
    return _read_place("CDNER_DATA") or find_cache_dir() / "data"


def _read_place(variable: str) -> Path | None:
    """The folder that an environment variable names. Raises `CdnerError` for a `~` of somebody without a home."""
    named = os.environ.get(variable)
    if not named:
        return None
    try:
        return Path(named).expanduser().absolute()
    except RuntimeError:
        raise CdnerError(f"{variable} is {named}, but there is no such home", hint="write its path in full") from None


def find_benchmarks_dir() -> Path:
    """The folder `benchmarks/`: inside an installed wheel, else at the top of the source tree."""
    inside = Path(str(files("cdner_bench"))) / "benchmarks"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3] / "benchmarks"


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
