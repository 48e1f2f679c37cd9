"""Strings placed in their sentence: each becomes a span of tokens, or is rejected with its reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate

from ...types import Entity, Reason, Rejected
from .items import Mention

UNKNOWN = "<unk>"
_Span = tuple[int, int]


def fold_text(text: str) -> str:
    """Without case and accents, as uncased BERT vocabularies read a text."""
    if text.isascii():
        return text.lower()
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
    text = make_searchable(tuple(tokens), fold=fold)
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
    for n in sorted(candidates, key=lambda i: -len(squeeze(mentions[i].text))):
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
        squeezed = [squeeze(token) for token in tokens]
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
        return self._find_words(words) or self.find_characters("".join(words))

    def _find_words(self, words: Sequence[str]) -> list[_Span]:
        if not words or words[0] not in self.tokens:
            return []
        starts = [n for n, token in enumerate(self.tokens) if token == words[0]]
        return [(n, n + len(words)) for n in starts if self.tokens[n : n + len(words)] == words]

    def find_characters(self, text: str) -> list[_Span]:
        """The spans whose characters read `text`, which is given without white space and may hold unknown-symbols."""
        parts = text.split(UNKNOWN)
        if not any(parts) or len(parts) - 1 + sum(map(len, parts)) > len(self.chars):
            return []
        if not all(part in self.chars for part in parts):
            return []  # nearly always, of what is not there, and told fast
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


def _normalise(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def squeeze(text: str) -> str:
    """A text without white space, in the normal form that both sides of an alignment have."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@lru_cache(maxsize=64)
def make_searchable(tokens: tuple[str, ...], *, fold: bool) -> Searchable:
    """The sentence of these tokens: all that is asked of it while its answers are read is asked of one."""
    return Searchable([fold_text(token) for token in tokens] if fold else tokens)
