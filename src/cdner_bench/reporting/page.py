"""What can be published: a page of tables with the numbers behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .table import Table


class Page(Protocol):
    """What a format writes: a leaderboard, or the page of analyses."""

    @property
    def title(self) -> str:
        """The heading of the page."""
        ...

    @property
    def lead(self) -> str:
        """The paragraph under the heading, in Markdown."""
        ...

    def tables(self) -> Sequence[Table]:
        """Everything that is shown, in order."""
        ...

    def records(self) -> Sequence[Mapping[str, Any]]:
        """The unrounded numbers, all with the same keys."""
        ...
