"""Any file of labelled sentences, recognised from its content: what `score`, `data convert` and benchmarks of one's own
read.
"""

from __future__ import annotations

import difflib
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from ...errors import DataError, did_you_mean
from ...types import Entity, Sentence
from . import brat, columns, records
from .columns import Layout
from .labelled import Labelled, LabelledFile, Lost, drop_overlaps, find_bounds, place_on_tokens, split_words
from .records import Unit
from .schemes import Scheme, parse
from .source import read_text, show_name

MOST_NAMED = 5
"""How many unknown types are named."""

_Reader = Callable[[Path, str, Scheme | None], LabelledFile]

FORMATS: Mapping[str, _Reader] = {
    "columns": lambda path, text, scheme: columns.read(text, show_name(path), Layout.COLUMNS, scheme),
    "conlleval": lambda path, text, scheme: columns.read(text, show_name(path), Layout.CONLLEVAL, scheme),
    "tags": lambda path, text, scheme: columns.read(text, show_name(path), Layout.TAGS, scheme),
    "json": lambda path, text, scheme: records.read(text, show_name(path), None, scheme),
    "token-spans": lambda path, text, scheme: records.read(text, show_name(path), Unit.TOKENS, scheme),
    "character-spans": lambda path, text, scheme: records.read(text, show_name(path), Unit.CHARACTERS, scheme),
    "brat": lambda path, text, scheme: brat.read(path, text),
}
"""What a file can be said to be: the token first and its tag last; conlleval's input; tags alone; JSON lines or an
array, with offsets of what the file says or of tokens or characters; brat's standoff.
"""


def read_file(path: Path, format: str | None = None, scheme: str | None = None) -> LabelledFile:
    """The sentences of a file, whatever its format, unless one of `FORMATS` is named; gzip or not; `-` is standard
    input. The scheme of its tags is told from the tags, unless it is named.

    Raises `DataError` naming file and line, what was found, what was expected, and what to do.
    """
    if format is not None and format not in FORMATS:
        raise DataError(f"there is no format {format!r}", hint=did_you_mean(format, FORMATS))
    chosen = None if scheme is None else parse(scheme)
    text = read_text(path)
    if format is not None:
        return FORMATS[format](path, text, chosen)
    if brat.is_standoff(path, text):
        return brat.read(path, text)
    if not text.strip():
        raise DataError(f"{show_name(path)} has no sentences: it is empty")
    if records.is_json(path.name, text):
        return records.read(text, show_name(path), None, chosen)
    return columns.read(text, show_name(path), None, chosen)


def read_sentences(
    path: Path, prefix: str, types: Collection[str] | None = None, scheme: str | None = None
) -> list[Sentence]:
    """The sentences of a gold file; their ids are `prefix/0`, `prefix/1` and so on.

    Raises `DataError` naming file and line for what gold cannot be: tags that their scheme does not allow, types that
    are not among `types` (any, if None) or are one but for case, blanks, `-` and `_`, labels that are no span of tokens
    or overlap, sentences without tokens.
    """
    return make_sentences(read_file(path, scheme=scheme), prefix, types)


def make_sentences(file: LabelledFile, prefix: str, types: Collection[str] | None = None) -> list[Sentence]:
    """The sentences of a file as gold, by conlleval's gold column if it has one; raises `DataError` as `read_sentences`
    does.
    """
    if illegal := file.illegal_gold if file.has_gold else file.illegal:
        raise DataError(illegal, hint="an entity begins with B-")
    if file.guessed:
        raise DataError(
            f"{file.guessed}: the spans are a model's predictions, and no gold", hint="export tasks with annotations"
        )
    sentences = []
    places: dict[str, str] = {}
    for n, item in enumerate(file.items):
        tokens, entities, lost = place(item, file)
        if lost:
            raise DataError(
                f"{file.where(item)}: {lost[0].text!r} ({lost[0].type}) is no span of tokens: {lost[0].why}"
            )
        kept, dropped = drop_overlaps(entities if item.gold is None else item.gold)
        if dropped:
            raise DataError(
                f"{file.where(item)}: {dropped[0]} overlaps another entity", hint="gold has none that overlap"
            )
        for entity in kept:
            if entity.type not in places:
                places[entity.type] = file.where(item, entity.start)
        sentences.append(Sentence(f"{prefix}/{n}", tokens, tuple(kept)))
    check_types(places, types)
    return sentences


