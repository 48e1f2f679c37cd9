"""Somebody's file of labelled sentences as predictions for the gold sentences that it is about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ...data import conll, readers
from ...errors import CdnerError, PredictionError
from ...types import Prediction, Reason, Rejected, Sentence
from ..predictions import decode_record

Split = tuple[Sequence[Sentence], Collection[str]]
"""The gold sentences of one split and the types of its domain."""

_NUMBER = re.compile(r"[0-9]{1,18}")


def match_ids(file: readers.LabelledFile, split_of: Callable[[str], Split]) -> list[tuple[Split, list[Prediction]]]:
    """The predictions of a file whose sentences have ids (`domain/split/n`), in any order; it must answer whole splits.

    `split_of` gives the split that an id belongs to; the predictions come split by split, in the order of its
    sentences. Raises `PredictionError` naming file:line, for missing, duplicate and unknown ids too.
    """
    splits: dict[str, Split] = {}
    gold: dict[str, tuple[Sentence, Split]] = {}
    predictions: dict[str, Prediction] = {}
    for item in file.items:
        if item.id is None:
            raise PredictionError(f"{file.where(item)}: 'id' is missing", hint="every line has one, or none has")
        split = _look_up(split_of, item, file)
        if split[0][0].id not in splits:
            splits[split[0][0].id] = split
            gold |= {sentence.id: (sentence, split) for sentence in split[0]}
        if item.id not in gold:
            raise PredictionError(f"{file.where(item)}: unknown sentence {item.id!r}", hint=_count_ids(file, gold))
        if item.id in predictions:
            raise PredictionError(f"{file.where(item)}: a second prediction for {item.id}")
        sentence, split = gold[item.id]
        if _differs(item, sentence):
            raise _describe_difference(item, sentence, file.where(item))
        predictions[item.id] = read_item(item, sentence, split[1], file)
    return [(split, put_in_order(predictions, split[0], file.name)) for split in splits.values()]


def match_order(file: readers.LabelledFile, split: Split) -> list[Prediction]:
    """The predictions of a file that has the sentences of a split in its order, whatever their ids.

    Raises `PredictionError` where they differ, with the first difference, and for ids that say that they do.
    """
    gold, types = split
    check_ids(file)
    _check_numbers(file)
    if len(file.items) != len(gold):
        raise PredictionError(
            f"{file.name} has {len(file.items):,} sentences, the gold split has {len(gold):,}",
            hint=_explain_order(file, gold),
        )
    for item, sentence in zip(file.items, gold, strict=True):
        if _differs(item, sentence):
            raise _describe_difference(item, sentence, file.where(item), _explain_order(file, gold))
    return [read_item(item, sentence, types, file) for item, sentence in zip(file.items, gold, strict=True)]


def check_ids(file: readers.LabelledFile) -> None:
    """Raise `PredictionError` for an id that stands twice."""
    seen: set[str] = set()
    for item in file.items:
        if item.id in seen:
            hint = "give each sentence an id of its own, or leave them all out"
            raise PredictionError(f"{file.where(item)}: a second sentence {item.id!r}", hint=hint)
        if item.id is not None:
            seen.add(item.id)


def _check_numbers(file: readers.LabelledFile) -> None:
    """Raise `PredictionError` for numbers that do not ascend, where no words say that the order is gold's."""
    last: dict[str, int] = {}
    for item in file.items:
        if item.id is None or item.tokens is not None or item.text is not None:
            continue
        before, _, number = item.id.rpartition("/")
        if not _NUMBER.fullmatch(number):
            continue
        if int(number) < last.get(before, 0):
            raise PredictionError(
                f"{file.where(item)}: {item.id!r} stands behind number {last[before]}, and gold has no such ids",
                hint="put the sentences in gold's order, or give gold the same ids",
            )
        last[before] = int(number)


def has_ids(file: readers.LabelledFile) -> bool:
    """Whether any sentence says which one of a benchmark it is."""
    return any(item.id is not None and item.id.count("/") >= 2 for item in file.items)


def read_item(
    item: readers.Labelled, sentence: Sentence, types: Collection[str], file: readers.LabelledFile
) -> Prediction:
    """What one sentence of a file says about the gold sentence that it is; labels that begin or end inside a token are
    rejected. Raises `PredictionError` for labels outside of the sentence.
    """
    try:
        if item.record is not None and _is_own(item, item.record):
            return _check_tags(decode_record(item.record, sentence, types))
        if item.spans is not None and item.text is not None:
            bounds = readers.find_bounds(item.text, sentence.tokens, file.where(item))
            placed, lost = readers.place_on_tokens(item.spans, item.text, bounds, file.where(item))
            rejected = tuple(Rejected(loss.type, loss.text, Reason.NOT_IN_SENTENCE) for loss in lost)
            return Prediction(sentence.id, tuple(placed), rejected)
    except CdnerError as error:
        said, where = str(error), file.where(item)
        raise PredictionError(said if said.startswith(where) else f"{where}: {said}", hint=error.hint) from None
    entities = item.entities or ()
    for entity in entities:
        if entity.end > len(sentence.tokens):
            raise PredictionError(
                f"{file.where(item)}: {entity} ends outside the sentence, which has {len(sentence.tokens)} tokens"
            )
    return Prediction(sentence.id, entities, tags=item.tags)


