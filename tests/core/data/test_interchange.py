from __future__ import annotations

from dataclasses import replace

import pytest

from cdner_bench.data import Benchmark
from cdner_bench.data.interchange import from_datasets, to_datasets
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


def test_other_tables_are_refused() -> None:
    table = datasets.DatasetDict({"train": datasets.Dataset.from_dict({"tokens": [["Ada"]], "ner_tags": [["O"]]})})
    with pytest.raises(DataError, match="'ner_tags' with class labels"):
        from_datasets("x", table)
