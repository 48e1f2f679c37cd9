"""Standard output and error as they are: of any encoding, closed, full or cut off. No text that is shown raises."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast

from ..errors import OptionError
from ..foreign import show
from ..io import write_atomic

SPELT = {
    "→": "->", "←": "<-", "…": "...", "±": "+-", "×": "x", "·": "-", "•": "*", "²": "^2", "≤": "<=", "≥": ">=",
    "–": "-", "—": "--", "−": "-", "‐": "-", "\N{NON-BREAKING HYPHEN}": "-", "\N{NO-BREAK SPACE}": " ",
    "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "«": "<<", "»": ">>", "\N{REPLACEMENT CHARACTER}": "?",
    **dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)),
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
    """Make standard output and error take any text; what a closed one would have shown goes nowhere, and no file that
    is opened later takes its place.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, so this one
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


class Lasting:
    """A stream for work that goes on whether anybody reads what it says or not. `last_words` are said on standard
    error, once, when nobody does.
    """

    def __init__(self, stream: TextIO, last_words: str = "") -> None:
        self._stream = stream
        self._last_words = last_words

    def write(self, text: str) -> int:
        """Write text, or lose it."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:
            self._abandon(error)
        return len(text)

    def flush(self) -> None:
        """Bring out what was written, or lose it."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._abandon(error)

    def close(self) -> None:
        """Whoever wants it closed does not own it."""
        self.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _abandon(self, error: OSError | ValueError) -> None:
        if isinstance(error, OSError):
            abandon(self._stream)
        said, self._last_words = self._last_words, ""
        if said:
            print(
                said.format(why=(isinstance(error, OSError) and error.strerror) or error), file=sys.stderr, flush=True
            )


@contextmanager
def lasting() -> Iterator[None]:
    """In the block, standard output and error may break without an error: the work is not for them alone."""
    before = sys.stdout, sys.stderr
    told = "cdner-bench: standard output takes no more ({why}); the work goes on"
    kept = Lasting(find_drawn(before[0]), told), Lasting(find_drawn(before[1]))
    sys.stdout, sys.stderr = (cast(TextIO, Shown(cast(TextIO, stream))) for stream in kept)
    try:
        yield
        sys.stdout.flush()
    finally:
        sys.stdout, sys.stderr = before


def abandon_broken() -> None:
    """Send to nowhere what a stream can no longer bring out, or Python would complain of it when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            abandon(stream)


def abandon(stream: TextIO) -> None:
    """Have whatever is written to a stream from now on go nowhere."""
    with suppress(OSError):  # a stream without a descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def check_place(option: str, places: Iterable[Path], read: Iterable[Path], hint: str) -> None:
    """Raise `OptionError` where a place of what is to be written is that of a file that is read."""
    given = [path for path in read if path.exists()]
    for place in places:
        if place.exists() and any(place.samefile(path) for path in given):
            raise OptionError(f"{option}: {place} is the file that is read", hint=hint)


def check_output(option: str, place: Path, to: str, file: Path) -> None:
    """As `check_place`, for the files that labelled sentences make in the format `to`, and those that `file` is."""
    from ..data import readers

    read = readers.list_parts(file) if file.is_file() else []
    check_place(option, readers.name_files(place, to), read, f"name another: {option} NAME")


def write_files(files: Mapping[str, str], place: Path | None, to: str) -> None:
    """Write the texts of the format `to` where `check_output` has looked; without a place to standard output, as they
    are unless somebody reads them on a terminal.
    """
    from ..data import readers

    if place is not None:
        for path, text in zip(readers.name_files(place, to), files.values(), strict=True):
            write_atomic(path, text)
        return
    stream = sys.stdout if sys.stdout.isatty() else find_drawn(sys.stdout)
    stream.writelines(files.values())
