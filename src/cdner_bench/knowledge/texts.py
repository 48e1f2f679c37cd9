"""Corpora as an analysis reads them: a stream of units, out of explanations, a split, or a file of any size.

A unit is an explanation, a sentence, a line, a document: what numbers are per. It travels as a line of UTF-8, so that
a large file is read, and counted, as it lies on the disk.
"""

from __future__ import annotations

import hashlib
import re
import sys
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, ClassVar, Literal, Protocol

from ..errors import DataError, OptionError, PluginError, did_you_mean
from ..types import Corpus, Sentence
from .gtok import Record

Errors = Literal["strict", "replace"]
NATURAL = "natural"
BLOCK = 1 << 20  # bytes
_PACKED = 1 << 16
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_BOM = b"\xef\xbb\xbf"
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")


class Text(ABC):
    """A corpus to be read. `domain` is the domain that it is about, with all its splits, if it has one.

    `units` names the units that it has, the natural one first. `read` of `size` bytes (None: nobody knows) have been
    read so far; afterwards, `sha256` is the digest of all of them.
    """

    units: ClassVar[tuple[str, ...]]

    def __init__(self, name: str, domain: Corpus | None = None) -> None:
        self.name = name
        self.domain = domain
        self.read = 0
        self.size: int | None = None
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """SHA-256 of what has been read, in hexadecimal."""
        return self._digest.hexdigest()

    def blocks(self, unit: str = NATURAL) -> Iterator[bytes]:
        """Stretches of UTF-8: whole units, each one a line that ends with a line feed.

        Raises `OptionError` for a unit that the corpus has not, `DataError` for one that holds no text or cannot be
        read.
        """
        chosen = self.units[0] if unit == NATURAL else unit
        if chosen not in self.units:
            raise OptionError(f"{self.name} has no unit {unit!r}", hint=did_you_mean(unit, self.units))
        self.read, self._digest = 0, hashlib.sha256()
        some = False
        for block in self._blocks(chosen):
            some = True
            yield block
        if not some:
            raise DataError(f"{self.name} holds no text", hint="name another text, or a corpus that has explanations")

    def lines(self, unit: str = NATURAL) -> Iterator[str]:
        """The units, one by one."""
        return _split_lines(self.blocks(unit))

    @abstractmethod
    def _blocks(self, unit: str) -> Iterator[bytes]: ...


class GtokText(Text):
    """Explanations (GTOK). A document is all that is said about one sentence of the train split.

    `records` are the domain's own, `added` those of other domains that are mixed in.
    """

    units = ("explanation", "sentence", "document")

    def __init__(
        self, name: str, records: Sequence[Record], domain: Corpus | None = None, added: Sequence[Record] = ()
    ) -> None:
        super().__init__(name, domain)
        self.records = records
        self.added = added

    def _blocks(self, unit: str) -> Iterator[bytes]:
        documents = [[e.text for e in record.explanations] for record in (*self.records, *self.added)]
        explanations = [text for texts in documents for text in texts]
        for text in explanations:
            self._digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
        units = {
            "explanation": explanations,
            "sentence": _split_sentences(explanations),
            "document": (" ".join(texts) for texts in documents if texts),
        }
        return _pack(units[unit])


class SplitText(Text):
    """The sentences of a split."""

    units = ("sentence",)

    def __init__(self, name: str, sentences: Sequence[Sentence], domain: Corpus | None = None) -> None:
        super().__init__(name, domain)
        self.sentences = sentences

    def _blocks(self, unit: str) -> Iterator[bytes]:
        for sentence in self.sentences:
            self._digest.update(sentence.text.encode() + b"\n")
        return _pack(sentence.text for sentence in self.sentences)


