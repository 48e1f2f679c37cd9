"""`topt-released`: what the code released with TOPT prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from itertools import chain

from ...types import Prediction, Sentence
from .. import text2text
from ..counts import Counts, Pairs, PerType

_CUT_AT = frozenset(",)\n")


def topt_released(pairs: Pairs, types: Collection[str]) -> PerType:
    """TOPT's released eval.py, from the generated text where there is one.

    A found entity counts its words, a missed one counts 1; a pair is matched as often as it is said; strings that
    are not in the sentence and unknown types cost nothing; entities with ", " or ") " inside are cut by its parser.
    What a vocabulary without case says is spelt as the sentence does where it was placed.
    It reads 7 to 9 points above `span-f1` and can exceed 100.
    """
    correct: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    true: Counter[str] = Counter()
    for sentence, prediction in pairs:
        gold = dict.fromkeys((e.type, sentence.surface(e)) for e in sentence.entities)
        true.update(kind for kind, _ in gold)
        spelt = _spell(sentence, prediction)
        whole = ""
        for said in _list_said(sentence, prediction):
            kind, text = spelt.get(_fold(*said), said) if spelt else said
            words = len(text.split(" "))
            if (kind, text) in gold:
                correct[kind] += words
                predicted[kind] += words
                true[kind] += words - 1
            elif kind in types and text in (whole := whole or sentence.text):
                predicted[kind] += words
    kinds = sorted(true.keys() | predicted.keys())
    return {k: Counts(correct[k], predicted[k] - correct[k], true[k] - correct[k]) for k in kinds}


def parse_as_released(text: str) -> list[tuple[str, str]]:
    """The (type, text) pairs that the released scorer reads; it loses entities with a comma or a bracket in them."""
    pieces = text.replace(") ", "\n").removesuffix(")").split("\n")
    columns = [piece[1:].split(", ") for piece in pieces if ", " in piece]
    return [(c[0], c[1]) for c in columns if len(c) > 1]


def _spell(sentence: Sentence, prediction: Prediction) -> dict[tuple[str, str], tuple[str, str]]:
    """Placed entities by their text without case, if the vocabulary has none: nothing in upper case was said, and yet
    something was placed where the sentence has it.
    """
    if not text2text.was_folded(prediction, sentence):
        return {}
    return {_fold(e.type, text): (e.type, text) for e in prediction.entities for text in [sentence.surface(e)]}


def _fold(kind: str, text: str) -> tuple[str, str]:
    return text2text.fold_text(kind), "".join(text2text.fold_text(text).split())


def _list_said(sentence: Sentence, prediction: Prediction) -> list[tuple[str, str]]:
    """The (type, text) pairs that its parser reads. Spans without a mark that it cuts at are read as they are."""
    if prediction.raw is None and not prediction.rejected:
        said = [(e.type, sentence.surface(e)) for e in prediction.entities]
        if _CUT_AT.isdisjoint(chain.from_iterable(chain.from_iterable(said))):
            return said
    return parse_as_released(_said_as_text(sentence, prediction))


def _said_as_text(sentence: Sentence, prediction: Prediction) -> str:
    if prediction.raw is not None:
        exact = text2text.read_exactly(prediction.raw)
        return prediction.raw if exact is None else " ".join(f"({m.type}, {m.text})" for m in exact)
    rejected = (f"({r.type}, {r.text})" for r in prediction.rejected)
    return " ".join(filter(None, (text2text.answer(sentence, prediction.entities), *rejected)))
