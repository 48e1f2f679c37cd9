"""The version of the harness, as it is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("cdner-bench")
except PackageNotFoundError:  # read from a folder, and not installed
    __version__ = "0+unknown"