class FileText(Text):
    """A file of UTF-8 text, plain or compressed (gzip, zstd), or standard input ("-").

    A line ends with a line feed; a document ends with a blank line.
    """

    units = ("line", "sentence", "document")

    def __init__(self, path: Path, domain: Corpus | None = None, errors: Errors = "strict", name: str = "") -> None:
        super().__init__(name or str(path), domain)
        self.path = path
        self.errors = errors
        self._drained = False

    def _blocks(self, unit: str) -> Iterator[bytes]:
        if unit == "line":
            return self._read_raw()
        lines = _split_lines(self._read_raw())
        return _pack(_split_sentences(lines) if unit == "sentence" else _join_documents(lines))

    def _read_raw(self) -> Iterator[bytes]:
        """Blocks of whole lines, checked to be UTF-8 text."""
        offset = 0
        for block in _cut_at_lines(self._read_chunks()):
            yield self._check(block, offset)
            offset += len(block)

    def _read_chunks(self) -> Iterator[bytes]:
        if self._drained:
            hint = "save it to a file, or take one analysis at a time"
            raise OptionError("standard input can be read once, these analyses read it differently", hint=hint)
        self._drained = str(self.path) == "-"
        self._packed = False
        with _open_source(self.path) as (stream, self.size):
            raw = self._watch(iter(lambda: stream.read(BLOCK), b""))
            first = next(raw, b"")
            chunks: Iterator[bytes] = chain([first], raw)
            self._packed = first.startswith((_GZIP, _ZSTD))
            if first.startswith(_GZIP):
                chunks = _unpack(chunks, lambda: zlib.decompressobj(wbits=31), self.path)
            elif first.startswith(_ZSTD):
                chunks = _unpack(chunks, _import_zstd(self.path), self.path)
            yield from chunks

    def _watch(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.read += len(chunk)
            self._digest.update(chunk)
            yield chunk

    def _check(self, block: bytes, offset: int) -> bytes:
        where = " of the unpacked text" if self._packed else ""
        if offset == 0:
            if block[:2] in _WIDE:
                hint = f"convert it first: iconv -f {_WIDE[block[:2]]} -t UTF-8 {self.path}"
                raise DataError(f"{self.path} is {_WIDE[block[:2]]}, not UTF-8", hint=hint)
            if block.startswith(_BOM):
                block, offset = block.removeprefix(_BOM), len(_BOM)
        if self.errors == "strict":
            nul = block.find(0)
            if nul >= 0:
                raise DataError(
                    f"{self.path} is no text: there is a NUL at byte {offset + nul}{where}",
                    hint="name a text file, plain or compressed by gzip or zstd",
                )
            try:
                block.isascii() or block.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{self.path} is not UTF-8 at byte {offset + error.start}{where}: {error.reason}",
                    hint="convert it, or add --errors replace",
                ) from None
            return block
        return block.decode("utf-8", "replace").encode()


@contextmanager
def _open_source(path: Path) -> Iterator[tuple[BinaryIO, int | None]]:
    if str(path) == "-":
        yield sys.stdin.buffer, None
        return
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a text", hint="name a file in it")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    with stream:
        yield stream, path.stat().st_size if path.is_file() else None


class _Unpacker(Protocol):
    """What zlib and zstandard have in common: one compressed stream, and what follows it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _unpack(chunks: Iterable[bytes], unpacker: Callable[[], _Unpacker], path: Path) -> Iterator[bytes]:
    """The content of one or several compressed streams, one after the other."""
    inside: _Unpacker | None = None
    try:
        for chunk in chunks:
            for start in range(0, len(chunk), _PACKED):  # little at a time: it may be much when it is unpacked
                piece = chunk[start : start + _PACKED]
                while piece := piece if inside else piece.lstrip(b"\0"):  # what pads an archive
                    inside = inside or unpacker()
                    yield inside.decompress(piece)
                    if not inside.eof:
                        break
                    piece, inside = inside.unused_data, None
    except Exception as error:
        if type(error).__name__ not in ("error", "ZstdError"):
            raise
        raise DataError(f"{path} is damaged: {error}", hint="copy it anew") from None
    if inside is not None:
        raise DataError(f"{path} is cut off: its last compressed stream does not end", hint="copy it anew")


def _import_zstd(path: Path) -> Callable[[], _Unpacker]:
    try:
        import zstandard
    except ImportError:
        raise PluginError(f"{path}: zstd needs a package", hint="pip install 'cdner-bench[density]'") from None
    return lambda: zstandard.ZstdDecompressor().decompressobj()


def _cut_at_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks that end with a line feed; the last line gets one if it has none."""
    gathered: list[bytes] = []
    size = 0
    for chunk in chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size >= BLOCK and b"\n" in chunk:
            block = b"".join(gathered)
            cut = block.rfind(b"\n") + 1
            yield block[:cut]
            gathered, size = [block[cut:]], len(block) - cut
    last = b"".join(gathered)
    if last:
        yield last if last.endswith(b"\n") else last + b"\n"


def _split_lines(blocks: Iterable[bytes]) -> Iterator[str]:
    return (line for block in blocks for line in block.decode("utf-8").removesuffix("\n").split("\n"))


def _split_sentences(lines: Iterable[str]) -> Iterator[str]:
    """Cut after `.`, `?` and `!` before white space. Crude; the tokens stay the same."""
    return (sentence for line in lines for sentence in _SENTENCE_END.split(line))


def _join_documents(lines: Iterable[str]) -> Iterator[str]:
    gathered: list[str] = []
    for line in lines:
        if line.strip():
            gathered.append(line)
        elif gathered:
            yield " ".join(gathered)
            gathered = []
    if gathered:
        yield " ".join(gathered)


def _pack(units: Iterable[str]) -> Iterator[bytes]:
    """Units as blocks, their own line feeds made spaces."""
    gathered, size = [], 0
    for unit in units:
        line = unit.replace("\n", " ").encode("utf-8", "replace") + b"\n"
        gathered.append(line)
        size += len(line)
        if size >= BLOCK:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)
