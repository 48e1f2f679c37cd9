"""From an answer to spans, in one of two readings: `lenient`, in which how an answer is wrapped costs nothing, and
strict, in which whatever is no `(type, words)` item is malformed. Nothing that an answer claims is lost in either.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...types import Prediction, Read, Reason, Rejected, Sentence
from .alignment import align, fold_text, make_searchable
from .items import Mention, parse, split
from .naming import check_folded, is_none, name_type
from .objects import looks_like_json, read_exactly, read_loosely
from .packaging import strip_marks, strip_quotes, unwrap

_PAIR = re.compile(r"([^\s:=|→(),][^:=|→(),]{0,80}?)\s*(?:[:=|→,]|\s[-–—]+\s)\s*(\S.*)")
_BRACKETED_TYPE = re.compile(r"(\S.*?)\s*[(\[]([^()\[\]]+)[)\]]")
_HEAD = re.compile(r"\(\s*([^\s,()][^,()]{0,80}?)\s*,\s*")
_BRACKETED_PAIR = re.compile(r"\(([^\s():=|,][^():=|,]{0,58}?)\s*[:=|]\s*([^()]+)\)")


def read(
    text: str, sentence: Sentence, types: Iterable[str], *, fold: bool = False, strict: bool = False
) -> Prediction:
    """Read an answer and place it in its sentence. Every claim becomes an entity or a `Rejected`; what is no claim is
    kept as prose. With `strict`, there is no prose, and packaging is malformed (docs/scoring.md).

    With `fold`, case and accents do not matter: for a model whose vocabulary has neither. Raises `DataError` if types
    differ in nothing else.
    """
    known = list(types)
    if fold:
        check_folded(known)
    found = _read_strictly(text, known, fold=fold) if strict else _Reader(text, sentence, known, fold=fold).read()
    entities, rejected = align(found.mentions, sentence.tokens, known, fold=fold)
    rejected += [Rejected("?", piece, Reason.MALFORMED) for piece in found.malformed]
    rejected += [Rejected("?", piece, Reason.PROSE) for piece in found.prose]
    how = Read.FOLDED if fold else Read.CASED
    return Prediction(sentence.id, tuple(sorted(entities)), tuple(rejected), raw=text, read=how)


def read_again(prediction: Prediction, sentence: Sentence, types: Iterable[str], *, strict: bool = False) -> Prediction:
    """A prediction that `read` made of a text, read once more, by today's rules or strictly; any other as it is."""
    known = list(types)
    how = prediction.read or _guess_reading(prediction, sentence, known)
    if prediction.raw is None or how is None:
        return prediction
    again = read(prediction.raw, sentence, known, fold=how is Read.FOLDED, strict=strict)
    return replace(again, cut=prediction.cut, unseen=prediction.unseen)


def _guess_reading(prediction: Prediction, sentence: Sentence, types: Sequence[str]) -> Read | None:
    """How a prediction of an older file was read, None if one of another method's own reading. Until there were two
    readings, there was the strict one.
    """
    if prediction.raw is None:
        return None
    how = Read.FOLDED if was_folded(prediction, sentence) else Read.CASED
    then = read(prediction.raw, sentence, types, fold=how is Read.FOLDED, strict=True)
    return how if (then.entities, then.rejected) == (prediction.entities, prediction.rejected) else None


def was_folded(prediction: Prediction, sentence: Sentence) -> bool:
    """Whether an answer without any upper case was placed where the sentence has some: case did not matter then."""
    if prediction.read is not None:
        return prediction.read is Read.FOLDED
    raw = prediction.raw
    if raw is None or raw != fold_text(raw):
        return False
    return any(surface != fold_text(surface) for surface in map(sentence.surface, prediction.entities))


@dataclass
class _Found:
    """What an answer claims, what in it is malformed, and what is no claim."""

    mentions: list[Mention] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)


def _read_strictly(text: str, types: Collection[str], *, fold: bool) -> _Found:
    exact = read_exactly(text)
    mentions, malformed = parse(text) if exact is None else (exact, [])
    if fold:
        names = {fold_text(kind): kind for kind in types}
        mentions = [Mention(names.get(fold_text(m.type), m.type), m.text) for m in mentions]
    return _Found(mentions, malformed)