def put_in_order(predictions: Mapping[str, Prediction], sentences: Sequence[Sentence], name: str) -> list[Prediction]:
    """The predictions in the order of the sentences. Raises `PredictionError` if some are missing."""
    missing = [s.id for s in sentences if s.id not in predictions]
    if missing:
        raise PredictionError(
            f"{name}: {len(missing)} sentences have no prediction, the first is {missing[0]}; "
            f"{len(sentences) - len(missing)} of {len(sentences)} have one",
            hint="answer every sentence of a split; a sentence without entities has an empty list",
        )
    return [predictions[s.id] for s in sentences]


def _is_own(item: readers.Labelled, record: Mapping[str, Any]) -> bool:
    """Whether a record is a line of this project's prediction files, with more in it than spans, or generated text. A
    record that repeats the words of its sentence is somebody else's, unless it says what was rejected.
    """
    if item.tags is None and item.entities is None and item.spans is None:
        return True
    if item.spans is not None or not _holds_spans(record.get("entities", [])):
        return False
    if item.tokens is not None or item.text is not None:
        return "rejected" in record
    return any(key in record for key in ("raw", "rejected", "cut")) or {"entities", "tags"} <= record.keys()


def _holds_spans(entities: object) -> bool:
    """Whether entities are written as this project writes them, or as the objects that it reads."""
    if not isinstance(entities, list):
        return True
    return all(isinstance(e, list) or (isinstance(e, dict) and {"start", "end", "type"} <= e.keys()) for e in entities)


def _check_tags(prediction: Prediction) -> Prediction:
    """Raise `PredictionError` for tags that say other spans than those beside them, unless some were rejected."""
    tags = prediction.tags
    if tags is not None and not prediction.rejected and set(conll.chunks(tags)) != set(prediction.entities):
        raise PredictionError(
            f"the tags of {prediction.sentence_id} say other spans than its entities",
            hint="leave out the ones that are not meant; tags are O, B-type and I-type",
        )
    return prediction


def _look_up(split_of: Callable[[str], Split], item: readers.Labelled, file: readers.LabelledFile) -> Split:
    try:
        return split_of(item.id or "")
    except CdnerError as error:
        raise PredictionError(f"{file.where(item)}: {error}", hint=error.hint) from None


def _count_ids(file: readers.LabelledFile, gold: Collection[str]) -> str:
    known = sum(item.id in gold for item in file.items)
    return f"{known} of {len(file.items)} ids are gold's; where the sentences are in gold's order, leave all ids out"


def _differs(item: readers.Labelled, sentence: Sentence) -> bool:
    if item.tokens is not None:
        return item.tokens != sentence.tokens
    if item.text is not None:
        return "".join(item.text.split()) != "".join(sentence.text.split())
    return item.tags is not None and len(item.tags) != len(sentence.tokens)


def _describe_difference(
    item: readers.Labelled, sentence: Sentence, where: str, hint: str | None = None
) -> PredictionError:
    """The first token of a sentence that is another than gold's."""
    gold = sentence.tokens
    theirs = item.tokens if item.tokens is not None else item.text.split() if item.text is not None else item.tags or ()
    size = len(theirs)
    if item.tokens is not None and "".join("".join(theirs).split()) == "".join(sentence.text.split()):
        hint = "the sentence is gold's, cut into other tokens: give gold's tokens, or text with spans of characters"
    if item.tokens is None and item.text is None:
        return PredictionError(f"{where}: {size} tags, and {sentence.id} has {len(gold)} tokens", hint=hint)
    if size < len(gold) and tuple(theirs) == gold[:size]:
        return PredictionError(
            f"{where}: {size} of the {len(gold)} tokens of {sentence.id}: the sentence was cut",
            hint="predict every token: O for those that the model did not see",
        )
    n = next(
        (n for n, (one, other) in enumerate(zip(theirs, gold, strict=False)) if one != other), min(size, len(gold))
    )
    if n < min(size, len(gold)) and _compose(theirs[n]) == _compose(gold[n]):
        return PredictionError(
            f"{where}: the tokens of {sentence.id} differ: token {n + 1} is {theirs[n]!a} here, {gold[n]!a} in gold",
            hint="they read the same, and are equal in Unicode's form NFC: copy gold's tokens",
        )
    found = repr(theirs[n]) if n < size else "nothing more"
    expected = repr(gold[n]) if n < len(gold) else "nothing more"
    return PredictionError(
        f"{where}: the tokens of {sentence.id} differ: token {n + 1} is {found} here, {expected} in gold", hint=hint
    )


def _compose(token: str) -> str:
    return unicodedata.normalize("NFC", token)


def _explain_order(file: readers.LabelledFile, gold: Sequence[Sentence]) -> str:
    """How many sentences of a file are among those of gold, whatever their order."""
    known = {"".join(s.text.split()) for s in gold}
    texts = [" ".join(item.tokens) if item.tokens is not None else item.text for item in file.items]
    given = ["".join(text.split()) for text in texts if text is not None]
    if not given:
        return "a file without tokens has the sentences of the split, in its order"
    same = sum(text in known for text in given)
    if same == len(given) == len(gold):
        return "the sentences are gold's, in another order: put them in gold's, or give their ids"
    return f"{same:,} of its {len(given):,} sentences are among gold's {len(gold):,}: is it of another split or domain?"
