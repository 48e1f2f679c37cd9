"""Tag schemes: detection, reading as others read them, and files of every format read back."""

from __future__ import annotations

import gzip
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nervaluate.utils import collect_named_entities
from seqeval.metrics.sequence_labeling import get_entities

from cdner_bench import Entity, Sentence
from cdner_bench.data.readers import WRITERS, convert, read_file, read_sentences
from cdner_bench.data.readers.schemes import LETTERS, Scheme, SchemeError, Tagging, parse
from cdner_bench.errors import DataError
from mutations import SEEDS, mutate, score
from strategies import sentences

MARKS = {"IOB2": ("B", "I", "I", "B"), "IOBES": tuple("BIES"), "BILOU": tuple("BILU"), "BMEWO": tuple("BMEW")}


def write_tags(entities: Sequence[Entity], length: int, scheme: str) -> list[str]:
    """The tags of entities in a scheme: begin, inside, end and single letters."""
    tags = ["O"] * length
    begin, inside, end, single = MARKS.get(scheme, ("I",) * 4)
    before: Entity | None = None
    for entity in entities:
        size = entity.end - entity.start
        letters = single if size == 1 else begin + inside * (size - 2) + end
        if scheme == "IOB1" and before and (before.end, before.type) == (entity.start, entity.type):
            letters = "B" + letters[1:]
        for n, letter in zip(range(entity.start, entity.end), letters, strict=True):
            tags[n] = f"{letter}-{entity.type}"
        before = entity
    return tags


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "IOBES", "BILOU", "BMEWO"])
@given(found=st.lists(sentences(), min_size=1, max_size=4))
def test_every_scheme_is_read_back(scheme: str, found: list[Sentence]) -> None:
    tagged = [write_tags(s.entities, len(s.tokens), scheme) for s in found]
    tagging = Tagging(tagged)
    assert tagging.find_illegal(tagged) is None
    assert [tagging.entities(tags) for tags in tagged] == [s.entities for s in found]


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("B-x I-x O", "IOB2"),
        ("B-x B-x O", "IOB2"),
        ("I-x B-x O", "IOB1"),
        ("I-x I-x O", "IO"),
        ("x x O", "IO"),
        ("B-x I-x E-x O S-x", "IOBES"),
        ("S-x O", "IOBES"),
        ("B-x E-x O", "IOBES"),
        ("B-x I-x L-x U-y", "BILOU"),
        ("U-x O", "BILOU"),
        ("B-x L-x O", "BILOU"),
        ("B-x M-x E-x W-x", "BMEWO"),
        ("B-x M-x E-x S-x", "BMEWO"),
        ("I-x O I-y B-x", "IOB2"),
        ("O O", "IOB2"),
        ("B_x I_x", "IOB2"),
        ("x-B x-I", "IOB2"),
        ("B-geo-loc I-geo-loc", "IOB2"),
    ],
)
def test_the_scheme_is_told_from_the_tags(tags: str, scheme: str) -> None:
    assert Tagging([tags.split()]).scheme == scheme


def test_types_may_have_hyphens() -> None:
    tags = ["B-geo-loc", "I-geo-loc", "O", "B-e-mail"]
    assert Tagging([tags]).entities(tags) == (Entity(0, 2, "geo-loc"), Entity(3, 4, "e-mail"))


@pytest.mark.parametrize("tags", ["B-x L-x E-x", "U-x S-x", "B-x x O", "B-x I", "I-x M-x", "b-x O", "B- O"])
def test_a_mixture_is_refused(tags: str) -> None:
    with pytest.raises(SchemeError):
        Tagging([tags.split()])


@pytest.mark.parametrize(("name", "scheme"), [("bio", "IOB2"), ("BIOES", "IOBES"), ("biluo", "BILOU"), ("io", "IO")])
def test_schemes_have_other_names(name: str, scheme: str) -> None:
    assert parse(name) == scheme


def test_a_scheme_that_is_none_is_named() -> None:
    with pytest.raises(DataError, match="there is no scheme 'BIOX'"):
        parse("BIOX")


any_tags = st.lists(st.sampled_from(["O", *(f"{p}-{t}" for p in "BIES" for t in "xy")]), min_size=1, max_size=14)


@given(any_tags)
def test_legal_or_not_tags_are_read_as_seqeval_reads_them(tags: list[str]) -> None:
    """Seqeval's lenient mode is conlleval's rule, for BIO and for IOBES."""
    scheme = Scheme.IOBES if any(tag[0] in "ES" for tag in tags) else Scheme.IOB2
    theirs = [(start, end + 1, kind) for kind, start, end in get_entities(tags)]
    assert [(e.start, e.end, e.type) for e in Tagging([tags], scheme).entities(tags)] == theirs


@given(st.lists(st.sampled_from(["O", *(f"{p}-{t}" for p in "BI" for t in "xy")]), min_size=1, max_size=14))
def test_bio_is_read_as_nervaluate_reads_it_where_it_is_legal(tags: list[str]) -> None:
    tagging = Tagging([tags], Scheme.IOB2)
    if tagging.find_illegal([tags]) is None:
        theirs = [(e["start"], e["end"] + 1, e["label"]) for e in collect_named_entities(tags)]
        assert [(e.start, e.end, e.type) for e in tagging.entities(tags)] == theirs


