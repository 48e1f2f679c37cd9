"""Entities as text: the prompt, the answer format, its parser, and the alignment of strings to token spans.

Shared by every generative method, so that their rows differ by model and training, not by how output was read.
The answer to a sentence is `(type, words) (type, words) …` in reading order, empty when there is none.
Nothing a model says is lost: what cannot be placed comes back as `Rejected` with its reason.
"""

from __future__ import annotations

import random
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ..errors import DataError
from ..types import Entity, Prediction, Reason, Rejected, Sentence

UNKNOWN = "<unk>"
_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mention:
    """One `(type, text)` item of an answer, before it is placed."""

    type: str
    text: str


def prompt(sentence: Sentence, types: Iterable[str], order: random.Random | None = None) -> str:
    """INSTRUCTION, OPTIONS and SENTENCE: TOPT's Eq. 6, in the wording of its released code.

    The options are sorted, so that all methods and runs see the same, or in a random `order` drawn anew.
    """
    options = sorted(types)
    if order is not None:
        order.shuffle(options)
    return (
        f"The task is to label named entities from in the given sentence and the entity should be chosen in "
        f"[{', '.join(options)}].\n"
        f"Please answer in the format (entity type, entity).\n"
        f"Here is the sentence: \n{sentence.text}"
    )


def answer(sentence: Sentence, entities: Iterable[Entity] | None = None) -> str:
    """The text a model should generate for `entities` (the gold ones, if None)."""
    chosen = sentence.entities if entities is None else sorted(entities)
    return " ".join(f"({e.type}, {sentence.surface(e)})" for e in chosen)


# An item ends at the first ')' before the next item or the end of the text, so commas and brackets inside an entity
# survive. A type never starts or ends with a space, which tokenised text such as "( Berkeley , CA )" does.
# Between the items of a chatty answer there may be other text; there, an item has no brackets inside.
_TYPE = r"[^\s,()](?:[^,()]{0,58}[^\s,()])?"
_START = re.compile(rf"\(({_TYPE}),([ ]?)")
_END = re.compile(r"\)(?=[\s,;.]*(\Z|\())")
_LOOSE_ITEM = re.compile(rf"\(({_TYPE}),[ ]?([^()]+)\)")
_Item = tuple[int, int, Mention]


def parse(text: str) -> tuple[list[Mention], list[str]]:
    """The `(type, text)` items of an answer in order, and the fragments that are none.

    Whatever is not white space or one of `( ) , ; .` is in exactly one of them. The time is linear in the length.
    """
    items: list[Mention] = []
    fragments: list[str] = []
    for between, item in _split(text, find_items(text)):
        for rest, loose in _split(between, _find_loose_items(between)):
            fragments.append(rest)
            items += loose
        items += item
    return items, [piece.strip() for piece in fragments if "".join(piece.split()).strip(",;.")]


def _split(text: str, items: Iterable[_Item]) -> Iterator[tuple[str, list[Mention]]]:
    """The text before each item, with the item; at last the rest, with none."""
    end = 0
    for start, stop, mention in items:
        yield text[end:start], [mention]
        end = stop
    yield text[end:], []


def find_items(text: str) -> Iterator[_Item]:
    """The items that end at the first possible ')' with no start of another item, `(type, `, before it."""
    starts = list(_START.finditer(text))
    openings = [match.start() for match in starts if match[2]]
    ends = list(_find_ends(text, frozenset(openings)))
    done = 0
    for match in starts:
        if match.start() < done:
            continue
        # The space after the comma belongs to the text if there is nothing else: "(type, )".
        for begin in dict.fromkeys((match.end(), match.end(1) + 1)):
            nth = bisect_left(ends, begin + 1)
            following = bisect_left(openings, begin)
            if nth < len(ends) and (following == len(openings) or openings[following] >= ends[nth]):
                done = ends[nth] + 1
                yield match.start(), done, _make_mention(match[1], text[begin : ends[nth]])
                break


def _find_ends(text: str, openings: frozenset[int]) -> Iterator[int]:
    """Every ')' that the end of the text or a `(type, ` follows, with nothing but separators between."""
    for match in _END.finditer(text):
        if not match[1] or match.start(1) in openings:
            yield match.start()


def _find_loose_items(text: str) -> Iterator[_Item]:
    for match in _LOOSE_ITEM.finditer(text):
        yield match.start(), match.end(), _make_mention(match[1], match[2])


def _make_mention(kind: str, text: str) -> Mention:
    return Mention(kind, " ".join(text.split()))


