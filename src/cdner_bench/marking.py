"""A sentence with its spans marked: in colours where there are some, elsewhere between brackets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from .foreign import show_line
from .types import Entity, Sentence

WRONG = "!"
"""What stands before the type of a wrong span, because not everybody sees colours."""
_STYLES = {None: "bold cyan", True: "bold green", False: "bold red"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of a sentence, and what they are marked as, if they are. `right` is None where nobody judges that. An
    `added` piece is behind the sentence: what overlaps a span before it, or is not in the sentence at all.
    """

    text: str
    type: str = ""
    right: bool | None = None
    added: bool = False

    def __str__(self) -> str:
        """The words, between brackets with their type if they are marked."""
        return f"[{self.text} {self.label}]" if self.type else self.text

    @property
    def label(self) -> str:
        """The type, after a sign if it is wrong."""
        return f"{WRONG}{self.type}" if self.right is False else self.type


def cut_pieces(
    sentence: Sentence,
    spans: Iterable[Entity],
    gold: Collection[Entity] | None = None,
    unplaced: Iterable[tuple[str, str]] = (),
) -> list[Piece]:
    """A sentence in pieces, marked ones and those between them; then what has no place in it, of which `unplaced` are
    (type, text). With `gold` each span is right or wrong, and what has no place is wrong.
    """
    pieces, added, end = [], [], 0
    for span in sorted(set(spans), key=lambda span: (span.start, -span.end, span.type)):
        right = None if gold is None else span in gold
        if span.start < end:
            added.append(Piece(show_line(sentence.surface(span)), show_line(span.type), right, added=True))
            continue
        if span.start > end:
            pieces.append(Piece(show_line(" ".join(sentence.tokens[end : span.start]))))
        pieces.append(Piece(show_line(sentence.surface(span)), show_line(span.type), right))
        end = span.end
    if end < len(sentence.tokens):
        pieces.append(Piece(show_line(" ".join(sentence.tokens[end:]))))
    wrong = None if gold is None else False
    return [*pieces, *added, *(Piece(show_line(text), show_line(kind), wrong, added=True) for kind, text in unplaced)]


def write_pieces(pieces: Sequence[Piece]) -> str:
    """The sentence on one line, its spans between brackets; what has no place in it follows after a plus."""
    return " ".join(f"+ {piece}" if piece.added else str(piece) for piece in pieces)


class Marked:
    """A sentence for a terminal: what rich prints, and puts into the cells of its tables."""

    def __init__(self, pieces: Sequence[Piece], before: str = "") -> None:
        self.pieces, self.before = pieces, before

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Coloured words, each with its type behind it, or the words of `write_pieces`."""
        yield self._draw(console)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """As its text."""
        return Measurement.get(console, options, self._draw(console))

    def _draw(self, console: Console) -> Text:
        text = Text(console.render_str(self.before).plain, "bold")
        if console.color_system is None or console.no_color:
            return text.append(console.render_str(write_pieces(self.pieces)).plain, "not bold")
        for n, piece in enumerate(self.pieces):
            text.append(" " * (n > 0) + "+ " * piece.added, "not bold")
            style = _STYLES[piece.right] if piece.type else "not bold"
            text.append(console.render_str(piece.text).plain, f"{style} underline" if piece.type else style)
            if piece.type:
                text.append(console.render_str(f" {piece.label}").plain, f"{style} not bold italic")
        return text
