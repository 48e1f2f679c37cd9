"""What exports have in common: the rows that have scores, by names that travel, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..foreign import show_line
from ..reporting import Board, Ranked, Row, find_newest


def list_shown(boards: Iterable[Board]) -> Iterator[tuple[Board, Ranked]]:
    """Each row of a board, or tried beside it, that has the score of a target."""
    for board in boards:
        for ranked in board.every_ranked:
            if ranked.row.finished:
                yield board, ranked


def name_model(row: Row) -> str:
    """What a row is called elsewhere: its method with the digits of its options."""
    return f"{row.method}-{row.results[0].method.row}"


def tell_time(row: Row, targets: Sequence[str]) -> str:
    """When the newest of its finished runs was made."""
    runs = [r for r in row.finished if r.scenario.target in targets]
    return str(find_newest(runs).provenance.get("created", ""))


def list_words(board: Board, row: Row, targets: Sequence[str]) -> list[str]:
    """What a reader must know of the scores of a row, beside the row itself."""
    only = ["predictions only: nobody knows what made them"] if row.finished[0].predictions_only else []
    tried = ["tried beside the board, not ranked"] if row in board.tried else []
    return [*only, *tried, *row.remarks(targets)]


def clean(value: Any) -> Any:
    """The same for a reader: every text on one line, without keys and without what is not seen."""
    if isinstance(value, str):
        return show_line(value)
    if isinstance(value, Mapping):
        return {show_line(name): clean(inner) for name, inner in value.items()}
    return [clean(inner) for inner in value] if isinstance(value, list) else value
