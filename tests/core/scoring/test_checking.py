"""What text cannot carry is said before anything runs; a benchmark file may have other words for types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench import Corpus, Entity, Sentence, text2text
from cdner_bench.data import Benchmark, benchmark
from cdner_bench.data.readers import read_file
from cdner_bench.errors import DataError
from cdner_bench.scoring import Report, judge_by_benchmark


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("award, film", "a comma or a bracket"),
        ("law (EU)", "a comma or a bracket"),
        ("law)", "a comma or a bracket"),
        ("two\nlines", "a line break"),
        ("a  b", "white space at an end or twice"),
        (" a", "white space at an end or twice"),
        ("x" * 61, "more than 60 characters"),
    ],
)
def test_a_type_that_text_cannot_carry_is_refused(kind: str, reason: str) -> None:
    with pytest.raises(DataError, match="cannot be carried by text") as caught:
        text2text.check([Corpus("law", ("person", kind))])
    assert reason in str(caught.value)
    assert "[domains.law.labels]" in (caught.value.hint or "")


@pytest.mark.parametrize("kind", ["person", "music genre", "geo-loc", "a/b", "x" * 60, "Ort", "人", "C++", "a.b", "3d"])
def test_other_types_are_carried(kind: str) -> None:
    assert text2text.check([Corpus("law", (kind,))]) == []


def test_entities_that_text_cannot_carry_are_counted() -> None:
    train = (
        Sentence("a", ("Ada", "met", "Ada"), (Entity(2, 3, "person"),)),
        Sentence("b", ("Bo",), (Entity(0, 1, "person"),)),
    )
    (remark,) = text2text.check([Corpus("law", ("person",), train)])
    assert remark.startswith("text cannot carry 1 of 2 gold entities of law")


def test_the_shipped_corpora_lose_nothing(mini: Benchmark) -> None:
    assert text2text.check([mini.corpus(name) for name in mini.domains]) == []


DATA = "Ada\tB-per, nat\nLovelace\tI-per, nat\nwrote\tO\n"
FILE = """\
name = "law"
{labels}
[domains.law]
train = "law.txt"
dev = "law.txt"
test = "law.txt"
{more}
[settings.single]
sources = []
targets = ["law"]
"""


def own(folder: Path, labels: str) -> Benchmark:
    (folder / "law.txt").write_text(DATA)
    (folder / "law.toml").write_text(FILE.format(labels="", more=labels))
    return benchmark.load(str(folder / "law.toml"))


def test_a_benchmark_file_may_name_types_in_other_words(tmp_path: Path) -> None:
    data = own(tmp_path, '[domains.law.labels]\n"per, nat" = "natural person"\n')
    corpus = data.corpus("law")
    assert corpus.types == ("natural person",)
    assert corpus.test[0].entities == (Entity(0, 2, "natural person"),)
    assert text2text.check([corpus]) == []
    assert data.fingerprint(data.list_scenarios("single")[0]) != own(tmp_path, "").fingerprint(
        data.list_scenarios("single")[0]
    )


def test_predictions_may_have_the_types_of_the_files(tmp_path: Path) -> None:
    data = own(tmp_path, '[domains.law.labels]\n"per, nat" = "natural person"\n')
    said = read_file(tmp_path / "law.txt")
    report = Report(said, judge_by_benchmark(said, data, "law", "test"))
    assert report.scores.counts().f1 == report.scores.counts("seqeval-default").f1 == 100


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ('[domains.law.labels]\nper = "x"\n', "there is no type 'per'"),
        ('[domains.law.labels]\n"per, nat" = "per, nat"\n', "stands for two types"),
        ('[domains.law.labels]\n"per, nat" = 3\n', "a label is a word"),
    ],
)
def test_wrong_labels_are_named(labels: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        own(tmp_path, labels).corpus("law")


def test_labels_change_no_other_domain(mini: Benchmark) -> None:
    domain = replace(mini.domain("ai"), labels={"algorithm": "method of computing"})
    other = replace(mini, domains={**mini.domains, "ai": domain}, _read={})
    assert "method of computing" in other.corpus("ai").types
    assert other.corpus("music").types == mini.corpus("music").types
