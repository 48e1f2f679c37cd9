"""A text arrives whole whatever it comes in, and what is no text is named with its place."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdner_bench.errors import DataError, OptionError
from cdner_bench.io import sha256
from cdner_bench.knowledge import Explanation, FileText, GtokText, Record, texts

TEXT = "one two\nthree\n\n  four é\u2003five\r\nlast without a line feed"


def whole(text: FileText, unit: str = "natural") -> str:
    return b"".join(text.blocks(unit)).decode()


def written(tmp_path: Path, data: bytes, name: str = "t.txt") -> FileText:
    (tmp_path / name).write_bytes(data)
    return FileText(tmp_path / name)


@pytest.mark.parametrize("block", [5, 1 << 20])
@pytest.mark.parametrize("packed", ["plain", "gzip", "gzip twice", "zstd", "zstd twice"])
def test_plain_and_compressed_files_are_the_same_text(
    packed: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zstandard = pytest.importorskip("zstandard")
    monkeypatch.setattr(texts, "BLOCK", block)
    data, half = TEXT.encode(), len(TEXT) // 2
    pack = {"gzip": gzip.compress, "zstd": zstandard.compress}.get(packed.split(maxsplit=1)[0], bytes)
    stored = pack(data[:half]) + pack(data[half:]) if packed.endswith("twice") else pack(data)
    text = written(tmp_path, stored, "any-name")
    blocks = list(text.blocks())
    assert b"".join(blocks).decode() == TEXT + "\n"
    assert all(b.endswith(b"\n") for b in blocks)
    assert (text.read, text.size) == (len(stored), len(stored))
    assert text.sha256 == sha256(tmp_path / "any-name")


def test_standard_input_is_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(TEXT.encode()))))
    assert whole(FileText(Path("-"))) == TEXT + "\n"


@given(st.lists(st.text(alphabet="ab .?!\n", max_size=30), max_size=8))
def test_units_change_nothing_but_where_lines_end(explanations: list[str]) -> None:
    records = [Record("s", tuple(Explanation("s", "s", "t", text) for text in explanations))]
    words = " ".join(explanations).split()
    for unit in GtokText.units:
        if words:
            blocks = b"".join(GtokText("g", records).blocks(unit)).decode()
            assert blocks.split() == words
            assert blocks.count("\n") >= (1 if unit == "document" else len(explanations))


def test_units_of_a_file(tmp_path: Path) -> None:
    text = "A one. B two? C\nthree! D 3.5 e\n\n \nF\n"
    sentences = list(written(tmp_path, text.encode()).lines("sentence"))
    assert sentences == [
        "A one.",
        "B two?",
        "C",
        "three!",
        "D 3.5 e",
        "",
        " ",
        "F",
    ]
    assert list(written(tmp_path, text.encode()).lines("document")) == ["A one. B two? C three! D 3.5 e", "F"]
    assert list(written(tmp_path, text.encode()).lines()) == text.removesuffix("\n").split("\n")


def test_a_byte_order_mark_is_no_word(tmp_path: Path) -> None:
    assert whole(written(tmp_path, b"\xef\xbb\xbfa b\n")) == "a b\n"
    with pytest.raises(DataError, match="at byte 4"):
        whole(written(tmp_path, b"\xef\xbb\xbfa\xff\n"))


def test_what_pads_an_archive_is_no_text(tmp_path: Path) -> None:
    assert whole(written(tmp_path, gzip.compress(b"a b\n") + bytes(100_000))) == "a b\n"
    with pytest.raises(DataError, match="at byte 2 of the unpacked text"):
        whole(written(tmp_path, gzip.compress(b"a \xff\n")))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "t.txt holds no text"),
        (gzip.compress(b"", mtime=0), "t.txt holds no text"),
        (b"ok\nab\0c\n", "no text: there is a NUL at byte 5"),
        (b"ok\nab\xffc\n", "not UTF-8 at byte 5: invalid start byte"),
        (b"ok\n" + "é".encode("latin-1") + b"\n", "not UTF-8 at byte 3: invalid continuation byte"),
        ("a b\n".encode("utf-16"), "is UTF-16, not UTF-8"),
        (gzip.compress(b"a b\n" * 1000, mtime=0)[:-20], "is cut off"),
        (b"\x1f\x8bnonsense", "is damaged"),
        (b"\x28\xb5\x2f\xfdnonsense", "is damaged"),
    ],
)
def test_what_is_no_text_is_named(data: bytes, message: str, tmp_path: Path) -> None:
    if data.startswith(b"\x28\xb5"):
        pytest.importorskip("zstandard")
    with pytest.raises(DataError, match=message):
        whole(written(tmp_path, data))


def test_the_place_is_counted_in_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "BLOCK", 16)
    with pytest.raises(DataError, match="at byte 2002"):
        whole(written(tmp_path, b"line\n" * 400 + b"ab\xfe\n"))


def test_what_is_not_utf8_can_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"a\xffb \0 c\n")
    assert whole(FileText(tmp_path / "t", errors="replace")) == "a\ufffdb \0 c\n"


def test_a_truncated_zstd_frame_is_no_whole_text(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    packed = zstandard.compress(b"a b c d e f\n" * 100_000)
    with pytest.raises(DataError, match="is cut off"):
        whole(written(tmp_path, packed[:-10]))


def test_folders_missing_files_and_units_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        whole(FileText(tmp_path))
    with pytest.raises(DataError, match="cannot read"):
        whole(FileText(tmp_path / "none"))
    with pytest.raises(OptionError, match="has no unit 'lines'") as caught:
        whole(written(tmp_path, b"a\n"), "lines")
    assert caught.value.hint == "did you mean 'line'?"


def test_an_enormous_line_is_one_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "BLOCK", 1 << 10)
    (block,) = written(tmp_path, b"word " * 500_000).blocks()
    assert len(block) == 2_500_001
