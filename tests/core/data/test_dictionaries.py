"""Dictionaries out of packages as Debian makes them, and what is said where there is none."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from cdner_bench.data import benchmark, dictionaries, download
from cdner_bench.errors import DataError, FetchError

ENTRIES = (
    "00-database-info\nMade for a test.\n",
    "hash\n\n   <data> A {function} of\n   keys.\n\n   [{Jargon File}]\n\n   (1995-02-07)\n\n",
    "parser\nsyntax analyser\n\n   What reads [a text] (2001-01-01 and later).\n",
)
LINES = ["hash <data> A function of keys.", "parser syntax analyser What reads [a text] (2001-01-01 and later)."]
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def base64(number: int) -> str:
    return (base64(number // 64) if number >= 64 else "") + DIGITS[number % 64]


def package(path: Path, name: str = "subject") -> Path:
    """A package with a dictionary in which one entry has two headwords, sorted as dictd wants them."""
    starts = [sum(len(e.encode()) for e in ENTRIES[:n]) for n in range(len(ENTRIES))]
    places = [f"{base64(start)}\t{base64(len(e.encode()))}" for start, e in zip(starts, ENTRIES, strict=True)]
    index = "".join(
        f"{word}\t{places[n]}\n"
        for word, n in (("00databaseinfo", 0), ("hash", 1), ("parser", 2), ("syntax analyser", 2))
    )
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for ending, content in (("dict.dz", gzip.compress("".join(ENTRIES).encode())), ("index", index.encode())):
            info = tarfile.TarInfo(f"./usr/share/dictd/{name}.{ending}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with path.open("wb") as stream:
        stream.write(b"!<arch>\n")
        for member, content in (("debian-binary", b"2.0"), ("data.tar.xz", data.getvalue())):
            stream.write(f"{member:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
            stream.write(content + b"\n" * (len(content) % 2))
    return path


def subject(tmp_path: Path, pinned: str) -> benchmark.Benchmark:
    """A benchmark whose domain has a text, to be made from a package."""
    lines = "".join(f"{line}\n" for line in LINES).encode()
    path = tmp_path / "b.toml"
    path.write_text(
        'name = "b"\n[[fetch]]\nprefix = "dapt/"\nlicence = "-"\npackage = "dict-subject"\nversion = "1-1"\n'
        f'sha256 = "{pinned}"\ndictionary = "subject"\n[domains.law]\ntrain = "t"\ndev = "t"\ntest = "t"\n'
        f'resources.dapt = {{ path = "dapt/law.txt", sha256 = "{hashlib.sha256(lines).hexdigest()}" }}\n'
        '[settings.single]\nsources = []\ntargets = ["law"]\n'
    )
    return benchmark.load(str(path))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CDNER_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "dapt").mkdir(parents=True)
    return tmp_path / "data" / "dapt"


def fetch(found: benchmark.Benchmark) -> list[tuple[str, bool]]:
    return list(download.fetch(found, lambda *_: None))


def test_an_entry_is_a_line_and_comes_once(tmp_path: Path) -> None:
    assert list(dictionaries.read(package(tmp_path / "x.deb"), "subject")) == LINES


def test_a_text_is_made_from_a_package_that_lies_beside_it(tmp_path: Path, data: Path) -> None:
    made = package(data / "dict-subject_1-1_all.deb")
    found = subject(tmp_path, hashlib.sha256(made.read_bytes()).hexdigest())
    assert fetch(found) == [("dapt/law.txt", True)]
    assert (data / "law.txt").read_text().splitlines() == LINES
    assert fetch(found) == [("dapt/law.txt", False)]


def test_another_package_and_one_without_the_dictionary_are_refused(tmp_path: Path, data: Path) -> None:
    made = package(data / "dict-subject_1-1_all.deb", "other")
    with pytest.raises(FetchError, match="not the pinned package"):
        fetch(subject(tmp_path, "00"))
    with pytest.raises(FetchError, match="no dictionary subject"):
        fetch(subject(tmp_path, hashlib.sha256(made.read_bytes()).hexdigest()))
    made.write_bytes(b"!<arch>\nno archive at all, but long enough for one header to be read from")
    with pytest.raises(FetchError, match="no dictionary subject"):
        list(dictionaries.read(made, "subject"))
    assert not (data / "law.txt").exists()


def test_without_apt_get_the_error_says_where_the_package_belongs(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match="no apt-get here") as caught:
        fetch(subject(tmp_path, "00"))
    assert str(data / "dict-subject_1-1_all.deb") in (caught.value.hint or "")


def test_apt_get_fetches_the_version_that_is_pinned(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = package(tmp_path / "made.deb")
    script = tmp_path / "apt-get"
    script.write_text(
        f'#!/bin/sh\ntest "$*" = "download dict-subject=1-1" || {{ echo "E: $*" >&2; exit 1; }}\n'
        f"exec cp {made} dict-subject_1-1_all.deb\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    found = subject(tmp_path, hashlib.sha256(made.read_bytes()).hexdigest())
    assert fetch(found) == [("dapt/law.txt", True)]
    script.write_text("#!/bin/sh\necho 'E: Version not found' >&2\nexit 100\n")
    (data / "law.txt").unlink()
    with pytest.raises(FetchError, match="E: Version not found"):
        fetch(found)


def test_an_origin_needs_an_address_or_a_package(tmp_path: Path) -> None:
    subject(tmp_path, "00")
    path = tmp_path / "b.toml"
    path.write_text(path.read_text().replace('package = "dict-subject"\n', ""))
    with pytest.raises(DataError, match=r"fetch\.url is missing"):
        benchmark.load(str(path))
