"""Free text about a subject, from a dictionary that Debian packages: one entry a line.

A package is an `ar` archive with a `tar` in it. The dictionary is in the format of dictd (RFC 2229): the entries one
after the other, compressed as gzip, and an index of a line a headword: the word, offset and length, both in base 64.
"""

from __future__ import annotations

import gzip
import io
import lzma
import re
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import FetchError
from ..io import sha256, write_atomic

_DIGITS = {c: n for n, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
PARTS = {
    "package": r"[a-z0-9][a-z0-9+.-]*",
    "version": r"[0-9][A-Za-z0-9.+~-]*",
    "sha256": r"[0-9a-f]+",
    "dictionary": r"\w[\w.-]*",
}
"""What a package is named by, each in Debian's grammar: nothing else becomes a word of a command or of a path."""
LARGEST = 2**28
"""How many bytes a package, its data or a dictionary may have: the largest is a tenth of that."""
_SOURCE = re.compile(r"\[[^\]]*\]\s*|\(\d{4}-\d\d-\d\d\)\s*")
"""What closes an entry: where it was taken from, and when."""


@dataclass(frozen=True)
class Package:
    """A dictionary in a package of Debian, of one version, pinned by the SHA-256 of its file."""

    name: str
    version: str
    sha256: str
    dictionary: str

    @property
    def file(self) -> str:
        """The name of the package's file."""
        return f"{self.name}_{self.version}_all.deb"


def fetch(package: Package, place: Path) -> None:
    """Write the entries of a package's dictionary to a file, a line each.

    The package is read where it lies beside `place`, else `apt-get` downloads it. Raises `FetchError` if it cannot, or
    if the package is another one.
    """
    beside = place.with_name(package.file)
    with tempfile.TemporaryDirectory() as folder:
        found = beside if beside.is_file() else _download(package, Path(folder), beside)
        if sha256(found) != package.sha256:
            raise FetchError(f"{found} is not the pinned package: its SHA-256 differs", hint=f"rm {beside}")
        write_atomic(place, "".join(f"{line}\n" for line in read(found, package.dictionary)))


def read(package: Path, dictionary: str) -> Iterator[str]:
    """Every entry of a dictionary once, in its order: headwords and text as one line, without marks of references.

    Raises `FetchError` if the package holds no such dictionary.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(_read_data(package)), mode="r:xz") as archive:
            index, compressed = (
                _read_member(archive, f"./usr/share/dictd/{dictionary}.{ending}") for ending in ("index", "dict.dz")
            )
        with gzip.open(io.BytesIO(compressed)) as stream:
            text = _read_bounded(stream)
        lines = (line for line in index.decode("utf-8").splitlines() if not re.match("00-?database", line))
        places = {_parse(line) for line in lines}
        if sum(length for _, length in places) > LARGEST:
            raise ValueError("its entries are too long")
    except (KeyError, ValueError, EOFError, OSError, lzma.LZMAError, zlib.error, tarfile.TarError) as error:
        raise FetchError(f"{package} holds no dictionary {dictionary}: {error}") from None
    for offset, length in sorted(places):
        yield _clean(text[offset : offset + length].decode("utf-8", "replace"))


def _download(package: Package, folder: Path, beside: Path) -> Path:
    reason = "there is no apt-get here"
    if shutil.which("apt-get"):
        command = ["apt-get", "download", f"{package.name}={package.version}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace", check=False)
        if not done.returncode:
            return folder / package.file
        reason = (done.stderr.strip().splitlines() or ["apt-get failed"])[-1]
    raise FetchError(
        f"cannot fetch Debian's package {package.name} {package.version}: {reason}",
        hint=f"download it from Debian's archive to {beside} and try again; only topt-dapt and daptn read it",
    )


def _read_data(package: Path) -> bytes:
    """The member `data.tar.xz` of an `ar` archive. Raises `KeyError` if there is none."""
    with package.open("rb") as stream:
        stream.seek(8)  # the archive's magic string
        while header := stream.read(60):
            name, size = header[:16].decode("ascii", "replace").strip(" /"), int(header[48:58])
            content = stream.read(size + size % 2)[:size]
            if name == "data.tar.xz":
                return content
    raise KeyError("data.tar.xz")


def _read_member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    return _read_bounded(member)


def _read_bounded(stream: IO[bytes] | gzip.GzipFile) -> bytes:
    content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    return content


def _parse(line: str) -> tuple[int, int]:
    """Offset and length of an entry."""
    _, offset, length = line.split("\t")[:3]
    return _parse_number(offset), _parse_number(length)


def _parse_number(text: str) -> int:
    number = 0
    for digit in text:
        number = 64 * number + _DIGITS[digit]
    return number


def _clean(entry: str) -> str:
    """One line without braces around references and without the entry's source and date."""
    lines = (line.strip() for line in entry.splitlines())
    kept = (line for line in lines if not _SOURCE.fullmatch(line))
    return " ".join(" ".join(kept).replace("{", "").replace("}", "").split())