class _Reader:
    """One answer in the lenient reading."""

    def __init__(self, text: str, sentence: Sentence, types: Sequence[str], *, fold: bool) -> None:
        self.types, self.sentence = types, sentence
        self.text = _HEAD.sub(self._tidy, text)
        self.spell = fold_text if fold else str
        self.found = _Found()
        self.searchable = make_searchable(sentence.tokens, fold=fold)

    def read(self) -> _Found:
        """What the answer says."""
        mentions, fragments = parse(self.text)
        if not fragments:
            for mention in mentions:
                self._take(mention)
            return self.found
        text, unended = unwrap(self.text, self.sentence.text)
        if looks_like_json(text) or (not mentions and re.search(r'[{\[]\s*["{\[]', text)):
            self._read_json(text)
        else:
            self._read_items(text)
        if unended:
            self.found.malformed.append(unended)
        return self.found

    def _tidy(self, head: re.Match[str]) -> str:
        """The beginning of an item as it is asked for, whatever white space is around its type."""
        return f"({head[1]}, " if self._is_type(head[1]) else head[0]

    def _read_json(self, text: str) -> None:
        mentions, rest = read_loosely(text.strip(), self.types)
        for mention in mentions:
            self._take(mention)
        for piece in rest:
            if re.search(r'^[{\[]|"\s*:|:\s*"', piece):
                self.found.malformed.append(piece)
            else:
                self._read_items(piece)

    def _read_items(self, text: str) -> None:
        line: list[str] = []
        for piece in split(strip_marks(text, self.sentence.text)):
            if isinstance(piece, Mention):
                self._take(piece)
                line.append("\0")
            else:
                line.append(piece)
        for whole in "".join(line).split("\n"):
            pieces = whole.split("\0")
            for piece in pieces:
                self._sort(piece, alone=len(pieces) == 1)

    def _take(self, mention: Mention) -> None:
        """An item, its type as the domain spells it and its text without quotes that the sentence does not have."""
        kind = name_type(mention.type, self.types)
        text = mention.text
        if (bare := strip_quotes(text)) != text and not self._occurs(text):
            text = bare
        if not self._occurs(text) and ")" in text:
            text = self._cut_at_bracket(text)
        nothing = (kind not in self.types and is_none(kind)) or (is_none(text) and not self._occurs(text))
        if nothing:
            self.found.prose.append(f"({mention.type}, {mention.text})")
        else:
            self.found.mentions.append(Mention(kind, text))

    def _cut_at_bracket(self, text: str) -> str:
        """The beginning of a text up to a bracket, if that is in the sentence; the rest was said behind the item."""
        for end in (n for n, character in enumerate(text) if character == ")"):
            if self._occurs(text[:end]):
                self._sort(f"{text[end + 1 :]})" if "(" in text[end:] else text[end + 1 :], alone=True)
                return text[:end].strip()
        return text

    def _sort(self, piece: str, *, alone: bool) -> None:
        """A piece between items, or a line of its own: a claim in other words, malformed, or prose."""
        for pair in _BRACKETED_PAIR.finditer(piece):
            if self._is_type(pair[1]):
                self._take(Mention(pair[1], pair[2]))
                piece = piece.replace(pair[0], " ")
        piece = piece.strip().strip(",;.")
        if not any(character.isalnum() for character in piece):
            return
        mention = self._read_line(piece) if alone else None
        if mention:
            self._take(mention)
        elif self._is_begun(piece) or (alone and self._is_bare_mention(piece)):
            self.found.malformed.append(piece)
        else:
            self.found.prose.append(piece)

    def _read_line(self, line: str) -> Mention | None:
        """A claim in another form than was asked for: `type: words`, or `words: type` and `words (type)` where the
        words are in the sentence.
        """
        if line.count("(") != line.count(")"):
            return None
        pair = _PAIR.fullmatch(line)
        if pair and self._is_type(pair[1]):
            return Mention(pair[1], pair[2])
        pair = pair or _BRACKETED_TYPE.fullmatch(line)
        if pair and self._is_type(pair[2]) and self._occurs(strip_quotes(pair[1])):
            return Mention(pair[2], pair[1])
        return None

    def _is_type(self, text: str) -> bool:
        return name_type(text, self.types) in self.types

    def _is_begun(self, piece: str) -> bool:
        """Whether a piece begins an item, or has one in it that cannot be read."""
        opened = piece.rfind("(")
        if opened < 0:
            return False
        inside = piece[opened + 1 :]
        said = re.split(r"[,)]", inside)[0]
        return ")" not in inside or self._is_type(said.strip())

    def _is_bare_mention(self, piece: str) -> bool:
        """Whether a line is a part of the sentence, or ends in one behind a comma within brackets: a mention without a
        type, or with one that cannot be read.
        """
        bare = strip_quotes(piece.strip("()[]{} "))
        if piece.startswith("("):
            bare = bare.rpartition(",")[2]
        return self._occurs(bare) and self.spell(" ".join(bare.split())) != self.spell(self.sentence.text)

    def _occurs(self, text: str) -> bool:
        return bool(self.searchable.find(self.spell(text)))
