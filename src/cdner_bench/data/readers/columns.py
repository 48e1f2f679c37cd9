"""Files with a token a line and an empty line between sentences: two columns, CoNLL 2003's four, conlleval's input, or
tags alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from ...errors import DataError
from .labelled import Labelled, LabelledFile
from .schemes import OUTSIDE, Scheme, SchemeError, Tagging, is_tag

DOCUMENT = "-DOCSTART-"
_CHUNKS = frozenset(["NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"])
"""The phrases of CoNLL 2000, which CoNLL 2003 has in its third column."""
_PLAIN = re.compile(rf"(?:(?!{DOCUMENT})\S++\t\S++\n++)++")


class Layout(StrEnum):
    """What the columns hold: the token first and its tag last, a gold tag before that, or nothing but tags."""

    COLUMNS = "columns"
    CONLLEVAL = "conlleval"
    TAGS = "tags"


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one sentence, cut into columns, and the number of the first."""

    number: int
    lines: list[list[str]]

    def column(self, n: int) -> tuple[str, ...]:
        """What stands in a column, the last being -1."""
        return tuple(line[n] for line in self.lines)


def read(text: str, name: str, layout: Layout | None = None, scheme: Scheme | None = None) -> LabelledFile:
    """The sentences of a column file; which layout it has is told from its columns if it is not named.

    Raises `DataError` naming the line, what was found and what was expected.
    """
    plain = _read_plainly(text) if layout in (None, Layout.COLUMNS) else None
    if plain:
        return _make_file(plain, name, scheme, "2 columns")
    source = _Source(text, name)
    blocks = list(source.sentences())
    if not blocks:
        raise DataError(f"{name} has no sentences")
    chosen = layout or _find_layout(blocks, tabbed=source.tabbed)
    if chosen is Layout.TAGS:
        return _read_tags(blocks, name, scheme, source)
    width = _check_widths(blocks, name, tabbed=source.tabbed)
    if width == 1:
        found = f"found 1 column: {blocks[0].lines[0][0][:60]!r}"
        raise _expected(f"{name}:{blocks[0].number}", found, tabbed=source.tabbed)
    _check_tokens(blocks, name)
    if chosen is Layout.CONLLEVAL and width < 3:
        raise DataError(f"{name} has {width} columns", hint="conlleval's input has token, gold tag and predicted tag")
    rows = [_Row(b.number, b.column(0), b.column(-1)) for b in blocks]
    if chosen is Layout.COLUMNS:
        return _make_file(rows, name, scheme, f"{width} columns", source.list_remarks())
    gold = [_Row(b.number, row.tokens, b.column(-2)) for b, row in zip(blocks, rows, strict=True)]
    truth = _make_file(gold, name, scheme, "")
    said = _make_file(rows, name, scheme, "token, gold and predicted tag", source.list_remarks())
    items = [item._replace(gold=true.entities) for item, true in zip(said.items, truth.items, strict=True)]
    return replace(said, items=items, illegal_gold=truth.illegal)


def read_bare(text: str, name: str) -> LabelledFile:
    """The tokens of a column file, whatever its tags are. Raises `DataError` for one that has none."""
    source = _Source(text, name)
    blocks = list(source.sentences())
    if not blocks:
        raise DataError(f"{name} has no sentences")
    tags_alone = _find_layout(blocks, tabbed=source.tabbed) is Layout.TAGS
    width = 1 if tags_alone else _check_widths(blocks, name, tabbed=source.tabbed)
    if width < 2:
        raise DataError(f"{name}: there are no tokens beside the tags", hint="write a sentence a line, as text")
    _check_tokens(blocks, name)
    items = [Labelled(f":{b.number}", tokens=b.column(0), tags=b.column(-1)) for b in blocks]
    return LabelledFile(name, f"{width} columns", items, None, source.list_remarks(), token_a_line=True)


@dataclass(frozen=True, slots=True)
class _Row:
    """The tokens and tags of one sentence, and the number of its first line."""

    number: int
    tokens: tuple[str, ...]
    tags: tuple[str, ...]


