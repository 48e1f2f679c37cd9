"""What a corpus of explanations must not know: the sentences and entities of the dev and test splits."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..types import Corpus, Sentence
from . import gtok
from .gtok import Explanation, Record

SENTENCE = "dev or test sentence"
NO_GOLD = "not in the train gold"
HELD_OUT = "held-out entity"
REASONS = {
    SENTENCE: "the record is about a sentence of the dev or test split",
    NO_GOLD: "no entity of the train split has these words and this type, or the words are not in the sentence",
    HELD_OUT: "the explanation names an entity that only the dev or test gold knows",
}
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Leak:
    """Why an explanation, or a record without any, must not be learnt from. `record` counts from 0."""

    record: int
    span: str
    type: str
    reason: str
    detail: str


class HeldOut:
    """What only the dev and test splits of a corpus know. The corpus must have its test split.

    An entity is held out if its words do not follow one another in the text of the train split, in whatever case and
    the last one with whatever ending (who reads "American" knows America), and if it can be told from common words:
    it has a capital letter or several tokens.
    """

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.pairs = frozenset((s.surface(e), e.type) for s in corpus.train for e in s.entities)
        train = "\n".join(f" {' '.join(_WORD.findall(s.text))}" for s in corpus.train).casefold()
        self.surfaces = [
            surface
            for surface in dict.fromkeys(_list_tellable(corpus.dev) + _list_tellable(corpus.test))
            if f" {' '.join(_WORD.findall(surface))}".casefold() not in train
        ]
        self._by_first_word: dict[str, list[tuple[list[str], str]]] = defaultdict(list)
        for words, surface in sorted(((_WORD.findall(s), s) for s in self.surfaces), key=lambda known: -len(known[0])):
            if words:
                self._by_first_word[words[0]].append((words, surface))

    def find_mentions(self, text: str) -> list[str]:
        """The held-out entities that a text names: word for word, case-sensitive, the longest at each place."""
        words = _WORD.findall(text)
        surfaces: dict[str, None] = {}
        i = 0
        while i < len(words):
            candidates = self._by_first_word.get(words[i], ())
            said = next((known for known in candidates if words[i : i + len(known[0])] == known[0]), None)
            if said:
                surfaces[said[1]] = None
            i += len(said[0]) if said else 1
        return list(surfaces)

    def why_not(self, explanation: Explanation) -> tuple[str, str] | None:
        """The first reason not to learn from an explanation, with its detail; None if there is none.

        Sentences that a deduplicated benchmark has removed are passed over, as methods pass them over.
        """
        if gtok.is_removed(explanation.sentence, self.corpus):
            return None
        if self.corpus.withholds(explanation.sentence):
            return SENTENCE, explanation.sentence
        if (explanation.span, explanation.type) not in self.pairs or explanation.span not in explanation.sentence:
            return NO_GOLD, explanation.sentence
        named = self.find_mentions(explanation.text)
        return (HELD_OUT, ", ".join(named)) if named else None

    def find_leaks(self, records: Sequence[Record]) -> Iterator[Leak]:
        """Everything in `records` that must not be learnt from, in their order."""
        for n, record in enumerate(records):
            if not record.explanations and self._is_withheld(record.sentence):
                yield Leak(n, "", "", SENTENCE, record.sentence)
            for e in record.explanations:
                why = self.why_not(e)
                if why:
                    yield Leak(n, e.span, e.type, *why)

    def _is_withheld(self, sentence: str) -> bool:
        return not gtok.is_removed(sentence, self.corpus) and self.corpus.withholds(sentence)


def check(path: Path, corpus: Corpus) -> list[Leak]:
    """What a GTOK file gives away about the dev and test splits of `corpus`.

    A file without findings is one that methods can read; raises `DataError` where they would.
    """
    findings = list(HeldOut(corpus).find_leaks(gtok.records(path)))
    if not findings:
        gtok.read(path, corpus.without_test())
    return findings


def _list_tellable(sentences: Sequence[Sentence]) -> list[str]:
    """The entities that are no single word in lower case: these stand in any text."""
    mentioned = ((s.surface(e), e) for s in sentences for e in s.entities)
    return [surface for surface, e in mentioned if e.end - e.start > 1 or surface != surface.lower()]