def read(text: str, sentence: Sentence, types: Iterable[str], *, fold: bool = False) -> Prediction:
    """Parse an answer and place it in its sentence. Every item becomes an entity or a `Rejected`.

    With `fold`, case and accents do not matter: for a model whose vocabulary has neither. Raises `DataError` if types
    differ in nothing else.
    """
    mentions, fragments = parse(text)
    if fold:
        mentions = _name_types(mentions, types)
    entities, rejected = align(mentions, sentence.tokens, types, fold=fold)
    rejected += [Rejected("?", fragment, Reason.MALFORMED) for fragment in fragments]
    return Prediction(sentence.id, tuple(sorted(entities)), tuple(rejected), raw=text)


def _name_types(mentions: Sequence[Mention], types: Iterable[str]) -> list[Mention]:
    """The mentions with the domain's types where theirs differ from one in case and accents only."""
    known = set(types)
    names = {fold_text(kind): kind for kind in sorted(known)}
    if len(names) < len(known):
        same = next(kind for kind in sorted(known) if names[fold_text(kind)] != kind)
        raise DataError(
            f"the types {same!r} and {names[fold_text(same)]!r} are one to a vocabulary without case",
            hint="rename one of them, or take a backbone that knows upper case",
        )
    return [Mention(names.get(fold_text(m.type), m.type), m.text) for m in mentions]


def fold_text(text: str) -> str:
    """Without case and accents, as uncased BERT vocabularies read a text."""
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")


def align(
    mentions: Sequence[Mention], tokens: Sequence[str], types: Iterable[str], *, fold: bool = False
) -> tuple[list[Entity], list[Rejected]]:
    """Place mentions in a sentence; with `fold`, whatever the case and the accents of their texts are.

    If all that occur in it can be placed one after the other, from left to right, they are. Otherwise the longest is
    placed first; each takes a free occurrence after the mentions said before it and before those said after it;
    failing that, the first after the earlier ones; failing that, the first free one. Reasons for rejection:
    `unknown type`, `not in sentence`, `repeat` (the text occurs, with this type, but not that often) and `occupied`
    (all its occurrences are taken by other mentions).
    """
    known = frozenset(types)
    spell = fold_text if fold else str
    text = Searchable([spell(token) for token in tokens])
    spans = [text.find(spell(mention.text)) if mention.type in known else [] for mention in mentions]
    chosen = _place_in_order(spans) or _place_longest_first(mentions, spans)
    entities = {n: Entity(*span, mentions[n].type) for n, span in chosen.items()}
    placed = frozenset(entities.values())
    rejected = []
    for n, mention in enumerate(mentions):
        if n in entities:
            continue
        if mention.type not in known:
            reason = Reason.UNKNOWN_TYPE
        elif not spans[n]:
            reason = Reason.NOT_IN_SENTENCE
        elif repeated := [span for span in spans[n] if Entity(*span, mention.type) in placed]:
            start, end = repeated[0]
            rejected.append(Rejected(mention.type, " ".join(tokens[start:end]), Reason.REPEAT))
            continue
        else:
            reason = Reason.OCCUPIED
        rejected.append(Rejected(mention.type, mention.text, reason))
    return list(entities.values()), rejected


def _place_in_order(spans: Sequence[Sequence[_Span]]) -> dict[int, _Span] | None:
    chosen: dict[int, _Span] = {}
    end = 0
    for n, options in enumerate(spans):
        if options:
            span = next((s for s in options if s[0] >= end), None)
            if span is None:
                return None
            chosen[n], end = span, span[1]
    return chosen


def _place_longest_first(mentions: Sequence[Mention], spans: Sequence[Sequence[_Span]]) -> dict[int, _Span]:
    chosen: dict[int, _Span] = {}
    candidates = [n for n, options in enumerate(spans) if options]
    for n in sorted(candidates, key=lambda i: -len(_squeeze(mentions[i].text))):
        free = [s for s in spans[n] if all(s[1] <= start or end <= s[0] for start, end in chosen.values())]
        low = max((end for i, (_, end) in chosen.items() if i < n), default=0)
        high = min((start for i, (start, _) in chosen.items() if i > n), default=1 << 60)
        after = [s for s in free if s[0] >= low]
        between = [s for s in after if s[1] <= high]
        best = between or after or free
        if best:
            chosen[n] = best[0]
    return chosen


