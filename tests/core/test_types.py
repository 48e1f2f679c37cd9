from __future__ import annotations

import pytest

from cdner_bench import Corpus, Entity, Reason, Rejected, Sentence
from cdner_bench.errors import DataError


@pytest.mark.parametrize(("start", "end", "kind"), [(2, 2, "x"), (3, 1, "x"), (-1, 1, "x"), (0, 1, "")])
def test_an_entity_is_a_typed_span(start: int, end: int, kind: str) -> None:
    with pytest.raises(DataError):
        Entity(start, end, kind)


@pytest.mark.parametrize(
    "entities",
    [
        (Entity(0, 2, "x"), Entity(1, 3, "x")),
        (Entity(2, 3, "x"), Entity(0, 1, "x")),
        (Entity(2, 4, "x"),),
    ],
    ids=["overlap", "order", "outside"],
)
def test_gold_entities_are_in_order_apart_and_inside(entities: tuple[Entity, ...]) -> None:
    with pytest.raises(DataError, match="s/1"):
        Sentence("s/1", ("a", "b", "c"), entities)


def test_a_sentence_has_tokens() -> None:
    with pytest.raises(DataError, match="no tokens"):
        Sentence("s", ())


def test_unlabeled_hides_gold_only() -> None:
    sentence = Sentence("s", ("Ada", "met", "Alan"), (Entity(0, 1, "person"),))
    assert sentence.unlabeled() == Sentence("s", ("Ada", "met", "Alan"))
    assert sentence.text == "Ada met Alan"
    assert sentence.surface(sentence.entities[0]) == "Ada"


def test_a_corpus_refuses_types_it_does_not_have() -> None:
    with pytest.raises(DataError, match="'person' is not a type of ai"):
        Corpus("ai", ("field",), train=(Sentence("s", ("Ada",), (Entity(0, 1, "person"),)),))


def test_the_fingerprint_follows_what_can_be_learned() -> None:
    one = Sentence("a", ("Ada",), (Entity(0, 1, "person"),))
    corpus = Corpus("ai", ("person",), train=(one,), test=(one,))
    assert corpus.fingerprint() == corpus.without_test().fingerprint()
    assert corpus.fingerprint() != Corpus("ai", ("person",), train=(one.unlabeled(),)).fingerprint()


def test_what_is_rejected_has_one_of_the_known_reasons() -> None:
    assert Rejected("x", "Vulcan", "repeat").reason is Reason.REPEAT
    with pytest.raises(DataError, match="no reason to reject is called 'not in sentense'") as caught:
        Rejected("x", "Vulcan", "not in sentense")
    assert caught.value.hint == "did you mean 'not in sentence'?"
