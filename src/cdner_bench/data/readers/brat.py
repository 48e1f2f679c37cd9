"""brat's standoff: `x.txt` with a sentence a line, and `x.ann` with labels on its characters."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .labelled import Labelled, LabelledFile, Span
from .source import read_text, show_name

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
    text = read_text(document)
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    spans: dict[int, list[Span]] = {}
    for span in _read_labels(labels, show_name(path), len(text)):
        first, last = (bisect_right(starts, offset) - 1 for offset in (span.start, span.end - 1))
        spans.setdefault(first, []).append(_move(span, starts[first], crosses=first != last))
    items = [
        Labelled(f": line {n + 1} of {document.name}", text=line, spans=tuple(spans.get(n, ())))
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


def _read_labels(text: str, name: str, size: int) -> Iterator[Span]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith(_OTHER):
            continue
        match = _LABEL.fullmatch(line.rstrip())
        if match is None:
            raise DataError(
                f"{name}:{number}: not a label: {line[:60]!r}", hint="expected T1<TAB>type start end<TAB>text"
            )
        offsets = [tuple(map(int, part.split())) for part in match[3].split(";")]
        start, end = offsets[0][0], offsets[-1][1]
        if not 0 <= start < end <= size:
            raise DataError(f"{name}:{number}: [{start}, {end}) is no part of a text of {size} characters")
        why = "it is discontinuous" if len(offsets) > 1 else ""
        yield Span(start, end, match[2].strip(), match[4] or None, why)
