"""Corpora as an analysis reads them: a stream of units, out of explanations, a split, or a file of any size.

A unit is an explanation, a sentence, a line, a document: what numbers are per. It travels as a line of UTF-8, so that
a large file is read, and counted, as it lies on the disk.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import sys
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, ClassVar, Literal, cast

from .errors import DataError, OptionError, PluginError, did_you_mean
from .gtok import Record
from .types import Corpus, Sentence

Errors = Literal["strict", "replace"]
NATURAL = "natural"
BLOCK = 1 << 22  # bytes
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_BOM = b"\xef\xbb\xbf"
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")


class Text(ABC):
    """A corpus to be read, once. `domain` is the domain that it is about, with all its splits, if it has one.

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
        some = False
        for block in self._blocks(chosen):
            some = True
            yield block
        if not some:
            raise DataError(f"{self.name} holds no text")

    def lines(self, unit: str = NATURAL) -> Iterator[str]:
        """The units, one by one."""
        for block in self.blocks(unit):
            yield from block.decode("utf-8").removesuffix("\n").split("\n")

    @abstractmethod
    def _blocks(self, unit: str) -> Iterator[bytes]: ...


class GtokText(Text):
    """Explanations (GTOK). A document is all that is said about one sentence of the train split."""

    units = ("explanation", "sentence", "document")

    def __init__(self, name: str, records: Sequence[Record], domain: Corpus | None = None) -> None:
        super().__init__(name, domain)
        self.records = records

    def _blocks(self, unit: str) -> Iterator[bytes]:
        texts = [[e.text for e in record.explanations] for record in self.records]
        for text in (text for group in texts for text in group):
            self._digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
        explanations = (text for group in texts for text in group)
        units = {
            "explanation": explanations,
            "sentence": _sentences(explanations),
            "document": (" ".join(group) for group in texts if group),
        }
        return _packed(units[unit])


class SplitText(Text):
    """The sentences of a split."""

    units = ("sentence",)

    def __init__(self, name: str, sentences: Sequence[Sentence], domain: Corpus | None = None) -> None:
        super().__init__(name, domain)
        self.sentences = sentences

    def _blocks(self, unit: str) -> Iterator[bytes]:
        for sentence in self.sentences:
            self._digest.update(sentence.text.encode() + b"\n")
        return _packed(sentence.text for sentence in self.sentences)


class FileText(Text):
    """A file of UTF-8 text, plain or compressed (gzip, zstd), or standard input ("-").

    A line ends with a line feed; a document ends with a blank line.
    """

    units = ("line", "sentence", "document")

    def __init__(self, path: Path, domain: Corpus | None = None, errors: Errors = "strict", name: str = "") -> None:
        super().__init__(name or path.name, domain)
        self.path = path
        self.errors = errors

    def _blocks(self, unit: str) -> Iterator[bytes]:
        if unit == "line":
            return self._raw()
        lines = (line for block in self._raw() for line in block.decode("utf-8").removesuffix("\n").split("\n"))
        return _packed(_sentences(lines) if unit == "sentence" else _documents(lines))

    def _raw(self) -> Iterator[bytes]:
        """Blocks of whole lines, checked to be UTF-8 text."""
        offset = 0
        for block in _whole_lines(self._chunks()):
            yield self._checked(block, offset)
            offset += len(block)

    def _chunks(self) -> Iterator[bytes]:
        where = str(self.path)
        with _source(self.path) as (stream, size):
            self.size = size
            raw = _Watched(stream, self._count)
            head = raw.peek(4)
            with _decompressed(raw, head, where) as plain:
                while True:
                    try:
                        chunk = plain.read(BLOCK)
                    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                        raise DataError(f"{where} is damaged or cut off: {error}") from None
                    except Exception as error:
                        if type(error).__name__ != "ZstdError":
                            raise
                        raise DataError(f"{where} is damaged: {error}") from None
                    if not chunk:
                        return
                    yield chunk

    def _count(self, data: bytes) -> None:
        self.read += len(data)
        self._digest.update(data)

    def _checked(self, block: bytes, offset: int) -> bytes:
        if offset == 0:
            if block[:2] in _WIDE:
                hint = f"convert it first: iconv -f {_WIDE[block[:2]]} -t UTF-8 {self.path}"
                raise DataError(f"{self.path} is {_WIDE[block[:2]]}, not UTF-8", hint=hint)
            block = block.removeprefix(_BOM)
        if self.errors == "strict":
            nul = block.find(0)
            if nul >= 0:
                raise DataError(
                    f"{self.path} is no text: there is a NUL at byte {offset + nul}",
                    hint="name a text file, plain or compressed by gzip or zstd",
                )
            try:
                block.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{self.path} is not UTF-8 at byte {offset + error.start}: {error.reason}",
                    hint="convert it, or add --errors replace",
                ) from None
            return block
        return block.decode("utf-8", "replace").encode()


class _Watched(io.RawIOBase):
    """Hands on what it reads, and shows it to somebody."""

    def __init__(self, stream: BinaryIO, saw: Callable[[bytes], None]) -> None:
        self.stream, self.saw = stream, saw
        self.ahead = b""

    def peek(self, size: int) -> bytes:
        """The first bytes, which will be read again."""
        self.ahead = self.read(size) or b""
        return self.ahead

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        if self.ahead:
            data, self.ahead = self.ahead, b""
            return data
        data = self.stream.read(size)
        self.saw(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _source(path: Path) -> Iterator[tuple[BinaryIO, int | None]]:
    if str(path) == "-":
        yield sys.stdin.buffer, None
        return
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a text")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    with stream:
        yield stream, path.stat().st_size if path.is_file() else None


@contextmanager
def _decompressed(raw: _Watched, head: bytes, where: str) -> Iterator[IO[bytes]]:
    if head.startswith(_GZIP):
        with gzip.GzipFile(fileobj=io.BufferedReader(raw, BLOCK)) as plain:
            yield cast(IO[bytes], plain)
    elif head == _ZSTD:
        try:
            import zstandard
        except ImportError:
            raise PluginError(f"{where}: zstd needs a package", hint="pip install 'cdner-bench[density]'") from None
        with zstandard.ZstdDecompressor().stream_reader(cast(IO[bytes], raw), read_across_frames=True) as plain:
            yield plain
    else:
        yield cast(IO[bytes], raw)


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut after line feeds only; the last line gets one if it has none."""
    rest: list[bytes] = []
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield b"".join([*rest, chunk[:cut]])
            rest = []
        rest.append(chunk[cut:])
    last = b"".join(rest)
    if last:
        yield last + b"\n"


def _sentences(lines: Iterable[str]) -> Iterator[str]:
    """Cut after `.`, `?` and `!` before white space. Crude; the tokens stay the same."""
    return (sentence for line in lines for sentence in _SENTENCE_END.split(line))


def _documents(lines: Iterable[str]) -> Iterator[str]:
    gathered: list[str] = []
    for line in lines:
        if line.strip():
            gathered.append(line)
        elif gathered:
            yield " ".join(gathered)
            gathered = []
    if gathered:
        yield " ".join(gathered)


def _packed(units: Iterable[str]) -> Iterator[bytes]:
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
