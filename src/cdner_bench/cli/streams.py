"""Standard output and error as they are: of any encoding, closed, full or cut off. No text that is shown raises."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TextIO, cast

from ..foreign import show

SPELT = {
    "→": "->", "←": "<-", "…": "...", "±": "+-", "×": "x", "·": "-", "•": "*", "²": "^2", "≤": "<=", "≥": ">=",
    "–": "-", "—": "--", "−": "-", "‐": "-", "\N{NON-BREAKING HYPHEN}": "-", "\N{NO-BREAK SPACE}": " ",
    "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "«": "<<", "»": ">>", "\N{REPLACEMENT CHARACTER}": "?",
    **dict.fromkeys("─━╌╍", "-"), **dict.fromkeys("│┃╎╏", "|"), **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰╷╵╴╶╸╺", "+"),
}  # fmt: skip
"""What is written for a character that the encoding lacks; any other is escaped as in Python."""
HANDLER = "cdner-bench"


def spell(text: str, encoding: str) -> str:
    """The text as a stream of an encoding will show it."""
    return text.encode(encoding, HANDLER).decode(encoding)


def _spell_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SPELT.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking), error.end


codecs.register_error(HANDLER, _spell_out)


class Shown:
    """A stream to which every text goes as a reader may see it: without keys, and without orders to a terminal.

    `drawn` is the stream itself, for what is drawn with such orders of our own, and for data.
    """

    def __init__(self, stream: TextIO) -> None:
        self.drawn = stream

    def write(self, text: str) -> int:
        """Write a text as it may be seen."""
        self.drawn.write(show(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts as they may be seen."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.drawn, name)


def prepare() -> None:
    """Make standard output and error take any text; what a closed one would have shown goes nowhere."""
    sys.stdout = _wrap(sys.stdout or _open_nowhere())
    sys.stderr = _wrap(sys.stderr or _open_nowhere())


def find_drawn(stream: TextIO) -> TextIO:
    """The stream that takes texts as they are."""
    return stream.drawn if isinstance(stream, Shown) else stream


def _wrap(stream: TextIO) -> TextIO:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=HANDLER)
    return cast(TextIO, stream if isinstance(stream, Shown) else Shown(stream))


def _open_nowhere() -> io.TextIOWrapper:
    return open(os.devnull, "w", encoding="utf-8")


def abandon_broken() -> None:
    """Send to nowhere what a stream can no longer bring out, or Python would complain of it when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):  # a stream without a descriptor
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
