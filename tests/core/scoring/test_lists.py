"""Lists of tags and of spans: seqeval's numbers, and errors that name the sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from cdner_bench import Counts, Entity, conll, score
from cdner_bench.errors import PredictionError
from strategies import TYPES, spans
from support import ROOT


@st.composite
def tagged(draw: st.DrawFn) -> list[tuple[list[str], list[str]]]:
    """Gold and predicted tags of a few sentences: legal IOB2, at least one entity on each side."""
    found = [(["B-person", "O"], ["O", "B-person"])]
    for _ in range(draw(st.integers(0, 4))):
        length = draw(st.integers(1, 8))
        found.append((conll.tags(draw(spans(length)), length), conll.tags(draw(spans(length)), length)))
    return found


@given(tagged())
def test_equals_seqeval_on_random_tags(found: list[tuple[list[str], list[str]]]) -> None:
    gold, said = [list(side) for side in zip(*found, strict=True)]
    report = score(gold, said)
    for average in ("micro", "macro", "weighted"):
        theirs = precision_recall_fscore_support(gold, said, average=average, scheme=IOB2, zero_division=0)
        ours = report if average == "micro" else report.averages[average]
        expected = [100 * value for value in theirs[:3]]
        assert [ours.precision, ours.recall, ours.f1] == pytest.approx(expected), average
    each = precision_recall_fscore_support(gold, said, average=None, scheme=IOB2, zero_division=0)
    assert [counts.f1 for counts in report.per_type.values()] == pytest.approx([100 * value for value in each[2]])
    assert [counts.tp + counts.fn for counts in report.per_type.values()] == list(each[3])


@given(tagged())
def test_tags_and_their_spans_are_the_same(found: list[tuple[list[str], list[str]]]) -> None:
    gold, said = [list(side) for side in zip(*found, strict=True)]
    by_tags = score(gold, said)
    entities = [conll.chunks(tags) for tags in said]
    triples = [[(e.start, e.end, e.type) for e in conll.chunks(tags)] for tags in gold]
    for true, predicted in ((gold, entities), (triples, said), (triples, entities)):
        other = score(true, predicted)
        assert (other.per_type, other.errors, other.confusion) == (by_tags.per_type, by_tags.errors, by_tags.confusion)
        assert repr(other) == repr(by_tags)


@given(tagged())
def test_every_table_counts_every_error_once(found: list[tuple[list[str], list[str]]]) -> None:
    gold, said = [list(side) for side in zip(*found, strict=True)]
    report = score(gold, said)
    whole = sum(report.errors.values())
    assert len(report.mistakes) == whole
    assert sum(sum(row.values()) for row in report.confusion.values()) == whole
    assert sum(sum(errors.values()) for errors in report.errors_per_type.values()) == whole
    for kind in TYPES:
        missed = report.per_type.get(kind, Counts()).fn
        assert sum(report.confusion.get(kind, {}).values()) == missed


TAGGED = {
    "IO": ["I-x", "I-x", "O", "I-y"],
    "bare": ["x", "x", "O", "y"],
    "IOB1": ["I-x", "I-x", "O", "I-y"],
    "IOBES": ["B-x", "E-x", "O", "S-y"],
    "BILOU": ["B-x", "L-x", "O", "U-y"],
    "BMEWO": ["B-x", "E-x", "O", "W-y"],
    "behind": ["x-B", "x-I", "O", "y-B"],
}


@pytest.mark.parametrize("tags", TAGGED.values(), ids=list(TAGGED))
def test_any_scheme_on_either_side(tags: list[str]) -> None:
    iob2 = ["B-x", "I-x", "O", "B-y"]
    for gold, said in ((iob2, tags), (tags, iob2), (tags, tags)):
        assert score([gold], [said]).per_type == {"x": Counts(1, 0, 0), "y": Counts(1, 0, 0)}


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([["O"], ["O"]], [["O"], ["O", "O"]], "the lengths of sentence 1 differ: gold[1] has 1, predicted[1] has 2"),
        ([["O"]], [], "gold has 1 sentences, predicted has 0"),
        (["O", "O"], [["O"]], "gold[0] is 'O', not a list"),
        ("O", [["O"]], "gold is 'O', not a list"),
        ([[]], [(0, 1, "x")], "predicted[0]: 0 is no span"),
        ([["B-x", "O"]], [[(1, 3, "x")]], "sentence 0: Entity(start=1, end=3, type='x') ends outside the sentence"),
        ([[], [(0, 1, "x"), (0, 2, "x")]], [[], []], "sentence gold[1]: "),
        ([["O"]], [["O", (0, 1, "x")]], "predicted[0]: 'O' is no span"),
        ([["O"]], [[(1, 1, "x")]], "predicted[0]: not a span of tokens: [1, 1)"),
        ([["O"]], [[(0, 1.5, "x")]], "predicted[0]: (0, 1.5, 'x') is no span"),
        ([["O"]], [[(0, 1, "")]], "predicted[0]: the entity at [0, 1) has no type"),
        ([["O", "I-x", "O", "B-y", "B-y"]], [["O"] * 5], "gold[0]: 'I-x' cannot follow 'O' in IOB2"),
        ([["O"], ["o", "B-x"]], [["O"], ["O", "O"]], "gold[1]: 'o' is not a tag"),
        ([["B-x", "W-x"], ["L-x"]], [["O", "O"], ["O"]], "gold: the tags begin with B, L, W"),
    ],
    ids=str,
)
def test_a_mistake_names_the_sentence(gold: Any, predicted: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=re.escape(message)):
        score(gold, predicted)


def test_lengths_of_tokens_are_checked_too() -> None:
    with pytest.raises(PredictionError, match=r"gold\[0\] has 1, predicted\[0\] has 1, tokens\[0\] has 2"):
        score([["O"]], [["O"]], tokens=[["a", "b"]])
    with pytest.raises(PredictionError, match="gold has 1 sentences, tokens has 2"):
        score([[]], [[]], tokens=[["a"], ["b"]])


def test_words_matter_to_protocols_that_compare_them() -> None:
    gold, said = [[(0, 1, "x")]], [[(1, 2, "x")]]
    assert score(gold, said).protocols["string-multiset"].f1 == 0
    assert score(gold, said, tokens=[["Ada", "Ada"]]).protocols["string-multiset"].f1 == 100


def test_illegal_predicted_tags_are_read_and_told() -> None:
    report = score([["B-x", "O", "B-x"]], [["I-x", "O", "B-x"]])
    assert report.f1 == 100
    assert score([["B-x", "B-x"]], [["O", "O"]]).f1 == 0
    told = score([["B-x", "I-x", "B-x"], ["O"]], [["O", "I-x", "I-x"], ["O"]])
    assert (told.errors["wrong boundary"], told.errors["spurious"]) == (1, 0)
    mixed = score([["B-x", "O", "B-x", "B-x"]], [["O", "I-x", "B-y", "B-y"]])
    assert any("predicted[0]: 'I-x' cannot follow 'O' in IOB2" in remark for remark in mixed.remarks)
    assert "note: predicted[0]: 'I-x' cannot follow" in repr(mixed)


def test_a_type_of_another_spelling_is_told() -> None:
    report = score([["B-task"]], [["B-Task"]])
    assert report.per_type == {"Task": Counts(0, 1, 0), "task": Counts(0, 0, 1)}
    assert "'Task' is no type of gold; was 'task' meant?" in repr(report)
    assert report.confusion == {"task": {"Task": 1}}


def test_nothing_is_no_error() -> None:
    empty: list[list[list[str]]] = [[], [[]], [["O"]]]
    for gold in empty:
        report = score(gold, gold)
        assert (report.f1, sum(report.errors.values()), report.averages["macro"].f1) == (0, 0, 0)
        assert "errors: none" in repr(report)


def test_numbers_of_numpy_are_offsets() -> None:
    numpy = pytest.importorskip("numpy")
    spans = [[(numpy.int64(0), numpy.int64(2), numpy.str_("x"))]]
    assert score(spans, [[Entity(0, 2, "x")]]).f1 == 100
    assert score(numpy.array([["B-x", "O"]]), [["B-x", "O"]]).f1 == 100


def test_the_example_in_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
    ((code, shown),) = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out == shown
