"""Predictions scored under every protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from ..errors import PredictionError
from ..types import Prediction, Sentence
from .counts import HEADLINE, Pairs, Scores, add_per_type, total
from .doubts import doubt_predictions
from .protocols import PROTOCOLS
from .protocols.plain import count_by_spans
from .protocols.span_f1 import LARGEST, sentence_counts


def score(gold: Sequence[Sentence], predictions: Sequence[Prediction], types: Collection[str]) -> Scores:
    """Score predictions under every protocol.

    `predictions` answer `gold` one to one and in order; `types` are the entity types of the domain.
    Raises `PredictionError` if they do not pair up or a span lies outside its sentence.
    """
    pairs = pair(gold, predictions)
    counted = count_by_spans(pairs, types) if len(pairs) > LARGEST else {}
    protocols = {name: counted[name] if name in counted else count(pairs, types) for name, count in PROTOCOLS.items()}
    sentences = [sentence_counts(sentence, prediction) for sentence, prediction in pairs]
    if total(sentences) != total(protocols[HEADLINE].values()):
        raise AssertionError("the per-sentence counter disagrees with seqeval: please report this as a bug")
    return Scores(protocols, sentences, count_answers(pairs), doubt_predictions(pairs, total(sentences)))


def count_answers(pairs: Pairs) -> dict[str, int]:
    """How many predictions were read out of a text (`read`), how many things in these texts are no span of their
    sentence, by `Reason`, and how many prompts and answers were cut off (`prompt cut`, `answer cut`). Of all methods,
    what lies beyond what they read of a sentence: `unseen sentences`, `unseen tokens`, and `unseen entities`, which are
    the gold ones that reach into the unseen part. What there is none of is left out.
    """
    counts: Counter[str] = Counter()
    for sentence, prediction in pairs:
        if prediction.raw is not None:
            counts.update(["read", *(str(rejected.reason) for rejected in prediction.rejected)])
        if prediction.cut:
            counts.update(f"{cut} cut" for cut in prediction.cut)
        if prediction.unseen:
            seen = len(sentence.tokens) - prediction.unseen
            counts["unseen sentences"] += 1
            counts["unseen tokens"] += prediction.unseen
            counts["unseen entities"] += sum(entity.end > seen for entity in sentence.entities)
    return dict(+counts)


def add_scores(parts: Sequence[Scores]) -> Scores:
    """The scores of several corpora as one: counts add."""
    protocols = {name: add_per_type([part.protocols[name] for part in parts]) for name in PROTOCOLS}
    answers: Counter[str] = Counter()
    for part in parts:
        answers.update(part.answers)
    sentences = [counts for part in parts for counts in part.sentences]
    doubts = list(dict.fromkeys(doubt for part in parts for doubt in part.doubts))
    return Scores(protocols, sentences, dict(answers), doubts)


def pair(gold: Sequence[Sentence], predictions: Sequence[Prediction]) -> list[tuple[Sentence, Prediction]]:
    """Check that predictions answer the gold sentences one to one, in order, inside their sentences."""
    if len(gold) != len(predictions):
        raise PredictionError(f"{len(predictions)} predictions for {len(gold)} sentences")
    for sentence, prediction in zip(gold, predictions, strict=True):
        if sentence.id != prediction.sentence_id:
            raise PredictionError(f"expected a prediction for {sentence.id}, found one for {prediction.sentence_id}")
        for entity in prediction.entities:
            if entity.end > len(sentence.tokens):
                raise PredictionError(
                    f"{sentence.id}: {entity} ends outside the sentence, which has {len(sentence.tokens)} tokens"
                )
        if prediction.tags is not None and len(prediction.tags) != len(sentence.tokens):
            raise PredictionError(f"{sentence.id}: {len(prediction.tags)} tags for {len(sentence.tokens)} tokens")
    return list(zip(gold, predictions, strict=True))
