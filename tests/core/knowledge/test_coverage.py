"""Corpora of explanations: the paper's counts, and what must not be learnt from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench import Corpus, Entity, Sentence, gtok, knowledge
from cdner_bench.data import Benchmark
from cdner_bench.errors import DataError
from cdner_bench.knowledge import Explanation, Record, TypeCount, leaks
from cdner_bench.knowledge.leaks import HELD_OUT, NO_GOLD, SENTENCE, HeldOut

TARGETS = ("ai", "literature", "music", "politics", "science")
TOKENS = {"ai": 66_882, "literature": 48_264, "music": 57_131, "politics": 72_059, "science": 83_627}
EXPLANATIONS = {"ai": 446, "literature": 356, "music": 434, "politics": 602, "science": 611}
PRINTED = {"ai": "4.46", "literature": "3.56", "music": "4.34", "politics": "6.02", "science": "6.11"}
CORRECTED = {**PRINTED, "politics": "3.01", "science": "3.06"}  # 3.055
FAIL_RATES = {"ai": "0.16", "literature": "0.34", "music": "0.33", "politics": "0.54", "science": "0.43"}
SENTENCES = {"ai": "28.1", "literature": "20.4", "music": "24.3", "politics": "20.4", "science": "18.1"}


def sentence(name: str, text: str, *entities: tuple[int, int, str]) -> Sentence:
    return Sentence(name, tuple(text.split()), tuple(Entity(*e) for e in entities))


CORPUS = Corpus(
    "tiny",
    ("person", "place", "thing"),
    train=(
        sentence("t0", "Ada Lovelace met an American .", (0, 2, "person")),
        sentence("t1", "Paris has trees .", (0, 1, "place"), (2, 3, "thing")),
        sentence("t2", "Both know .", (0, 1, "person")),
    ),
    dev=(
        sentence("d0", "Bob saw America and engine in Ada .", (0, 1, "person"), (2, 3, "place"), (4, 5, "thing")),
        sentence("d1", "Both know .", (0, 1, "person")),
    ),
    test=(sentence("e0", "New York : steam engine of Jean-Luc .", (0, 2, "place"), (3, 5, "thing"), (6, 7, "person")),),
)


def record(*explanations: tuple[str, str, str], text: str = "Ada Lovelace met an American .") -> Record:
    return Record(text, tuple(Explanation(text, *e) for e in explanations))


ADA = ("Ada Lovelace", "person", "She met somebody.")


# --- statistics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TARGETS)
def test_tables_1_and_3_of_the_paper(name: str, crossner: Benchmark) -> None:
    corpus = crossner.corpus(name)
    if "gtok" not in corpus.resources:
        pytest.skip("the released GTOK corpora are not here")
    found = knowledge.statistics(gtok.records(corpus.resources["gtok"]), corpus)
    assert (found.tokens, found.total.explained) == (TOKENS[name], EXPLANATIONS[name])
    assert f"{found.per_hundred:.2f}" == PRINTED[name]
    assert f"{found.per_train_sentence + 1e-9:.2f}" == CORRECTED[name]
    assert f"{found.total.fail_rate:.2f}" == FAIL_RATES[name]
    assert f"{found.sentences_per_text:.1f}" == SENTENCES[name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ai", TypeCount("programlang", 25, 10)),
        ("literature", TypeCount("misc", 58, 10)),
        ("music", TypeCount("person", 15, 0)),
        ("politics", TypeCount("politicalparty", 195, 15)),
        ("science", TypeCount("misc", 169, 13)),
    ],
)
def test_fail_rates_depend_on_the_type(name: str, expected: TypeCount, crossner: Benchmark) -> None:
    corpus = crossner.corpus(name)
    if "gtok" not in corpus.resources:
        pytest.skip("the released GTOK corpora are not here")
    found = knowledge.statistics(gtok.records(corpus.resources["gtok"]), corpus)
    assert [t for t in found.types if t.type == expected.type] == [expected]


def test_counts() -> None:
    records = [
        record(ADA, ("Ada Lovelace", "robot", "Is she?  Yes. And 3.5 more")),
        record(("Paris", "place", " \n"), text="Paris has trees ."),
        record(text="Both know ."),
    ]
    found = knowledge.statistics(records, CORPUS)
    assert (found.texts, found.tokens, found.sentences, found.train_sentences) == (3, 9, 3, 3)
    assert found.types == (
        TypeCount("person", 2, 1),
        TypeCount("place", 1, 0),
        TypeCount("thing", 1, 0),
        TypeCount("robot", 0, 1),
    )
    assert (found.total, found.per_hundred) == (TypeCount("all", 4, 2), 0.02)
    assert [t.fail_rate for t in found.types] == [0.5, 1.0, 1.0, None]
    empty = knowledge.statistics([], Corpus("none", ()))
    assert (empty.per_train_sentence, empty.sentences_per_text, empty.total.fail_rate) == (0.0, 0.0, None)


@pytest.mark.parametrize("name", ["music", "science"])
def test_what_deduplication_removed_is_not_counted_and_leaks_nothing(name: str, crossner: Benchmark) -> None:
    from cdner_bench.data import benchmark

    corpus = benchmark.load("crossner-dedup").corpus(name)
    if "gtok" not in corpus.resources:
        pytest.skip("the released GTOK corpora are not here")
    records = gtok.records(corpus.resources["gtok"])
    kept = gtok.read(corpus.resources["gtok"], corpus.without_test())
    assert knowledge.statistics(records, corpus).total.explained == len(kept) < EXPLANATIONS[name]
    assert {f.reason for f in HeldOut(corpus).find_leaks(records)} == {HELD_OUT}


# --- files -----------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    records = [record(ADA, ("Ada", "x", "é \ud800 \x00 \u2028")), record(text="")]
    gtok.write(tmp_path / "g.json", records)
    assert gtok.records(tmp_path / "g.json") == records


@pytest.mark.parametrize("name", TARGETS)
def test_the_layout_is_the_released_one(name: str, crossner: Benchmark, tmp_path: Path) -> None:
    path = crossner.corpus(name).resources.get("gtok")
    if path is None:
        pytest.skip("the released GTOK corpora are not here")
    gtok.write(tmp_path / "g.json", gtok.records(path))
    assert (tmp_path / "g.json").read_text().rstrip("\n") == path.read_text().rstrip("\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not a GTOK corpus"),
        ("[" * 100_000, "not a GTOK corpus"),
        ("3", "holds no list of records"),
        ('[{"text": "x", "explanations": []}, 5]', "record 1: not of the shape"),
        ('[{"text": "x", "explanations": 5}]', "record 0: not of the shape"),
        ('[{"text": "x", "explanations": [{"word": "x", "label": "y"}]}]', "'explanation'"),
        ('[{"text": 5, "explanations": []}]', "a field is not a text"),
    ],
)
def test_another_shape_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "g.json").write_text(content)
    with pytest.raises(DataError, match=said):
        gtok.records(tmp_path / "g.json")


# --- leaks -----------------------------------------------------------------------------------------------------------


def test_held_out_is_what_only_dev_or_test_know() -> None:
    assert HeldOut(CORPUS).surfaces == ["Bob", "New York", "steam engine", "Jean-Luc"]
    assert HeldOut(replace(CORPUS, test=())).surfaces == ["Bob"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("She met Bob, of New  York's (Jean-Luc).", ["Bob", "New York", "Jean-Luc"]),
        ("Bob and Bob", ["Bob"]),
        ("a steam\nengine.", ["steam engine"]),
        ("Bobby, bob, BOB, New Yorkers, new york, a steam-engine, Jean, Luc, York New", []),
        ("America, an engine, Ada Lovelace", []),
        ("", []),
    ],
)
def test_mentions_are_whole_words(text: str, named: list[str]) -> None:
    assert HeldOut(CORPUS).find_mentions(text) == named


def test_the_longest_entity_is_the_one_that_is_named() -> None:
    dev = sentence("d", "York saw New York City and New York .", (0, 1, "p"), (2, 5, "p"), (6, 8, "p"))
    found = HeldOut(Corpus("x", ("p",), dev=(dev,)))
    assert found.find_mentions("In New York City, New York, York.") == ["New York City", "New York", "York"]


@pytest.mark.parametrize(
    ("bad", "reason", "detail"),
    [
        (record(("Bob", "person", "He saw."), text="Bob saw America and engine in Ada ."), SENTENCE, "Bob saw"),
        (record(text="New York : steam  engine of Jean-Luc ."), SENTENCE, "New York"),
        (record(("Ada", "person", "She met.")), NO_GOLD, "Ada Lovelace met"),
        (record(("Ada Lovelace", "place", "She met.")), NO_GOLD, "Ada Lovelace met"),
        (record(("Paris", "place", "It is not there.")), NO_GOLD, "Ada Lovelace met"),
        (record(("Ada Lovelace", "person", "She knew New York.")), HELD_OUT, "New York"),
    ],
)
def test_leaks_are_found_with_their_record(bad: Record, reason: str, detail: str) -> None:
    found = list(HeldOut(CORPUS).find_leaks([record(ADA), bad, record(ADA)]))
    assert [(f.record, f.reason) for f in found] == [(1, reason)]
    assert found[0].detail.startswith(detail)
    assert set(leaks.REASONS) >= {reason}


def test_a_train_sentence_that_is_also_a_dev_sentence_is_none() -> None:
    assert not list(HeldOut(CORPUS).find_leaks([record(("Both", "person", "They know."), text="Both know .")]))


def test_a_file_without_findings_is_one_that_methods_read(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    gtok.write(path, [record(ADA)])
    assert leaks.check(path, CORPUS) == []
    path.write_text(json.dumps([{"text": "Paris has trees .", "explanations": []}]))
    with pytest.raises(DataError, match="holds no explanations"):
        leaks.check(path, CORPUS)


@pytest.mark.parametrize(
    ("name", "count"), [("ai", 105), ("literature", 96), ("music", 122), ("politics", 105), ("science", 124)]
)
def test_the_released_corpora_name_held_out_entities_and_leak_nothing_else(
    name: str, count: int, crossner: Benchmark
) -> None:
    corpus = crossner.corpus(name)
    if "gtok" not in corpus.resources:
        pytest.skip("the released GTOK corpora are not here")
    assert [f.reason for f in leaks.check(corpus.resources["gtok"], corpus)] == [HELD_OUT] * count
