from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
from hypothesis import given

from cdner_bench import Entity, Prediction, Sentence
from cdner_bench.data.readers import read_file
from cdner_bench.errors import CdnerError, PredictionError
from cdner_bench.scoring import encode, read_own
from cdner_bench.scoring.judging import judge_by_file, match_ids, match_order
from cdner_bench.scoring.predictions import decode
from strategies import TYPES, pairs

GOLD = [Sentence(f"ai/test/{n}", ("Ada", "met", "Alan"), (Entity(0, 1, "person"),)) for n in range(2)]


def split_of(sentence_id: str) -> tuple[Sequence[Sentence], Collection[str]]:
    if not sentence_id.startswith("ai/test/"):
        raise PredictionError(f"unknown sentence {sentence_id!r}")
    return GOLD, TYPES


def jsonl(tmp_path: Path, *records: object) -> Path:
    path = tmp_path / "p.jsonl"
    path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in records))
    return path


@given(pairs())
def test_encoding_is_lossless(found: list[tuple[Sentence, Prediction]]) -> None:
    for sentence, prediction in found:
        assert decode(encode(prediction), sentence, TYPES) == prediction


def test_spans_objects_and_generated_text_are_read(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path,
        {"id": "ai/test/1", "raw": "(person, Alan) (city, Ada)"},
        {"id": "ai/test/0", "entities": [[0, 1, "person"], {"start": 2, "end": 3, "type": "planet"}]},
    )
    ((_, (first, second)),) = match_ids(read_file(path), split_of)
    assert first == Prediction("ai/test/0", (Entity(0, 1, "person"), Entity(2, 3, "planet")))
    assert (second.entities, second.rejected[0].reason) == ((Entity(2, 3, "person"),), "unknown type")


GOOD = {"id": "ai/test/0", "entities": []}


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([GOOD], "1 sentences have no prediction, the first is ai/test/1"),
        ([GOOD, GOOD], r"p\.jsonl:2: a second prediction for ai/test/0"),
        ([GOOD, {"id": "ai/test/7", "entities": []}], r"p\.jsonl:2: unknown sentence 'ai/test/7'"),
        ([{"id": "x/0", "entities": []}], r"p\.jsonl:1: unknown sentence 'x/0'"),
        ([{"id": 3, "entities": []}], r"p\.jsonl:1: unknown sentence '3'"),
        ([{"id": "ai/test/0"}], r"p\.jsonl:1: there are no labels among 'id'"),
        (["{nonsense"], r"p\.jsonl:1: not JSON"),
        (["[1]"], r"p\.jsonl: item 1: not a JSON object"),
        ([{"id": "ai/test/0", "entities": [[0, 9, "person"]]}], r"p\.jsonl:1: .*ends outside the sentence"),
        ([{"id": "ai/test/0", "entities": [[2, 1, "person"]]}], r"p\.jsonl:1: not a span of tokens"),
        ([{"id": "ai/test/0", "entities": [["0", 1, "person"]]}], r"p\.jsonl:1: not an entity"),
        ([{"id": "ai/test/0", "entities": [], "raw": 5}], r"p\.jsonl:1: 'raw' is not text"),
        ([{"id": "ai/test/0", "entities": [], "tags": ["O"]}], r"p\.jsonl:1: 1 tags, and ai/test/0 has 3 tokens"),
        (["[" * 100_000], r"p\.jsonl:1: not JSON"),
        ([{"id": "ai/test/0", "entities": "none"}], r"p\.jsonl:1: the labels are no list: \"none\""),
        ([], "has no sentences: it is empty"),
    ],
)
def test_a_bad_file_says_where(tmp_path: Path, records: list[object], message: str) -> None:
    with pytest.raises(CdnerError, match=message):
        match_ids(read_file(jsonl(tmp_path, *records)), split_of)


