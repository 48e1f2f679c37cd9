"""Sentences to be labelled: any file that is read with labels, which do not count here, or plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError, did_you_mean
from . import brat, columns, records
from .labelled import Labelled, LabelledFile, find_bounds, split_words
from .reading import FORMATS
from .schemes import is_tag
from .source import read_text, show_name
from .writing import Marked

PLAIN = "text"
"""The format of plain text: a sentence a line. Runs of letters, digits and marks are tokens, and so is any other
character that is not white space (`split_words`).
"""


@dataclass(frozen=True)
class Unlabelled:
    """The sentences of a file, without entities; its `format` in a word, and remarks, each a sentence."""

    name: str
    format: str
    sentences: Sequence[Marked]
    remarks: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.format}, {len(self.sentences):,} sentences"


def read_unlabelled(path: Path, format: str | None = None) -> Unlabelled:
    """The sentences of a file of any of `FORMATS`, or of plain text, told from its content unless it is named; gzip or
    not; `-` is standard input.

    Raises `DataError` naming file and line, what was found, and what to do.
    """
    if format not in (None, PLAIN, *FORMATS):
        raise DataError(f"there is no format {format!r}", hint=did_you_mean(str(format), [PLAIN, *FORMATS]))
    text, name = read_text(path), show_name(path)
    if not text.strip():
        raise DataError(f"{name} has no sentences: it is empty", hint="write a sentence a line, or pipe them in: -")
    kind = format or _tell_format(path, text)
    if kind == PLAIN:
        items = [Labelled(f":{n}", text=line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
        file = LabelledFile(name, "plain text, a sentence a line", items)
    elif kind in ("json", "token-spans", "character-spans"):
        file = records.read_bare(text, name)
    elif kind == "brat":
        file = brat.read(path, text)
    else:
        file = columns.read_bare(text, name)
    sentences = [_strip(item, file, n) for n, item in enumerate(file.items)]
    return Unlabelled(name, file.format, sentences, [*file.remarks, *_describe(file)])


def _tell_format(path: Path, text: str) -> str:
    """What a file is: JSON, standoff, or columns if at least half of its lines end in a tag; else plain text."""
    if records.is_json(path.name, text):
        return "json"
    if brat.is_standoff(path, text):
        return "brat"
    lines = [words for line in text.split("\n") if (words := line.split()) and words[0] != columns.DOCUMENT]
    tagged = sum(is_tag(words[-1]) for words in lines)
    return "columns" if lines and 2 * tagged >= len(lines) else PLAIN


def _strip(item: Labelled, file: LabelledFile, number: int) -> Marked:
    """A sentence without its labels. Raises `DataError` for one without tokens, and for a text without words."""
    where = file.where(item)
    if item.tokens is None and item.text is None:
        raise DataError(f"{where}: there are no tokens", hint="write a text, or tokens, to be labelled")
    if item.tokens is None:
        assert item.text is not None
        tokens = tuple(item.text[start:end] for start, end in split_words(item.text))
    else:
        tokens = item.tokens
    if not tokens:
        raise DataError(f"{where}: the text is empty", hint="remove it")
    if item.text is not None:
        find_bounds(item.text, tokens, where)
    return Marked(item.id or str(number), tokens, (), item.text, where)


def _describe(file: LabelledFile) -> Iterator[str]:
    """What is to be said of labels that do not count, and of lines that may be tokens."""
    labelled = sum(bool(item.entities or item.spans or item.tags) for item in file.items)
    if labelled:
        yield f"the labels of {labelled:,} sentences are not read"
    texts = [item.text for item in file.items if item.tokens is None and item.text]
    if len(texts) > 1 and len(texts) == len(file.items) and not any(" " in text.strip() for text in texts):
        yield 'every line is one word, and counts as a sentence; sentences of tokens are lines of {"tokens": […]}'
