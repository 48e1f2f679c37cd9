"""Which code runs are to be made with: where they are made, it must be the code that they were planned with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cdner_bench

from ...errors import CdnerError
from ...hashing import digest
from ...io import sha256
from ...plugins import Registered
from ..process import Data
from ..runner import Job


def hash_codes(jobs: Iterable[Job]) -> Data:
    """Eight hex digits over the code of cdner-bench, and over that of each method's plugin, as plain data."""
    return {"core": hash_core(), "codes": {job.entry.spec.name: job.entry.facts.code for job in jobs}}


def hash_core() -> str:
    """Eight hex digits over the code of this package."""
    root = Path(cdner_bench.__file__).parent
    return digest({path.relative_to(root).as_posix(): sha256(path) for path in sorted(root.rglob("*.py"))})[:8]


def check_core(planned: Data, core: str) -> None:
    """Raises `CdnerError` if the code of cdner-bench is not what it was."""
    _check("cdner-bench", planned["core"], core)


def check_plugin(planned: Data, entry: Registered) -> None:
    """Raises `CdnerError` if the code of a method's plugin is not what it was."""
    name = entry.spec.name
    _check(f"the plugin of {name}", planned["codes"][name], entry.facts.code)


def _check(what: str, submitted: str, here: str) -> None:
    if here != submitted:
        raise CdnerError(
            f"the code of {what} is not what was submitted (then {submitted}, here {here})",
            hint="have the same code there, and type the same command again",
        )
