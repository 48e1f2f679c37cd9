"""What a method says, held to the contract as it comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..errors import ContractError
from ..types import Corpus, Prediction, Sentence
from .registry import Registered


def lend(corpus: Corpus) -> Corpus:
    """The same domain in objects of its own: a method that changes a sentence changes nobody else's."""
    train, dev, test = (
        tuple(replace(s, entities=tuple(map(replace, s.entities))) for s in split)
        for split in (corpus.train, corpus.dev, corpus.test)
    )
    return replace(corpus, train=train, dev=dev, test=test, resources=dict(corpus.resources))


def held_to_contract(
    answers: Iterable[Prediction], sentences: Sequence[Sentence], types: Sequence[str], entry: Registered
) -> Iterator[Prediction]:
    """The predictions of a method, each checked as it comes. Raises `ContractError` that names method and sentence."""
    who = f"method {entry.spec.name} (plugin {entry.plugin})"
    if not isinstance(answers, Iterable):
        raise ContractError(f"{who}: predict returns {type(answers).__name__}; it yields predictions")
    count = 0
    for count, prediction in enumerate(answers, start=1):
        if count > len(sentences):
            raise ContractError(f"{who} yields more than the {len(sentences)} predictions asked for")
        sentence = sentences[count - 1]
        if not isinstance(prediction, Prediction):
            raise ContractError(f"{who} yields {type(prediction).__name__} instead of a Prediction")
        if prediction.sentence_id != sentence.id:
            raise ContractError(f"{who} answers {prediction.sentence_id} where {sentence.id} was next")
        _check_places(prediction, sentence, types, who)
        yield prediction
    if count < len(sentences):
        raise ContractError(f"{who} yields {count} predictions for {len(sentences)} sentences")


def _check_places(prediction: Prediction, sentence: Sentence, types: Sequence[str], who: str) -> None:
    """Raises `ContractError` for what cannot be said of this sentence."""
    if not 0 <= prediction.unseen <= len(sentence.tokens):
        raise ContractError(
            f"{who}: {sentence.id} has {len(sentence.tokens)} tokens, but {prediction.unseen} were not seen"
        )
    for entity in prediction.entities:
        if entity.end > len(sentence.tokens):
            raise ContractError(f"{who}: {sentence.id} has {len(sentence.tokens)} tokens, but {entity} was predicted")
        if entity.type not in types:
            raise ContractError(
                f"{who}: {entity.type!r} is no type of the target",
                hint="put such predictions into Prediction.rejected",
            )
