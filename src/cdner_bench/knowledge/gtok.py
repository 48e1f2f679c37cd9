"""Task-oriented knowledge (GTOK): for entities of a train split, a text that explains why they have their type.

The format is the one released with TOPT: a JSON list of `{"text": sentence, "explanations": [{"word": span,
"label": type, "explanation": text}, …]}`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import DataError, OptionError, did_you_mean
from ..hashing import digest
from ..io import read_json, write_atomic
from ..types import Corpus

MixedUnit = Literal["explanations", "sentences"]
_LARGEST = 2**30  # bytes


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the words `span` of a sentence are a `type`."""

    sentence: str
    span: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A sentence and the explanations of its entities, maybe none."""

    sentence: str
    explanations: tuple[Explanation, ...]


def read(path: Path, corpus: Corpus | None = None, *, own: bool = True) -> list[Explanation]:
    """The explanations of a file, in order, without those of sentences that the benchmark took out of `corpus`.

    Raises `DataError` that names the record for another shape, a span that is not in its sentence and a file without
    explanations; with the `corpus` to be learnt, also for a sentence of its dev or test split, which would be a leak,
    and, unless the file is about another domain (`own` false), for a type that is not the corpus's.
    """
    explanations: list[Explanation] = []
    for n, record in enumerate(records(path)):
        if corpus is None or not is_removed(record.sentence, corpus):
            _check(f"{path}, record {n}", record, corpus, own)
            explanations += record.explanations
    if not explanations:
        raise DataError(f"{path} holds no explanations", hint="make one with an LLM, or run the method without GTOK")
    return explanations


def records(path: Path) -> list[Record]:
    """The records of a file as they are, in order. Raises `DataError` that names the record for another shape."""
    try:
        items = read_json(path, DataError, largest=_LARGEST)
    except DataError as error:
        said = str(error).replace(f"{path} is", "it is", 1)
        raise DataError(f"{path} is not a GTOK corpus: {said}", hint=error.hint) from None
    if not isinstance(items, list):
        raise DataError(f"{path} is not a GTOK corpus: it holds no list of records")
    return [_read_record(f"{path}, record {n}", record) for n, record in enumerate(items)]


def mixed_in(pool: Sequence[Record], count: int, seed: int, unit: MixedUnit = "explanations") -> list[Record]:
    """What is mixed into a corpus of another domain (Table 7): `count` explanations of a pool, or all explanations of
    `count` of its sentences, drawn at random. An explanation is a record of its own.

    Raises `OptionError` if the pool has fewer.
    """
    if unit == "sentences":
        items = [record for record in pool if record.explanations]
    else:
        items = [Record(e.sentence, (e,)) for record in pool for e in record.explanations]
    if count > len(items):
        raise OptionError(
            f"{count} {unit} of other domains are to be mixed in, there are {len(items)}",
            hint=f"mix in {len(items)} at most",
        )
    return random.Random(seed).sample(items, count)


def write(path: Path, records: Iterable[Record]) -> None:
    """Write records in the released layout."""
    table = [
        {
            "text": record.sentence,
            "explanations": [{"word": e.span, "label": e.type, "explanation": e.text} for e in record.explanations],
        }
        for record in records
    ]
    write_atomic(path, json.dumps(table, indent=2) + "\n")


def is_removed(sentence: str, corpus: Corpus) -> bool:
    """Whether a deduplicated benchmark took the sentence out of the train split: methods pass its records over."""
    return digest(" ".join(sentence.split())) in corpus.removed


def kept(records: Iterable[Record], corpus: Corpus | None) -> list[Record]:
    """Those that methods do not pass over."""
    return [r for r in records if corpus is None or not is_removed(r.sentence, corpus)]


def _read_record(where: str, record: object) -> Record:
    try:
        sentence, items = record["text"], record["explanations"]  # type: ignore[index]
        explanations = tuple(Explanation(sentence, item["word"], item["label"], item["explanation"]) for item in items)
        texts = [sentence, *(value for e in explanations for value in (e.span, e.type, e.text))]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a field is not a text")
    except (KeyError, TypeError) as error:
        shape = '{"text", "explanations": [{"word", "label", "explanation"}]}'
        raise DataError(f"{where}: not of the shape {shape}: {error}") from None
    return Record(sentence, explanations)


def _check(where: str, record: Record, corpus: Corpus | None, own: bool) -> None:
    sentence = record.sentence
    if corpus is not None and corpus.withholds(sentence):
        raise DataError(
            f"{where} is about a dev or test sentence of {corpus.name}, which is a leak: {sentence!r}",
            hint="take the record out, or make the corpus from the train split",
        )
    for e in record.explanations:
        if not e.span.strip() or e.span not in sentence:
            raise DataError(f"{where}: the entity {e.span!r} is not in its sentence {sentence!r}")
        if not e.text.strip():
            raise DataError(f"{where}: the explanation of {e.span!r} is empty")
        if corpus is not None and own and e.type not in corpus.types:
            hint = did_you_mean(e.type, corpus.types)
            raise DataError(f"{where}: {e.type!r} is not a type of {corpus.name}", hint=hint)
