"""Where things lie on this machine."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from ..errors import CdnerError

CACHE_REMEDY = "set XDG_CACHE_HOME to a folder that can be written"
DATA_REMEDY = "set CDNER_DATA to a folder that can be written"


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
