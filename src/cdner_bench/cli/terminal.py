"""rich's console, for streams of any encoding and for readers that go away."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from ..foreign import show
from .streams import find_drawn, spell


class Terminal(Console):
    """Text is measured as the stream will show it, so that columns stay straight, and is never markup or an order."""

    def __init__(self, *, stderr: bool = False, **options: Any) -> None:
        stream = find_drawn(sys.stderr if stderr else sys.stdout)
        super().__init__(file=stream, markup=False, highlight=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Text as it will be shown."""
        return super().render_str(self._spell(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is drawn: whatever the text came through, no order in it is the text's own, and no link."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else show(text), style and style.update_link(None), control)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; of `Text`, which is what a bar makes of what is printed meanwhile, only what it says."""
        super().print(*(Text(self._spell(o.plain)) if isinstance(o, Text) else o for o in objects), **options)

    def show(self, *renderables: RenderableType) -> None:
        """Print tables, some of whose cells may be `Text` already, and lines."""
        for table in renderables:
            for text in _list_texts(table):
                text.plain = self._spell(text.plain)
        self.print(*renderables, sep="\n")

    def on_broken_pipe(self) -> None:
        """Leave it to the one place where errors become exit statuses."""
        raise  # noqa: PLE0704

    def _spell(self, text: str) -> str:
        return spell(show(text), self.encoding)


def _list_texts(table: RenderableType) -> Iterator[Text]:
    if not isinstance(table, Table):
        return iter(())
    parts = [table.title, table.caption, *(part for column in table.columns for part in (column.header, *column.cells))]
    return (part for part in parts if isinstance(part, Text))
