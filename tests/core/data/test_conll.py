from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdner_bench import Entity, Sentence, conll
from cdner_bench.data import SPLITS, Benchmark
from cdner_bench.data.readers import read_sentences
from cdner_bench.errors import DataError
from strategies import TYPES, sentences

GOOD = "Ada\tB-person\nLovelace\tI-person\nwrote\tO\n\nParis\tB-location\n\n"


def read(tmp_path: Path, data: bytes | str) -> list[Sentence]:
    path = tmp_path / "x.txt"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_sentences(path, "x/test", {"person", "location"})


def test_reads_sentences(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD) == [
        Sentence("x/test/0", ("Ada", "Lovelace", "wrote"), (Entity(0, 2, "person"),)),
        Sentence("x/test/1", ("Paris",), (Entity(0, 1, "location"),)),
    ]


@pytest.mark.parametrize(
    "data",
    [
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\r\n"),
        "\n\n" + GOOD.replace("\n\n", "\n\n\n"),
        b"\xef\xbb\xbf" + GOOD.encode(),
    ],
    ids=["no final newline", "Windows line ends", "extra blank lines", "byte order mark"],
)
def test_accepts_harmless_differences(tmp_path: Path, data: bytes | str) -> None:
    assert read(tmp_path, data) == read(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("Ada\tB-person\nLovelace\n", r"x\.txt:2: .* found 1 column where line 1 has 2"),
        ("Ada\tB-person\nLovelace\tx\tO\n", r"x\.txt:2: .* found 3 columns where line 1 has 2"),
        ("Ada\n", r"x\.txt:1: .* found 1 column:"),
        ("A\tB-person\nl\tO\nL\tI-person\n", r"x\.txt:3: 'I-person' cannot follow 'O'"),
        ("Ada\tB-person\nL\tI-location\n", r"x\.txt:2: 'I-location' cannot follow 'B-person'"),
        ("Ada\tB-person\n\nL\tI-person\n", r"x\.txt:3: 'I-person' cannot follow 'O'"),
        ("Ada\tB-persn\n", r"x\.txt:1: unknown entity type 'persn'"),
        ("Ada\tperson\n", r"x\.txt:1: 'person' is not a tag"),
        ("Ada\tB-\n", r"x\.txt:1: 'B-' is not a tag"),
        (b"Ada\tO\nCaf\xe9\tO\n", r"x\.txt:2: byte 0xe9 is not UTF-8"),
    ],
)
def test_says_what_is_wrong_and_where(tmp_path: Path, data: bytes | str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, data)


def test_a_misspelt_type_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, "Ada\tB-persn\n")
    assert caught.value.hint == "did you mean 'person'?"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*gone\.txt: No such file"):
        read_sentences(tmp_path / "gone.txt", "x")


@given(st.lists(sentences(), min_size=1, max_size=4))
def test_writing_and_reading_is_the_identity(found: list[Sentence]) -> None:
    import tempfile

    named = [Sentence(f"x/{n}", s.tokens, s.entities) for n, s in enumerate(found)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.txt"
        conll.write(path, named)
        assert read_sentences(path, "x", TYPES) == named


@given(sentences())
def test_tags_and_chunks_are_inverse(sentence: Sentence) -> None:
    assert conll.chunks(conll.tags(sentence.entities, len(sentence.tokens))) == sentence.entities


def test_illegal_tags_are_read_as_conlleval_does() -> None:
    assert conll.chunks(["I-a", "I-a", "I-b", "O", "I-b"]) == (
        Entity(0, 2, "a"),
        Entity(2, 3, "b"),
        Entity(4, 5, "b"),
    )


def test_writing_real_corpora_gives_their_lines(crossner: Benchmark, tmp_path: Path) -> None:
    for name, domain in crossner.domains.items():
        for split in SPLITS:
            conll.write(tmp_path / "x.txt", getattr(crossner.corpus(name), split))
            written, published = (p.read_bytes().split() for p in (tmp_path / "x.txt", domain.splits[split].location))
            assert written == published