def test_bio_files(tmp_path: Path) -> None:
    path = tmp_path / "p.bio"
    path.write_text("Ada\tI-person\nmet\tO\nAlan\tB-planet\n\nAda\tO\nmet\tO\nAlan\tO\n")
    first, second = match_order(read_file(path), (GOLD, TYPES))
    assert first.entities == (Entity(0, 1, "person"), Entity(2, 3, "planet"))
    assert first.tags == ("I-person", "O", "B-planet")
    assert second.entities == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ada\tO\n", "has 1 sentences, the gold split has 2"),
        ("Ada\tO\n\nAda\tO\n", "1 of the 3 tokens of ai/test/0: the sentence was cut"),
        ("Ada O\nmeet O\nAlan O\n\nAda O\n", "token 2 is 'meet' here, 'met' in gold"),
    ],
)
def test_a_bio_file_must_repeat_the_sentences(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.bio").write_text(text)
    with pytest.raises(CdnerError, match=message):
        match_order(read_file(tmp_path / "p.bio"), (GOLD, TYPES))


IDS: list[dict[str, object]] = [
    {"id": "a", "tokens": ["Ada"], "entities": [[0, 1, "x"]]},
    {"id": "b", "tokens": ["met"], "entities": []},
]
SAID: list[dict[str, object]] = [{"id": "b", "entities": []}, {"id": "a", "entities": [[0, 1, "x"]]}]


def test_ids_of_gold_match_predictions_in_any_order(tmp_path: Path) -> None:
    """Where gold and predictions have ids of their own, these say which sentence is which; the report has gold's."""
    gold = jsonl(tmp_path, *IDS).rename(tmp_path / "gold.jsonl")
    ((_, said),) = judge_by_file(read_file(jsonl(tmp_path, *SAID)), gold).parts
    assert [(p.sentence_id, p.entities) for p in said] == [("a", (Entity(0, 1, "x"),)), ("b", ())]


@pytest.mark.parametrize(
    ("gold", "said", "message"),
    [
        (IDS, [*SAID, SAID[0]], r"p\.jsonl:3: a second prediction for b"),
        (IDS, SAID[:1], "1 sentences have no prediction, the first is a"),
        (IDS, [SAID[0], {"id": "c", "entities": []}], r"p\.jsonl:2: unknown sentence 'c'"),
        (IDS, [SAID[0], {"entities": []}], r"p\.jsonl:2: 'id' is missing"),
        ([IDS[0], {**IDS[1], "id": "a"}], SAID, r"gold\.jsonl:2: a second sentence 'a'"),
        ([IDS[0], {"tokens": ["met"], "tags": ["O"]}], [SAID[0], SAID[0]], r"p\.jsonl:2: a second sentence 'b'"),
    ],
)
def test_ids_that_match_no_gold_file_are_errors(
    tmp_path: Path, gold: list[object], said: list[object], message: str
) -> None:
    """Unknown, missing and repeated ids name file and line."""
    path = jsonl(tmp_path, *gold).rename(tmp_path / "gold.jsonl")
    with pytest.raises(CdnerError, match=message):
        judge_by_file(read_file(jsonl(tmp_path, *said)), path)


@pytest.mark.parametrize(
    ("ids", "fails"),
    [((5, 9), False), (("s2", "s1"), False), ((1, 0), True), (("9", "10"), False), (("a/test/1", "a/test/0"), True)],
)
def test_numbers_that_do_not_ascend_are_no_order(tmp_path: Path, ids: tuple[object, object], fails: bool) -> None:
    """Without gold's ids sentences count by position, which numbers out of order contradict unless words confirm it."""
    records = [{"id": name, "entities": []} for name in ids]
    if fails:
        with pytest.raises(PredictionError, match=r"p\.jsonl:2: '.*' stands behind number 1, and gold has no such ids"):
            match_order(read_file(jsonl(tmp_path, *records)), (GOLD, TYPES))
    else:
        assert len(match_order(read_file(jsonl(tmp_path, *records)), (GOLD, TYPES))) == 2
    worded = [{**record, "tokens": s.tokens} for record, s in zip(records, GOLD, strict=True)]
    assert len(match_order(read_file(jsonl(tmp_path, *worded)), (GOLD, TYPES))) == 2


@pytest.mark.parametrize(
    "record",
    [
        {
            "tokens": GOLD[0].tokens,
            "tags": ["S-person", "O", "O"],
            "entities": [{"start": 0, "end": 1, "label": "person"}],
        },
        {"tokens": GOLD[0].tokens, "raw": "Ada met Alan", "entities": [[0, 1, "person"]]},
        {"text": "Ada met Alan", "cut": True, "label": [[0, 3, "person"]]},
        {"tags": ["S-person", "O", "O"], "entities": [{"start_token": 0, "end_token": 1, "label": "person"}]},
        {"tags": ["B-person", "O", "O"], "entities": [[0, 1, "person"]], "cut": []},
        {"tokens": GOLD[0].tokens, "raw": "(person, Ada)"},
    ],
)
def test_records_of_others_are_no_lines_of_our_own(tmp_path: Path, record: dict[str, object]) -> None:
    """Keys that our prediction files have too mean what they mean there only if the rest of the record is as there."""
    found, _ = match_order(read_file(jsonl(tmp_path, record, record)), (GOLD, TYPES))
    assert found.entities == GOLD[0].entities
    assert found.tags in (None, ("B-person", "O", "O"))
    assert found.raw in (None, "(person, Ada)")


def test_tags_that_contradict_spans_are_refused(tmp_path: Path) -> None:
    """In a line of our own, tags are those of its spans."""
    record = {"entities": [[0, 1, "person"]], "tags": ["O", "O", "B-person"]}
    with pytest.raises(PredictionError, match=r"p\.jsonl:1: the tags of ai/test/0 say other spans than its entities"):
        match_order(read_file(jsonl(tmp_path, record, record)), (GOLD, TYPES))


@pytest.mark.parametrize(
    ("number", "tokens", "message", "hint"),
    [
        (0, ["A", "da", "met", "Alan"], "token 1 is 'A' here, 'Ada' in gold", "cut into other tokens"),
        (1, ["Ada", "met", "Al\u0061\u0301n"], r"token 3 is 'Ala\\u0301n' here, 'Al\\xe1n' in gold", "form NFC"),
    ],
)
def test_tokens_that_differ_in_form_only(
    tmp_path: Path, number: int, tokens: list[str], message: str, hint: str
) -> None:
    """The hint says whether the sentence is cut otherwise or its characters are written otherwise."""
    gold = [Sentence("a", ("Ada", "met", "Alan")), Sentence("b", ("Ada", "met", "Al\xe1n"))]
    records = [{"tokens": s.tokens, "entities": []} for s in gold]
    records[number] = {"tokens": tuple(tokens), "entities": []}
    with pytest.raises(PredictionError, match=message) as caught:
        match_order(read_file(jsonl(tmp_path, *records)), (gold, TYPES))
    assert hint in (caught.value.hint or "")


def test_types_may_have_spaces_and_text_may_be_broken() -> None:
    sentence = Sentence("a", ("x", "y"), (Entity(0, 2, "legal act"),))
    said = Prediction("a", sentence.entities, raw="\ud800 half a character", tags=("B-legal act", "I-legal act"))
    line = encode(said)
    assert line.encode("utf-8")
    assert decode(line, sentence, {"legal act"}) == said


@pytest.mark.parametrize(
    "second",
    ["{nonsense\n", '{"id": "ai/test/7", "entities": []}\n', '{"id": "ai/test/1", "entities": [[0, 9, "x"]]}\n'],
)
def test_what_follows_a_damaged_line_is_asked_for_again(tmp_path: Path, second: str) -> None:
    path = tmp_path / "predictions.jsonl"
    first = encode(Prediction(GOLD[0].id)) + "\n"
    path.write_text(first + second)
    found, size = read_own(path, GOLD, TYPES)
    assert ([p.sentence_id for p in found], size) == (["ai/test/0"], len(first))


def test_what_was_not_seen_is_written_where_there_is_some() -> None:
    sentence = Sentence("d/test/0", ("a", "b", "c"))
    for unseen in (0, 2, 3):
        line = encode(Prediction(sentence.id, unseen=unseen))
        assert ("unseen" in line) == (unseen > 0)
        assert decode(line, sentence, ["x"]).unseen == unseen
    assert decode('{"raw": "", "unseen": 2}', sentence, ["x"]).unseen == 2
    for wrong in ("-1", "4", "true", '"2"', "1.0", "null"):
        with pytest.raises(PredictionError, match="it is how many of the 3 tokens were not read"):
            decode(f'{{"entities": [], "unseen": {wrong}}}', sentence, ["x"])


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    lines = [encode(Prediction(s.id, s.entities)) + "\n" for s in GOLD]
    path.write_text(lines[0] + lines[1][:-5])
    found, size = read_own(path, GOLD, TYPES)
    assert [p.sentence_id for p in found] == ["ai/test/0"]
    assert size == len(lines[0])