def place(item: Labelled, file: LabelledFile) -> tuple[tuple[str, ...], Sequence[Entity], list[Lost]]:
    """Tokens and entities of a sentence, and the labels that are no span of its tokens. Plain text is cut into tokens
    (`split_words`). Raises `DataError` for one without tokens or labels.
    """
    tokens, text = item.tokens, item.text
    if tokens is not None and item.entities is not None and item.spans is None:
        return tokens, item.entities, []
    where = file.where(item)
    if tokens is None and text is None:
        raise DataError(f"{where}: there are no tokens", hint="gold needs tokens or a text beside its labels")
    if item.spans is None:
        what = "labels" if item.entities is None else "tokens for offsets of tokens to count"
        raise DataError(f"{where}: there are no {what}")
    assert text is not None
    bounds = split_words(text) if tokens is None else find_bounds(text, tokens, where)
    if not bounds:
        raise DataError(f"{where}: the text is empty", hint="remove it")
    entities, lost = place_on_tokens(item.spans, text, bounds, where)
    return tokens or tuple(text[start:end] for start, end in bounds), entities, lost


def squeeze_type(kind: str) -> str:
    """A type without case, blanks, `-` and `_`: types that agree in the rest are taken for one by a reader."""
    return "".join(kind.casefold().replace("-", " ").replace("_", " ").split())


def find_meant(kind: str, types: Collection[str]) -> str | None:
    """The type of which `kind` differs in case, blanks, `-` or `_` only; None if there is none."""
    return next((known for known in types if known != kind and squeeze_type(known) == squeeze_type(kind)), None)


def check_types(places: Mapping[str, str], types: Collection[str] | None) -> None:
    """Raise `DataError` for a type that is not one of `types`, or that another of the file is but for case, blanks, `-`
    and `_`. `places` has where each type stands first.
    """
    for kind, where in places.items():
        if types is not None and kind not in types:
            meant = find_meant(kind, types)
            hint = f"did you mean {meant!r}?" if meant else did_you_mean(kind, types)
            raise DataError(f"{where}: unknown entity type {kind!r}", hint=hint)
        if types is None and (other := find_meant(kind, places)):
            raise DataError(
                f"{where}: the type {kind!r}, and {places[other]}: {other!r}, differ in case, blanks, - or _ only",
                hint="name both alike",
            )


def guess_type(kind: str, types: Collection[str]) -> str | None:
    """The type that `kind` may have been meant for: one that differs in case, blanks, `-` or `_` only, the only one
    that begins as it does (`PER`, `miscellaneous`), or one that is spelt nearly so. None if there is none.
    """
    squeezed = {squeeze_type(known): known for known in types}
    mine = squeeze_type(kind)
    if mine in squeezed:
        return squeezed[mine]
    alike = [other for other in squeezed if len(mine) > 2 and (other.startswith(mine) or mine.startswith(other))]
    near = alike if len(alike) == 1 else difflib.get_close_matches(mine, squeezed, n=1, cutoff=0.7)
    return squeezed[near[0]] if near else None


def count_unknown_types(kinds: Iterable[str], types: Collection[str]) -> list[str]:
    """What is to be said of predicted types that the domain does not have: the most frequent, and, where others may
    have been meant, what to type then.
    """
    unknown = Counter(kind for kind in kinds if kind not in types)
    if not unknown:
        return []
    named = ", ".join(f"{kind!r} ({count:,})" for kind, count in unknown.most_common(MOST_NAMED))
    others = f" and {len(unknown) - MOST_NAMED:,} others" if len(unknown) > MOST_NAMED else ""
    said = f"{unknown.total():,} predictions are of types that the domain does not have: {named}{others}"
    meant = {kind: known for kind, _ in unknown.most_common() if (known := guess_type(kind, types))}
    option = ",".join(f"{kind}={known}" for kind, known in meant.items() if not {",", "="} & set(kind + known))
    if option:
        asked = " and ".join(dict.fromkeys(map(repr, meant.values())))
        said += f"; if {asked} was meant, add --map {shlex.quote(option)}"
    return [said]
