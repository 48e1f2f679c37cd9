"""What can be published: a page of tables with the numbers behind them, and the seam by which others add to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .table import Table

if TYPE_CHECKING:
    from .analysis_page import Section
    from .leaderboard import Board


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


class Supplement(Protocol):
    """What stands on a page after what was measured. A supplement with nothing to say of a page returns nothing."""

    def board_tables(self, board: Board) -> Sequence[Table]:
        """What stands under the tables of a leaderboard."""
        ...

    def analysis_tables(self, section: Section) -> Sequence[Table]:
        """What stands under the analyses of one benchmark."""
        ...

    def analysis_records(self, section: Section) -> Sequence[Mapping[str, Any]]:
        """The numbers behind those tables, with the keys of a measurement's record."""
        ...