def _read_plainly(text: str) -> list[_Row] | None:
    """The sentences of a file all of whose lines are a token, one tab and a tag, and there is no other white space;
    None for any other.
    """
    body = text.strip("\n")
    if not _PLAIN.fullmatch(f"{body}\n"):
        return None
    rows = []
    number = 1 + len(text) - len(text.lstrip("\n"))
    for block in body.split("\n\n"):
        lines = block.lstrip("\n")
        number += len(block) - len(lines)
        if parts := tuple(lines.split()):
            rows.append(_Row(number, parts[::2], parts[1::2]))
        number += lines.count("\n") + 2
    return rows


def _make_file(
    rows: Sequence[_Row], name: str, scheme: Scheme | None, known: str, remarks: Sequence[str] = ()
) -> LabelledFile:
    tagging = _read_column(rows, name, scheme)
    items = [
        Labelled(
            f":{row.number}",
            tokens=row.tokens,
            tags=tagging.as_iob2(row.tags),
            entities=tagging.entities(row.tags),
        )
        for row in rows
    ]
    return LabelledFile(
        name, known, items, tagging.scheme, remarks, _describe_illegal(rows, tagging, name), token_a_line=True
    )


class _Source:
    """The lines of a file, cut into columns; what was passed over is counted."""

    def __init__(self, text: str, name: str) -> None:
        self.lines = text.split("\n")
        self.name = name
        filled = [line for line in self.lines if line and not line.isspace()]
        self.tabbed = 2 * sum("\t" in line.strip() for line in filled) > len(filled)
        plain = next((line for line in filled if not line.startswith(("# ", DOCUMENT))), "")
        self.passed: Counter[str] = Counter()
        self.width = len(self._cut(plain))

    def sentences(self) -> Iterator[_Block]:
        """The lines of each sentence. Comments and document marks belong to none."""
        self.passed.clear()
        block = _Block(1, [])
        for number, line in enumerate(self.lines, start=1):
            columns = self._cut(line) if line and not line.isspace() else None
            if columns and line.startswith(("# ", DOCUMENT)):
                columns = self._pass_over(line, columns, within=bool(block.lines))
            if columns:
                block.lines.append(columns)
                continue
            if block.lines:
                yield block
            block = _Block(number + 1, [])
        if block.lines:
            yield block

    def _pass_over(self, line: str, columns: list[str], *, within: bool) -> list[str] | None:
        """None for a line that belongs to no sentence."""
        if line.split(maxsplit=1)[0] == DOCUMENT:
            self.passed[f"lines begin a document ({DOCUMENT}), and are no sentence"] += 1
            return None
        if not within and (len(columns) != self.width or not self._ends_in_tag(columns)):
            self.passed["lines are comments"] += 1
            return None
        return columns

    def _ends_in_tag(self, columns: Sequence[str]) -> bool:
        """Whether the last column has a tag, as other lines have them."""
        return is_tag(columns[-1]) or columns[-1].split()[-1] in self._last_words

    @cached_property
    def _last_words(self) -> frozenset[str]:
        return frozenset(line.split()[-1] for line in self.lines if line.strip() and not line.startswith("# "))

    def _cut(self, line: str) -> list[str]:
        if line[-1:].isspace():
            line = line.rstrip()
            self.passed["lines end in white space, which belongs to no tag"] += 1
        if not self.tabbed:
            return re.split(r"[ \t]+", line.lstrip(" \t"))
        columns = line.split("\t")
        token, tag = columns[0], columns[-1]
        if tag[:1].isspace() or token[-1:] == " " or token[:1] == " ":
            columns[0], columns[-1] = token.strip(" ") or token, tag.lstrip()
            self.passed["lines have blanks beside the tab, which belong to no column"] += 1
        return columns

    def list_remarks(self) -> list[str]:
        """What was passed over, as sentences."""
        return [f"{count:,} {what}" for what, count in self.passed.items()]


