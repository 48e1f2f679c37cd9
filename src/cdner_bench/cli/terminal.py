"""rich's console, for streams of any encoding and for readers that go away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .streams import spell


class Terminal(Console):
    """Text is measured as the stream will show it, so that columns stay straight, and is never markup."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, highlight=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Text as it will be shown."""
        return super().render_str(spell(text, self.encoding), **options)

    def show(self, *renderables: Table | str) -> None:
        """Print tables, some of whose cells may be `Text` already, and lines."""
        for table in renderables:
            for text in _list_texts(table):
                text.plain = spell(text.plain, self.encoding)
        self.print(*renderables, sep="\n")

    def on_broken_pipe(self) -> None:
        """Leave it to the one place where errors become exit statuses."""
        raise  # noqa: PLE0704


def _list_texts(table: Table | str) -> Iterator[Text]:
    if isinstance(table, str):
        return iter(())
    parts = [table.title, *(part for column in table.columns for part in (column.header, *column.cells))]
    return (part for part in parts if isinstance(part, Text))
