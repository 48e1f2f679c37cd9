"""Where things lie on this machine."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path


def find_cache_dir() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/cdner-bench`, else the folder that the system has for such things
    (`~/.cache/cdner-bench` on Linux, `~/Library/Caches/cdner-bench` on macOS).
    """
    named = os.environ.get("XDG_CACHE_HOME")
    if named:
        return Path(named) / "cdner-bench"
    from platformdirs import user_cache_path  # not for `--help`

    return user_cache_path("cdner-bench", appauthor=False, opinion=False)


def find_data_dir() -> Path:
    """Where fetched corpora lie: `$CDNER_DATA`, else `data` in the cache directory."""
    named = os.environ.get("CDNER_DATA")
    return Path(named).expanduser().absolute() if named else find_cache_dir() / "data"


def find_benchmarks_dir() -> Path:
    """The folder `benchmarks/`: inside an installed wheel, else at the top of the source tree."""
    inside = Path(str(files("cdner_bench"))) / "benchmarks"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3] / "benchmarks"