def read_as_conlleval(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """conlleval's own rules for the beginning and the end of a chunk, as its manual has them."""
    found: list[tuple[int, int, str]] = []
    start, before, kind_before = 0, "O", ""
    inside = False
    for n, tag in enumerate((*tags, "O")):
        letter, _, kind = tag.partition("-")
        ends = before in "ES" or (before in "BI" and letter in "BSO") or kind != kind_before
        begins = letter in "BS" or (letter in "EI" and (before in "ESO" or kind != kind_before))
        if inside and (ends or begins):
            found.append((start, n, kind_before))
            inside = False
        if begins and letter != "O":
            start, inside = n, True
        before, kind_before = letter, kind
    return found


@given(any_tags)
def test_tags_are_read_as_conlleval_reads_them(tags: list[str]) -> None:
    scheme = Scheme.IOBES if any(tag[0] in "ES" for tag in tags) else Scheme.IOB2
    mine = [(e.start, e.end, e.type) for e in Tagging([tags], scheme).entities(tags)]
    assert mine == read_as_conlleval(tags)


@pytest.mark.parametrize("scheme", LETTERS)
@given(data=st.data())
def test_conversions_to_iob2_keep_the_entities(scheme: Scheme, data: st.DataObject) -> None:
    choices = ["O", *(f"{letter}-{kind}" for letter in LETTERS[scheme] for kind in "xy")]
    tags = data.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=12))
    tagging = Tagging([tags], scheme)
    plain = tagging.as_iob2(tags)
    if plain is not None:
        assert Tagging([plain], Scheme.IOB2).entities(plain) == tagging.entities(tags)


tokens = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Mn", "Mc", "Me", "Cf")), min_size=1, max_size=6
)
kinds = st.sampled_from(["person", "music genre", "geo-loc", "ß", "B-side"])


@st.composite
def corpora(draw: st.DrawFn) -> list[Sentence]:
    found = []
    for n in range(draw(st.integers(1, 4))):
        words = tuple(draw(st.lists(tokens, min_size=1, max_size=8)))
        entities, place = [], 0
        while place < len(words) and draw(st.booleans()):
            start = draw(st.integers(place, len(words) - 1))
            end = draw(st.integers(start + 1, len(words)))
            entities.append(Entity(start, end, draw(kinds)))
            place = end
        found.append(Sentence(f"x/{n}", words, tuple(entities)))
    return found


@pytest.mark.parametrize("to", [*WRITERS, "gzip"])
@settings(max_examples=60)
@given(found=corpora())
def test_every_format_is_read_back(to: str, found: list[Sentence], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Through JSON lines into a format and back: the same tokens and entities, and nothing lost; brat has no tokens, so
    there the entities read the same.
    """
    folder = tmp_path_factory.mktemp("formats")
    lines = folder / "first.jsonl"
    write(lines, found, "jsonl")
    written = convert(read_file(lines), "bio" if to == "gzip" else to)
    assert written.losses == []
    for ending, text in written.files.items():
        data = text.encode()
        (folder / f"x{ending}").write_bytes(gzip.compress(data) if to == "gzip" else data)
    again = folder / ("x.ann" if to == "brat" else "x")
    if to != "brat":
        assert read_sentences(again, "x") == found
        return
    read = read_sentences(again, "x")
    assert [squeeze(s) for s in read] == [squeeze(s) for s in found]


def squeeze(sentence: Sentence) -> list[tuple[str, str]]:
    return [("".join(sentence.surface(e).split()), e.type) for e in sentence.entities]


def write(path: Path, found: Sequence[Sentence], to: str) -> None:
    import json

    assert to == "jsonl"
    records = ({"tokens": s.tokens, "entities": [[e.start, e.end, e.type] for e in s.entities]} for s in found)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")


@pytest.mark.parametrize(
    ("record", "to", "loss"),
    [
        ('{"tokens": ["a", "b"], "entities": [[0, 2, "x"], [1, 2, "y"]]}', "bio", "it overlaps another"),
        ('{"text": "abc d", "label": [[0, 2, "x"]]}', "jsonl", "it begins or ends inside a token"),
    ],
)
def test_what_a_format_cannot_carry_is_said(record: str, to: str, loss: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(record)
    (said,) = convert(read_file(tmp_path / "x.jsonl"), to).losses
    assert said.startswith("1 labels cannot be carried, " + loss)
    assert f"{tmp_path / 'x.jsonl'}:1" in said


@pytest.mark.parametrize("token", ["a\\tb", "\\ud83d", "\\ufeffa"])
@pytest.mark.parametrize("to", ["bio", "brat"])
def test_tokens_that_lines_cannot_hold_are_refused(token: str, to: str, tmp_path: Path) -> None:
    """They would be read as others: half a character would be six, and a mark at the beginning of a file none."""
    (tmp_path / "x.jsonl").write_text(f'{{"tokens": ["{token}"], "entities": []}}')
    with pytest.raises(DataError, match="cannot stand in a file of lines"):
        convert(read_file(tmp_path / "x.jsonl"), to)


def test_a_byte_order_mark_within_a_file_is_a_token(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"tokens": ["a", "\\ufeff"], "entities": []}')
    assert convert(read_file(tmp_path / "x.jsonl"), "bio").files == {"": "a\tO\n\ufeff\tO\n\n"}


def test_mutated_files_never_end_in_a_traceback(tmp_path: Path) -> None:
    """A thousand of them here; `python tests/mutations.py` tries a hundred thousand."""
    (tmp_path / "file.txt").write_text("Ada Lovelace met\nParis is\n")
    rng = random.Random(0)
    path = tmp_path / "file"
    scores = []
    for n in range(1000):
        path.write_bytes(mutate(SEEDS[n % len(SEEDS)], rng))
        scores.append(score(path))
    assert None in scores
    assert 100 in scores
