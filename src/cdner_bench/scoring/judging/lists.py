"""Lists of tags or of spans against gold lists: what a notebook has."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...data import readers
from ...errors import CdnerError, PredictionError
from ...types import Entity, Prediction, Sentence
from .gold import Judged
from .report import Report

Labels = Iterable[str] | Iterable[Entity | tuple[int, int, str]]
"""One sentence: a tag for each token, or spans of tokens, the end not included."""


def score(
    gold: Iterable[Labels], predicted: Iterable[Labels], *, tokens: Iterable[Sequence[str]] | None = None
) -> Report:
    """The report on predictions, a list of labels for each sentence, by gold ones: tags of any scheme, or spans as
    `Entity` or (start, end, type). It prints as a table; `.f1` is in percent.

    Protocols that compare words need `tokens`; without them no word is another's equal. Raises `PredictionError` that
    names the sentence, as `gold[3]`, for lengths that differ and labels that are none.
    """
    true, said = _read(gold, "gold"), _read(predicted, "predicted")
    words = None if tokens is None else [tuple(map(str, sentence)) for sentence in tokens]
    for name, number in (("predicted", len(said.entities)), ("tokens", len(words) if words is not None else None)):
        if number not in (None, len(true.entities)):
            raise PredictionError(
                f"gold has {len(true.entities)} sentences, {name} has {number}",
                hint="each is a list of the same sentences, in the same order, and a sentence is a list too",
            )
    if true.illegal:
        raise PredictionError(true.illegal, hint="gold follows its scheme; an entity begins with B-")
    sentences, predictions = [], []
    for n, (entities, mine) in enumerate(zip(true.entities, said.entities, strict=True)):
        sizes = {"gold": true.sizes[n], "predicted": said.sizes[n], "tokens": None if words is None else len(words[n])}
        length = _agree(n, sizes, [*entities, *mine])
        sentence = words[n] if words else tuple(f"{n}.{token}" for token in range(length))
        try:
            sentences.append(Sentence(f"gold[{n}]", sentence or ("",), entities))
        except CdnerError as error:
            raise PredictionError(str(error), hint=error.hint) from None
        predictions.append(Prediction(f"gold[{n}]", mine, tags=said.tags[n] or None))
    types = {entity.type for sentence in sentences for entity in sentence.entities}
    strange = sorted({entity.type for entities in said.entities for entity in entities} - types)
    file = readers.LabelledFile(
        "predicted",
        said.unit,
        [readers.Labelled(f"[{n}]", tags=said.tags[n], entities=mine) for n, mine in enumerate(said.entities)],
        said.scheme,
        [f"{k!r} is no type of gold; was {meant!r} meant?" for k in strange if (meant := readers.guess_type(k, types))],
        said.illegal,
    )
    part = (sentences, sorted({*types, *strange})), predictions
    return Report(file, Judged("lists", [part], "gold given as lists"))


@dataclass(frozen=True)
class _Side:
    """What one of the lists says of each sentence, and how many tokens it has, where tags tell."""

    unit: str
    entities: Sequence[tuple[Entity, ...]]
    sizes: Sequence[int | None]
    tags: Sequence[tuple[str, ...] | None]
    scheme: readers.schemes.Scheme | None = None
    illegal: str = ""


def _read(side: Iterable[Labels], name: str) -> _Side:
    rows = [_list(row, f"{name}[{n}]") for n, row in enumerate(_list(side, name))]
    texts = {isinstance(item, str) for row in rows for item in row}
    if texts == {True}:
        return _read_tags(rows, name)
    spans = [tuple(sorted(_read_span(item, f"{name}[{n}]") for item in row)) for n, row in enumerate(rows)]
    return _Side("spans", spans, [None] * len(rows), [None] * len(rows))


def _list(labels: Any, where: str) -> list[Any]:
    if isinstance(labels, str | Entity) or not isinstance(labels, Iterable):
        raise PredictionError(
            f"{where} is {labels!r}, not a list",
            hint="write a list of sentences, each a list of tags or of (start, end, type): [['B-person', 'O']]",
        )
    return list(labels)


def _read_tags(rows: Sequence[Sequence[str]], name: str) -> _Side:
    try:
        tagging = readers.schemes.Tagging(rows)
    except readers.schemes.SchemeError as error:
        place = next((f"[{n}]" for n, row in enumerate(rows) if error.tag in row), "")
        raise PredictionError(f"{name}{place}: {error}", hint=error.hint) from None
    wrong = tagging.find_illegal(rows)
    illegal = f"{name}[{wrong[0]}]: {tagging.explain(rows[wrong[0]], wrong[1])}" if wrong else ""
    entities = [tagging.entities(row) for row in rows]
    return _Side(
        "tags", entities, [len(row) for row in rows], [tagging.as_iob2(row) for row in rows], tagging.scheme, illegal
    )


def _read_span(item: Any, where: str) -> Entity:
    if isinstance(item, Entity):
        return item
    try:
        start, end, kind = item
        if isinstance(item, str) or not isinstance(kind, str):
            raise TypeError
        return Entity(operator.index(start), operator.index(end), str(kind))
    except CdnerError as error:
        raise PredictionError(f"{where}: {error}", hint=error.hint) from None
    except (TypeError, ValueError):
        hint = "a sentence has tags only, or spans only: (0, 2, 'person'), counting tokens from 0, the end not included"
        raise PredictionError(f"{where}: {item!r} is no span", hint=hint) from None


def _agree(n: int, sizes: dict[str, int | None], entities: Sequence[Entity]) -> int:
    """How many tokens a sentence has: what all say that count them, or else as many as its spans need."""
    known = {name: size for name, size in sizes.items() if size is not None}
    if len(set(known.values())) > 1:
        said = ", ".join(f"{name}[{n}] has {size}" for name, size in known.items())
        raise PredictionError(
            f"the lengths of sentence {n} differ: {said}", hint="give every token one tag: O for none"
        )
    end = max((entity.end for entity in entities), default=0)
    length = next(iter(known.values()), end)
    if end > length:
        far = next(entity for entity in entities if entity.end > length)
        raise PredictionError(f"sentence {n}: {far} ends outside the sentence, which has {length} tokens")
    return length
