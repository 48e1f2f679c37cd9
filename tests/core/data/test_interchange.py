from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from cdner_bench import Entity, Sentence
from cdner_bench.data import Benchmark
from cdner_bench.data.interchange import find_scheme, from_datasets, to_datasets
from cdner_bench.errors import DataError

datasets = pytest.importorskip("datasets")


def test_a_corpus_survives_the_round_trip(mini: Benchmark) -> None:
    corpus = replace(mini.corpus("science"), resources={})
    there = to_datasets(corpus)
    assert there["test"].features["ner_tags"].feature.names[:3] == [
        "O",
        "B-academicjournal",
        "I-academicjournal",
    ]
    assert from_datasets("science", there) == corpus


def table(tags: Sequence[Sequence[object]], names: list[str] | None = None) -> Any:
    """One split, `train`, of tokens `a`, `b` and so on."""
    columns = {"tokens": [list("abcdef")[: len(row)] for row in tags], "ner_tags": tags}
    features = {"tokens": datasets.List(datasets.Value("string"))}
    kind = (
        datasets.ClassLabel(names=names)
        if names
        else datasets.Value("string" if isinstance(tags[0][0], str) else "int64")
    )
    features["ner_tags"] = datasets.List(kind)
    return datasets.DatasetDict({"train": datasets.Dataset.from_dict(columns, features=datasets.Features(features))})


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("B-x I-x O B-y O", "IOB2"),
        ("B-x E-x O S-y O", "IOBES"),
        ("B-x L-x O U-y O", "BILOU"),
        ("B-x E-x O W-y O", "BMEWO"),
        ("I-x I-x O I-y O", "IO"),
        ("x x O y O", "IO"),
        ("x-B x-I O y-B O", "IOB2"),
    ],
)
def test_every_scheme_gives_the_same_entities(tags: str, scheme: str) -> None:
    names = list(dict.fromkeys(["O", *tags.split()]))
    for found in (table([tags.split()]), table([[names.index(tag) for tag in tags.split()]], names)):
        assert find_scheme(found) == scheme
        corpus = from_datasets("d", found)
        assert corpus.train == (Sentence("d/train/0", tuple("abcde"), (Entity(0, 2, "x"), Entity(3, 4, "y"))),)
        assert set(corpus.types) == {"x", "y"}


def test_types_that_no_sentence_has_are_kept() -> None:
    assert from_datasets("d", table([[0]], ["O", "B-x", "I-x", "B-y"])).types == ("x", "y")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (table([[-100, 1]], ["O", "B-x"]), "row 0: the label -100 has no name"),
        (table([[0]], None), "numbers without names"),
        (table([["B-x", "I-y"]]), "row 0: 'I-y' cannot follow 'B-x'"),
        (table([["B-x", "L-x", "E-x"]]), "which no scheme has together"),
        (table([["NN", "VB"]]), "none begins with B- or I-"),
        (table([["x", "O"]]).rename_column("ner_tags", "tags"), "no columns 'tokens' and 'ner_tags'"),
    ],
)
def test_other_tables_are_refused(found: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_datasets("x", found)


def test_a_scheme_can_be_named() -> None:
    with pytest.raises(DataError, match="is no tag of the scheme IO"):
        from_datasets("d", table([["B-x", "I-x"]]), scheme="IO")


def test_dev_may_be_called_so() -> None:
    """As well as `validation`, but not beside it."""
    (rows,) = table([["B-x"]]).values()
    for name in ("dev", "validation"):
        corpus = from_datasets("d", datasets.DatasetDict({name: rows}))
        assert corpus.dev == (Sentence("d/dev/0", ("a",), (Entity(0, 1, "x"),)),)
    with pytest.raises(DataError, match="the splits 'dev' and 'validation' are both there"):
        from_datasets("d", datasets.DatasetDict({"dev": rows, "validation": rows}))