class Searchable:
    """A sentence to be searched by words or, since models detokenise, by characters between token bounds."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = [_normalise(token) for token in tokens]
        squeezed = [_squeeze(token) for token in tokens]
        self.chars = "".join(squeezed)
        ends = list(accumulate(map(len, squeezed)))
        self.bounds = list(zip([0, *ends], ends, strict=False))  # of each token in the characters
        self.last = {end: n for n, (start, end) in enumerate(self.bounds) if end > start}

    def find(self, text: str) -> list[_Span]:
        """The token spans that read `text`: as the same tokens if there are such, else as the same characters."""
        # No normalisation makes a text ten times shorter, and that of a very long one is slow.
        if len(text) > 10 * (len(self.chars) + 1):
            return []
        words = _normalise(text).split()
        size = len(words)
        exact = [
            (i, i + size) for i in range(len(self.tokens) - size + 1) if size and self.tokens[i : i + size] == words
        ]
        return exact or self.find_characters(_squeeze(text))

    def find_characters(self, text: str) -> list[_Span]:
        """The spans whose characters read `text`, which is given without white space and may hold unknown-symbols."""
        parts = text.split(UNKNOWN)
        if not any(parts) or len(parts) - 1 + sum(map(len, parts)) > len(self.chars):
            return []
        stops = self._find_stops(parts)
        return [
            (n, self.last[stops[start]] + 1)
            for n, (start, end) in enumerate(self.bounds)
            if end > start and start in stops
        ]

    def _find_stops(self, parts: Sequence[str]) -> dict[int, int]:
        """Where the parts, read one after the other from a character, end at the end of a token.

        A vocabulary's unknown-symbol stands between two parts, for one or more characters of one token: as many as
        can be. Found from the last part to the first, in time proportional to parts times characters.
        """
        stops = {end: end for end in self.last}
        for n in reversed(range(len(parts))):
            if n < len(parts) - 1:
                stops = self._step_over_unknown(stops)
            part = parts[n]
            stops = {i - len(part): stop for i, stop in stops.items() if self.chars.endswith(part, 0, i)}
        return stops

    def _step_over_unknown(self, stops: dict[int, int]) -> dict[int, int]:
        before = {}
        for start, end in self.bounds:
            furthest = next((i for i in range(end, start, -1) if i in stops), start)
            before.update(dict.fromkeys(range(start, furthest), stops.get(furthest, 0)))
        return before


class Grammar:
    """The answers that a sentence allows: items of a known type and a span each, from left to right, none said twice.

    For constrained decoding. White space does not matter, as models detokenise; with `fold`, neither do case and
    accents. Every gold answer is allowed, and of whatever is, `read` places all.
    """

    def __init__(self, sentence: Sentence, types: Iterable[str], *, fold: bool = False) -> None:
        self.spell = fold_text if fold else str
        self.text = Searchable([self.spell(token) for token in sentence.tokens])
        self.starts = [start for start, end in self.text.bounds if end > start]
        self.heads = [f"({_squeeze(self.spell(kind))}," for kind in sorted(types)]

    def allows(self, text: str) -> bool:
        """Whether an answer may begin with this text."""
        return self._continues(_squeeze(self.spell(text)), 0, begun=True)

    def accepts(self, text: str) -> bool:
        """Whether this text is a whole answer."""
        return self._continues(_squeeze(self.spell(text)), 0, begun=False)

    def _continues(self, text: str, after: int, *, begun: bool) -> bool:
        """Whether text is items whose spans start at character `after` or later; the last may only be `begun`."""
        if not text:
            return True
        for head in self.heads:
            if begun and head.startswith(text):
                return self._find_start("", after)
            if not text.startswith(head):
                continue
            said = text[len(head) :]
            if begun and self._find_start(said, after):
                return True
            for close in (n for n, character in enumerate(said) if character == ")"):
                end = self._find_end(said[:close], after)
                if end is not None and self._continues(said[close + 1 :], end, begun=begun):
                    return True
        return False

    def _find_start(self, said: str, after: int) -> bool:
        """Whether what is said can become a span that starts at a character or later."""
        if UNKNOWN not in said:
            return any(start >= after and self.text.chars.startswith(said, start) for start in self.starts)
        pattern = re.compile(".+".join(map(re.escape, said.split(UNKNOWN))))
        return any(start >= after and pattern.match(self.text.chars, start) for start in self.starts)

    def _find_end(self, said: str, after: int) -> int | None:
        """Where the first span that reads so, and starts at a character or later, ends."""
        bounds = self.text.bounds
        for first, last in self.text.find_characters(said):
            if bounds[first][0] >= after:
                return bounds[last - 1][1]
        return None


def _normalise(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _squeeze(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
