"""What touches the operating system: files, locks, places, clocks, TOML, and packages of the registry."""

from . import meter, models
from .files import content, sha256, write_atomic
from .locks import locked, locked_stream
from .meter import Phase
from .places import benchmarks_dir, cache_dir, data_dir
from .toml_table import TomlTable

__all__ = [
    "Phase",
    "TomlTable",
    "benchmarks_dir",
    "cache_dir",
    "content",
    "data_dir",
    "locked",
    "locked_stream",
    "meter",
    "models",
    "sha256",
    "write_atomic",
]
