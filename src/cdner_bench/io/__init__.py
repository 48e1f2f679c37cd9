"""What touches the operating system: files, locks, places, clocks, JSON and TOML, and packages of the registry."""

from . import meter, models
from .files import hash_content, measure, name_draft, reach_disk, replacing, sha256, sweep, write_atomic
from .leases import fence
from .locks import is_locked, lock, lock_stream
from .meter import Phase
from .places import (
    CACHE_REMEDY,
    DATA_REMEDY,
    check_relative,
    find_below,
    find_benchmarks_dir,
    find_cache_dir,
    find_data_dir,
    settle_home,
)
from .reading import (
    LARGEST,
    TomlTable,
    open_regular,
    parse_json,
    read_bytes,
    read_json,
    read_lines,
    read_text,
    read_toml,
    suggest_file,
    unite,
)
from .stopping import (
    ENDING,
    Stopped,
    adopt_orphans,
    describe_end,
    die_with_parent,
    is_own,
    keep_niceness,
    stoppable,
)
from .surroundings import Surroundings, contained, list_children, stir
from .volumes import NO_ROOM, writing

__all__ = [
    "CACHE_REMEDY",
    "DATA_REMEDY",
    "ENDING",
    "LARGEST",
    "NO_ROOM",
    "Phase",
    "Stopped",
    "Surroundings",
    "TomlTable",
    "adopt_orphans",
    "check_relative",
    "contained",
    "describe_end",
    "die_with_parent",
    "fence",
    "find_below",
    "find_benchmarks_dir",
    "find_cache_dir",
    "find_data_dir",
    "hash_content",
    "is_locked",
    "is_own",
    "keep_niceness",
    "list_children",
    "lock",
    "lock_stream",
    "measure",
    "meter",
    "models",
    "name_draft",
    "open_regular",
    "parse_json",
    "reach_disk",
    "read_bytes",
    "read_json",
    "read_lines",
    "read_text",
    "read_toml",
    "replacing",
    "settle_home",
    "sha256",
    "stir",
    "stoppable",
    "suggest_file",
    "sweep",
    "unite",
    "write_atomic",
    "writing",
]
