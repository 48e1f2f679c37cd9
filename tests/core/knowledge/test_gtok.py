"""GTOK corpora: the released shape, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdner_bench import Corpus, Entity, Sentence, gtok
from cdner_bench.data import Benchmark
from cdner_bench.errors import DataError

TARGETS = ("ai", "literature", "music", "politics", "science")


def sentence(name: str, text: str) -> Sentence:
    return Sentence(name, tuple(text.split()), (Entity(0, 1, "person"),))


CORPUS = Corpus(
    "tiny",
    ("person", "place"),
    train=(sentence("a", "Ada thinks ."), sentence("t", "Both know .")),
    dev=(sentence("d", "Dev knows ."),),
    test=(sentence("b", "Bob waits ."), sentence("u", "Both know .")),
)


def write(path: Path, *records: object) -> Path:
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def record(text: str = "Ada thinks .", word: str = "Ada", label: str = "person", why: str = "She thinks.") -> object:
    return {"text": text, "explanations": [{"word": word, "label": label, "explanation": why}]}


def test_reads_the_released_shape(tmp_path: Path) -> None:
    path = write(tmp_path / "g.json", record(), {"text": "Nobody .", "explanations": []})
    assert gtok.read(path, CORPUS) == [gtok.Explanation("Ada thinks .", "Ada", "person", "She thinks.")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not a GTOK corpus"),
        ("3", "holds no list of records"),
        ("[]", "holds no explanations"),
        ('[{"text": "x"}]', "record 0: not of the shape"),
        ('[{"text": "x", "explanations": [{"word": "x", "label": "y"}]}]', "'explanation'"),
        ('[{"text": "x", "explanations": [{"word": 3, "label": "y", "explanation": "z"}]}]', "a field is not a text"),
        ('[{"text": 5, "explanations": []}]', "a field is not a text"),
    ],
)
def test_another_shape_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "g.json").write_text(content)
    with pytest.raises(DataError, match=said):
        gtok.read(tmp_path / "g.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json is not a GTOK corpus"):
        gtok.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"word": "Eve"}, "record 1: the entity 'Eve' is not in its sentence 'Ada thinks .'"),
        ({"why": " "}, "the explanation of 'Ada' is empty"),
        ({"label": "plaice"}, "'plaice' is not a type of tiny"),
        ({"text": "Dev  knows .", "word": "Dev"}, "dev or test sentence of tiny, which is a leak: 'Dev  knows .'"),
        ({"text": "Bob waits .", "word": "Bob"}, "which is a leak: 'Bob waits .'"),
    ],
)
def test_what_does_not_belong_is_refused(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    path = write(tmp_path / "g.json", record(), record(**changed))
    with pytest.raises(DataError) as caught:
        gtok.read(path, CORPUS.without_test())
    assert said in str(caught.value)


def test_a_test_sentence_that_is_also_a_train_sentence_is_no_leak(tmp_path: Path) -> None:
    path = write(tmp_path / "g.json", record(text="Both know .", word="Both"))
    assert len(gtok.read(path, CORPUS.without_test())) == 1


def test_the_test_split_cannot_be_read_out_of_what_a_method_gets() -> None:
    seen = CORPUS.without_test()
    assert seen.test == ()
    assert "Bob" not in repr(seen)
    assert seen.withholds("Bob waits .")
    assert not seen.withholds("Ada thinks .")


def test_explanations_of_sentences_that_deduplication_removed_are_left_out(tmp_path: Path) -> None:
    from cdner_bench.hashing import digest

    corpus = Corpus("tiny", CORPUS.types, CORPUS.train[:1], removed=frozenset([digest("Both know .")])).without_test()
    path = write(tmp_path / "g.json", record(), record(text="Both know .", word="Both"))
    assert [e.sentence for e in gtok.read(path, corpus)] == ["Ada thinks ."]


@pytest.mark.parametrize("name", TARGETS)
def test_the_deduplicated_benchmark_leaves_some_out(name: str, crossner: Benchmark) -> None:
    from cdner_bench.data import benchmark

    corpus = benchmark.load("crossner-dedup").corpus(name)
    if "gtok" not in corpus.resources:
        pytest.skip("the released GTOK corpora are not here")
    found = gtok.read(corpus.resources["gtok"], corpus.without_test())
    everything = gtok.read(corpus.resources["gtok"])
    kept = {s.text for s in corpus.train}
    assert {e.sentence for e in found} <= kept
    assert [e for e in everything if e.sentence in kept] == found
    assert (len(found) < len(everything)) == (name in ("music", "science"))


@pytest.mark.parametrize("name", TARGETS)
def test_the_released_corpora_are_read(name: str, crossner: Benchmark) -> None:
    corpus = crossner.corpus(name)
    if "gtok" not in corpus.resources:
        pytest.skip("the released GTOK corpora are not here")
    found = gtok.read(corpus.resources["gtok"], corpus.without_test())
    assert len(found) == {"ai": 446, "literature": 356, "music": 434, "politics": 602, "science": 611}[name]
    gold = {(s.surface(e), e.type) for s in corpus.train for e in s.entities}
    assert {(e.span, e.type) for e in found} <= gold
