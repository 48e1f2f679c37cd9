"""brat's standoff: `x.txt` with a sentence a line, and `x.ann` with labels on its characters."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from .labelled import Labelled, LabelledFile, Span
from .source import read_as_is, show_name, unify_line_ends

_LABEL = re.compile(r"(T\S*)\t(.+) (\d+ \d+(?:;\d+ \d+)*)\t?(.*)")
_FILLED = re.compile(r"^.*\S.*$", re.MULTILINE)
_START = 1 << 12  # bytes in which the first line is looked for
_OTHER = ("R", "E", "A", "M", "N", "#", "*")


def is_standoff(path: Path, text: str) -> bool:
    """Whether a file is standoff: by its name, or because its first line is a label."""
    first = _FILLED.search(text)
    return path.name.removesuffix(".gz").endswith(".ann") or bool(first and _LABEL.fullmatch(first[0]))


def list_parts(path: Path) -> list[Path]:
    """The files that labelled sentences are read from: a file of labels and the text that they are about, or the one
    file. Raises `DataError` if there is no such text.
    """
    with path.open("rb") as stream:
        start = stream.read(_START).decode("utf-8", errors="replace")
    return [path, find_text(path)] if is_standoff(path, start) else [path]


def read(path: Path, labels: str) -> LabelledFile:
    """The sentences of the text beside a file of labels: its lines that are not empty.

    Raises `DataError` if there is no such text, and for a line that is no label, relation, event or note.
    """
    document = find_text(path)
    found = list(_read_labels(labels, show_name(path)))
    text = _choose_line_ends(read_as_is(document), found)
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    spans: dict[int, list[Span]] = {}
    for label in found:
        span = label.place(text)
        first, last = (bisect_right(starts, offset) - 1 for offset in (span.start, span.end - 1))
        spans.setdefault(first, []).append(_move(span, starts[first], crosses=first != last))
    items = [
        Labelled(f": line {n + 1} of {document.name}", text=line.removesuffix("\r"), spans=tuple(spans.get(n, ())))
        for n, line in enumerate(text.split("\n"))
        if line.strip()
    ]
    if not items:
        raise DataError(f"{document} holds no text")
    return LabelledFile(show_name(path), "brat standoff", items)


def find_text(path: Path) -> Path:
    """The text that a file of labels is about. Raises `DataError` if there is none."""
    stem = path.name.removesuffix(".gz").removesuffix(".ann")
    for name in (f"{stem}.txt", f"{stem}.txt.gz"):
        if (path.parent / name).is_file():
            return path.parent / name
    raise DataError(f"{show_name(path)} has no text", hint=f"put {stem}.txt beside it")


def _move(span: Span, start: int, *, crosses: bool) -> Span:
    if crosses:
        return Span(0, 1, span.type, span.surface, "it crosses the end of a sentence")
    return Span(span.start - start, span.end - start, span.type, span.surface, span.why)


def _choose_line_ends(text: str, labels: Sequence[_Label]) -> str:
    """The text as it is, if what all labels read stands there, else with the line ends of Unix."""
    return text if "\r\n" in text and all(label.fits(text) for label in labels) else unify_line_ends(text)


@dataclass(frozen=True, slots=True)
class _Label:
    """A line of a file of labels: where it stands, its type, the characters it is on, and what it says they read."""

    where: str
    type: str
    pieces: Sequence[tuple[int, int]]
    surface: str

    def fits(self, text: str) -> bool:
        """Whether the characters are there, and read so."""
        there = all(0 <= start < end <= len(text) for start, end in self.pieces)
        return there and (not self.surface or self._read(text).split() == self.surface.split())

    def place(self, text: str) -> Span:
        """The label on the characters of a text, white space around them left out. Raises `DataError` where they are
        not there, or read otherwise.
        """
        for start, end in self.pieces:
            if not 0 <= start < end <= len(text):
                raise DataError(f"{self.where}: [{start}, {end}) is no part of a text of {len(text)} characters")
        start, end = min(self.pieces)[0], max(end for _, end in self.pieces)
        said = text[start:end]
        if not self.fits(text):
            raise DataError(
                f"{self.where}: the characters [{start}, {end}) read {self._read(text)!r}, and the file says "
                f"{self.surface!r}",
                hint="offsets count Unicode characters, not bytes or UTF-16 units, and a line end as the text has it",
            )
        if not said.strip():
            raise DataError(f"{self.where}: the characters [{start}, {end}) are white space", hint="remove the label")
        why = "it is discontinuous" if len(self.pieces) > 1 else ""
        surface = " ".join(self._read(text).split())
        return Span(start + len(said) - len(said.lstrip()), start + len(said.rstrip()), self.type, surface, why)

    def _read(self, text: str) -> str:
        return " ".join(text[start:end] for start, end in self.pieces)


def _read_labels(text: str, name: str) -> Iterator[_Label]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith(_OTHER):
            continue
        match = _LABEL.fullmatch(line.rstrip())
        if match is None:
            raise DataError(
                f"{name}:{number}: not a label: {line[:60]!r}", hint="expected T1<TAB>type start end<TAB>text"
            )
        pieces = [(int(start), int(end)) for start, end in map(str.split, match[3].split(";"))]
        yield _Label(f"{name}:{number}", match[2].strip(), pieces, match[4])
