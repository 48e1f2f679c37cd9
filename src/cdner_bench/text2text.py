"""Entities as text: the prompt, the answer format, its parser, and the alignment of strings to token spans.

Shared by every generative method, so that their rows differ by model and training, not by how output was read.
The answer to a sentence is `(type, words) (type, words) …` in reading order, empty when there is none.
Nothing a model says is lost: what cannot be placed comes back as `Rejected` with its reason.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .types import Entity, Prediction, Rejected, Sentence

UNKNOWN = "<unk>"
_BOUND = "\x00"


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


# An item ends at the ')' before the next item or the end of the text, so commas and brackets inside an entity
# survive. A type never starts or ends with a space, which tokenised text such as "( Berkeley , CA )" does.
# Between the items of a chatty answer there may be other text; there, an item has no brackets inside.
_TYPE = r"[^\s,()](?:[^,()]{0,58}[^\s,()])?"
_ITEM = re.compile(rf"\(({_TYPE}),[ ]?((?:(?!\({_TYPE}, ).)+?)\)(?=[\s,;.]*\({_TYPE}, |[\s,;.]*$)", re.DOTALL)
_LOOSE_ITEM = re.compile(rf"\(({_TYPE}),[ ]?([^()]+)\)")


def parse(text: str) -> tuple[list[Mention], list[str]]:
    """The `(type, text)` items of an answer in order, and the fragments that are none."""
    items: list[Mention] = []
    fragments: list[str] = []
    for item, between in _split(text, _ITEM):
        for loose, rest in _split(between, _LOOSE_ITEM):
            fragments.append(rest)
            items += loose
        items += item
    return items, [piece.strip() for piece in fragments if piece.strip(" \t\r\n,;.")]


def _split(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[list[Mention], str]]:
    """The text before each item, with the item; at last the rest, with none."""
    end = 0
    for match in pattern.finditer(text):
        yield [Mention(match[1], " ".join(match[2].split()))], text[end : match.start()]
        end = match.end()
    yield [], text[end:]


def read(text: str, sentence: Sentence, types: Iterable[str]) -> Prediction:
    """Parse an answer and place it in its sentence. Every item becomes an entity or a `Rejected`."""
    mentions, fragments = parse(text)
    entities, rejected = align(mentions, sentence.tokens, types)
    rejected += [Rejected("?", fragment, "malformed") for fragment in fragments]
    return Prediction(sentence.id, tuple(sorted(entities)), tuple(rejected), raw=text)


def align(
    mentions: Sequence[Mention], tokens: Sequence[str], types: Iterable[str]
) -> tuple[list[Entity], list[Rejected]]:
    """Place mentions in a sentence.

    If all that occur in it can be placed one after the other, from left to right, they are. Otherwise the longest is
    placed first; each takes a free occurrence after the mentions said before it and before those said after it;
    failing that, the first after the earlier ones; failing that, the first free one. Reasons for rejection:
    `unknown type`, `not in sentence`, `repeat` (the text occurs, with this type, but not that often) and `occupied`
    (all its occurrences are taken by other mentions).
    """
    known = frozenset(types)
    text = _Text(tokens)
    spans = [text.find(mention.text) if mention.type in known else [] for mention in mentions]
    chosen = _in_order(spans) or _longest_first(mentions, spans)
    entities = {n: Entity(*span, mentions[n].type) for n, span in chosen.items()}
    placed = frozenset(entities.values())
    rejected = []
    for n, mention in enumerate(mentions):
        if n in entities:
            continue
        if mention.type not in known:
            reason = "unknown type"
        elif not spans[n]:
            reason = "not in sentence"
        elif repeated := [span for span in spans[n] if Entity(*span, mention.type) in placed]:
            start, end = repeated[0]
            rejected.append(Rejected(mention.type, " ".join(tokens[start:end]), "repeat"))
            continue
        else:
            reason = "occupied"
        rejected.append(Rejected(mention.type, mention.text, reason))
    return list(entities.values()), rejected


_Span = tuple[int, int]


def _in_order(spans: Sequence[Sequence[_Span]]) -> dict[int, _Span] | None:
    chosen: dict[int, _Span] = {}
    end = 0
    for n, options in enumerate(spans):
        if options:
            span = next((s for s in options if s[0] >= end), None)
            if span is None:
                return None
            chosen[n], end = span, span[1]
    return chosen


def _longest_first(mentions: Sequence[Mention], spans: Sequence[Sequence[_Span]]) -> dict[int, _Span]:
    chosen: dict[int, _Span] = {}
    for n in sorted(range(len(mentions)), key=lambda i: -len(_squeeze(mentions[i].text))):
        free = [s for s in spans[n] if all(s[1] <= start or end <= s[0] for start, end in chosen.values())]
        low = max((end for i, (_, end) in chosen.items() if i < n), default=0)
        high = min((start for i, (start, _) in chosen.items() if i > n), default=1 << 60)
        after = [s for s in free if s[0] >= low]
        between = [s for s in after if s[1] <= high]
        best = between or after or free
        if best:
            chosen[n] = best[0]
    return chosen


class _Text:
    """A sentence to be searched by words or, since models detokenise, by characters between token bounds."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = [_normal(token) for token in tokens]
        self.chars = _BOUND.join(_squeeze(token) for token in tokens)

    def find(self, text: str) -> list[tuple[int, int]]:
        """The token spans that read `text`: as the same tokens if there are such, else as the same characters."""
        words = _normal(text).split()
        size = len(words)
        exact = [
            (i, i + size) for i in range(len(self.tokens) - size + 1) if size and self.tokens[i : i + size] == words
        ]
        return exact or self._find_characters(_squeeze(text))

    def _find_characters(self, text: str) -> list[tuple[int, int]]:
        if not text.replace(UNKNOWN, ""):
            return []
        # A vocabulary's unknown-symbol stands for one or more characters of one token.
        parts = (f"{_BOUND}?".join(map(re.escape, part)) for part in text.split(UNKNOWN))
        inside = f"{_BOUND}?[^{_BOUND}]+{_BOUND}?".join(parts)
        spans = []
        for match in re.finditer(f"(?<![^{_BOUND}])(?=({inside})(?![^{_BOUND}]))", self.chars):
            start = self.chars.count(_BOUND, 0, match.start())
            spans.append((start, start + match[1].count(_BOUND) + 1))
        return spans


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _squeeze(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
