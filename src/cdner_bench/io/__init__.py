"""What touches the operating system: files, locks, places, clocks, TOML, and packages of the registry."""

from . import meter, models
from .files import benchmarks_dir, cache_dir, content, data_dir, locked, sha256, write_atomic
from .meter import Phase
from .toml_table import TomlTable

__all__ = [
    "Phase",
    "TomlTable",
    "benchmarks_dir",
    "cache_dir",
    "content",
    "data_dir",
    "locked",
    "meter",
    "models",
    "sha256",
    "write_atomic",
]
