"""The one seam by which others, such as a paper, add to the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .table import Table

if TYPE_CHECKING:
    from .analysis_page import Section
    from .leaderboard import Board


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
