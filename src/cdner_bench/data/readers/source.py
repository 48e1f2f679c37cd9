"""Text out of a file as people have it: plain or gzip, standard input, a pipe; UTF-8, byte-order mark or not."""

from __future__ import annotations

import re
import sys
import zlib
from pathlib import Path

from ...errors import DataError
from ...io import suggest_file

LARGEST = 1 << 30
"""Bytes that a compressed file may unpack to."""

STANDARD_INPUT = "-"
_GZIP = b"\x1f\x8b"
_NOT_TEXT = {
    b"PK\x03\x04": "a zip archive: unpack it, and name the file inside",
    b"\xff\xfe": "UTF-16: save it as UTF-8",
    b"\xfe\xff": "UTF-16: save it as UTF-8",
    b"BZh": "packed with bzip2: unpack it, or pack it with gzip",
    b"\xfd7zXZ": "packed with xz: unpack it, or pack it with gzip",
    b"%PDF": "a PDF: name a file of labelled sentences",
    b"PAR1": "a Parquet table: write it as JSON lines first",
}


def show_name(path: Path) -> str:
    """How messages call a file."""
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


def read_text(path: Path) -> str:
    """As `read_as_is`, all its line ends those of Unix."""
    return unify_line_ends(read_as_is(path))


def read_as_is(path: Path) -> str:
    """The text of a file; `-` is standard input.

    Raises `DataError` naming the file, what was found instead of text, and what to do.
    """
    data = _read_bytes(path)
    if data.startswith(_GZIP):
        data = _unpack(data, path)
    for beginning, what in _NOT_TEXT.items():
        if data.startswith(beginning):
            raise DataError(f"{show_name(path)} is {what.split(':')[0]}", hint=what.split(": ")[1])
    return _decode(data, path)


def _read_bytes(path: Path) -> bytes:
    name = str(path)
    if name == STANDARD_INPUT:
        return _read_input()
    if re.match(r"\w{2,}:/", name):
        raise DataError(f"{name} is an address, not a file", hint="download it, and name the file")
    place = path.expanduser() if name.startswith("~") else path
    try:
        return place.read_bytes()
    except IsADirectoryError:
        raise DataError(f"{name} is a folder, not a file", hint=_list_files(place)) from None
    except FileNotFoundError:
        raise DataError(f"cannot read {name}: No such file or directory", hint=suggest_file(place)) from None
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror}") from None
    except ValueError:  # a null byte in the name
        raise DataError(f"{name!r} is not the name of a file") from None


def _read_input() -> bytes:
    try:
        if sys.stdin is not None:
            return sys.stdin.buffer.read()
        reason = "it is closed"
    except (OSError, ValueError) as error:  # a folder, or closed meanwhile
        reason = str((isinstance(error, OSError) and error.strerror) or error)
    raise DataError(f"cannot read standard input: {reason}", hint="name a file, or pipe one in: … < FILE")


def _list_files(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.is_file())[:5]
    return f"name a file in it: {', '.join(names)}" if names else "it holds no files; name another"


def _unpack(data: bytes, path: Path) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    size = 0
    try:
        while data:
            parts.append(unpacker.decompress(data, LARGEST - size + 1))
            size += len(parts[-1])
            if size > LARGEST:
                raise DataError(f"{show_name(path)} unpacks to more than {LARGEST:,} bytes", hint="split it")
            if not unpacker.eof:
                raise DataError(f"{show_name(path)} is cut off: its gzip stream has no end", hint="copy it anew")
            data = unpacker.unused_data  # files that were packed one by one and put together
            unpacker = zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise DataError(f"{show_name(path)} is damaged: {error}", hint="copy it anew") from None
    return b"".join(parts)


def _decode(data: bytes, path: Path) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{show_name(path)}:{line}: byte 0x{data[error.start]:02x} is not UTF-8", hint="save the file as UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{show_name(path)}:{line}: a null byte, which no text holds", hint="save the file as UTF-8")
    return text


def unify_line_ends(text: str) -> str:
    """A text with the line ends of Unix."""
    # Not str.splitlines, anywhere: tokens may hold characters that it takes for line ends.
    return text.replace("\r\n", "\n") if "\n" in text else text.replace("\r", "\n")