def _find_layout(blocks: Sequence[_Block], *, tabbed: bool) -> Layout:
    lines = [line for block in blocks for line in block.lines]
    widths = {len(line) for line in lines}
    # Tokens may look like tags, "O" does; not all of them in a file that has other signs of columns.
    bare = widths == {1} or not (len(widths) == 1 and (tabbed or all(line[0] == OUTSIDE for line in lines)))
    if bare and all(is_tag(column) for line in lines for column in line):
        return Layout.TAGS
    if min(widths) < 3 or not all(map(is_tag, {line[-2] for line in lines})):
        return Layout.COLUMNS
    before, last = ({line[n][2:] for line in lines} - {""} for n in (-2, -1))
    if before <= _CHUNKS and (before or min(widths) > 3) and not (last and last <= _CHUNKS):
        return Layout.COLUMNS
    return Layout.CONLLEVAL


def _check_widths(blocks: Sequence[_Block], name: str, *, tabbed: bool) -> int:
    width = len(blocks[0].lines[0])
    for block in blocks:
        for n, line in enumerate(block.lines):
            if len(line) != width:
                found = f"found {len(line)} column{'s' * (len(line) != 1)} where line {blocks[0].number} has {width}"
                where = f"{name}:{block.number + n}"
                raise _expected(where, f"{found}: {' '.join(line)[:60]!r}", tabbed=tabbed)
    return width


def _expected(where: str, found: str, *, tabbed: bool) -> DataError:
    return DataError(
        f"{where}: expected a token and its tag, {found}",
        hint=f"separate columns by {'one tab' if tabbed else 'a tab or blanks'}, and sentences by an empty line",
    )


def _check_tokens(blocks: Sequence[_Block], name: str) -> None:
    for block in blocks:
        for n, line in enumerate(block.lines):
            token = line[0]
            if not token or token.isspace():
                what = "a no-break space" if "\xa0" in token else "white space" if token else "empty"
                where = f"{name}:{block.number + n}"
                raise DataError(f"{where}: the token is {what}", hint="a token is visible text; remove the line")


def _read_column(rows: Sequence[_Row], name: str, scheme: Scheme | None, *, a_line_each: bool = True) -> Tagging:
    """What tags say. Raises `DataError` with the line of one that follows no scheme."""
    try:
        return Tagging([row.tags for row in rows], scheme)
    except SchemeError as error:
        lines = (row.number + n * a_line_each for row in rows for n, tag in enumerate(row.tags) if tag == error.tag)
        number = next(lines, None)
        raise DataError(f"{name}{f':{number}' if number else ''}: {error}", hint=error.hint) from None


def _describe_illegal(rows: Sequence[_Row], tagging: Tagging, name: str, *, a_line_each: bool = True) -> str:
    """The first tag that its scheme does not allow where it stands; empty if there is none."""
    found = tagging.find_illegal([row.tags for row in rows])
    if found is None:
        return ""
    row, position = rows[found[0]], found[1]
    line = min(position, len(row.tags) - 1) if a_line_each else 0
    return f"{name}:{row.number + line}: {tagging.explain(row.tags, position)}"


def _read_tags(blocks: Sequence[_Block], name: str, scheme: Scheme | None, source: _Source) -> LabelledFile:
    """Tags alone: one a line with an empty line between sentences, or a line a sentence."""
    a_line_each = all(len(line) == 1 for block in blocks for line in block.lines)
    if a_line_each:
        rows = [_Row(block.number, (), block.column(0)) for block in blocks]
    else:
        rows = [_Row(block.number + n, (), tuple(line)) for block in blocks for n, line in enumerate(block.lines)]
    tagging = _read_column(rows, name, scheme, a_line_each=a_line_each)
    items = [
        Labelled(f":{row.number}", tags=tagging.as_iob2(row.tags), entities=tagging.entities(row.tags)) for row in rows
    ]
    what = "tags, a line each" if a_line_each else "tags, a line a sentence"
    illegal = _describe_illegal(rows, tagging, name, a_line_each=a_line_each)
    return LabelledFile(name, what, items, tagging.scheme, source.list_remarks(), illegal, token_a_line=a_line_each)
