"""Pictures of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .measurements import Measured


def draw(measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Not drawn yet."""
    raise NotImplementedError
