"""Sentences as a GLiNER2 reads them, and its answers as token spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from cdner_bench import CdnerError, Entity, Sentence
from cdner_torch.learner import Learner
from cdner_torch.portions import Portions
from cdner_torch.tagging.encoding import stretches
from cdner_torch.tagging.model import length_limit

LEAST = 16
"""How many sub-words of a sentence fit beside the names of the types at least."""
_ENDS = (".", "!", "?")


def split_at_blanks(text: str, lower: bool = True) -> Iterator[tuple[str, int, int]]:
    """The words of a stretch with their places, as the package asks for them: what lies between two blanks is one."""
    start = 0
    for word in text.split(" "):
        yield (word.lower() if lower else word), start, start + len(word)
        start += len(word) + 1


@dataclass(frozen=True)
class Stretch:
    """A sentence, or the part of it from the token `start` on that is read at once: one of its `words` is one token.

    It decides which entities begin at the tokens `decides` of the sentence. `gold` are entities within it, of which the
    offsets count from its beginning and the types are `names`. `size` is how many sub-words are read with it. `cut`
    says that a word is not read to its end.
    """

    sentence: int
    start: int
    words: tuple[str, ...]
    decides: range
    names: tuple[str, ...]
    gold: tuple[Entity, ...]
    size: int
    cut: bool

    def __len__(self) -> int:
        return self.size

    @property
    def text(self) -> str:
        """What is read. A full stop is added as a word where there is none, or the package would add it to a word."""
        text = " ".join(self.words)
        return text if text.endswith(_ENDS) else f"{text} ."

    @property
    def schema(self) -> dict[str, Any]:
        """What is asked for, with the places of what is to be found."""
        text, begins = self.text, self._begins
        asked: dict[str, list[dict[str, Any]]] = {name: [] for name in self.names}
        for entity in self.gold:
            start, end = begins[entity.start], begins[entity.end] - 1
            asked[entity.type].append({"text": text[start:end], "start": start, "end": end})
        return {"entities": asked}

    def place(self, answer: Mapping[str, Any]) -> tuple[int, int] | None:
        """The tokens of the sentence that an answer names by characters; None if it reaches into the added full stop,
        or if it is not for this stretch to decide.
        """
        places = {character: self.start + n for n, character in enumerate(self._begins)}
        start, end = places[answer["start"]], places.get(answer["end"] + 1)
        return (start, end) if end is not None and start in self.decides else None

    @property
    def _begins(self) -> list[int]:
        """Where each word begins, and where one after the last would."""
        return list(accumulate((len(word) + 1 for word in self.words), initial=0))


class Reader:
    """Makes stretches of sentences that a model's encoder can read together with the names of the types, and reads as
    many at once as `portions` says.
    """

    def __init__(self, network: Any) -> None:
        self._tokenize = lru_cache(maxsize=50_000)(network.processor.tokenizer.tokenize)
        self.limit = length_limit(network.encoder.config)
        self.portions = Portions(16, Learner.cells)

    def read(self, sentences: Sequence[Sentence], named: Mapping[str, str]) -> list[Stretch]:
        """The stretches of sentences in order. `named` are types by their names in words. Raises `CdnerError` if the
        names leave no room for a sentence.
        """
        prompt = ["(", "[P]", "entities", "(", *(part for name in named for part in ("[E]", name)), ")", ")"]
        before = sum(len(self._tokenize(part)) for part in (*prompt, "[SEP_TEXT]", "."))
        if self.limit - before < LEAST:
            raise CdnerError(
                f"the names of {len(named)} types take {before} of the {self.limit} sub-words that the backbone reads "
                "at once, and leave no room for a sentence",
                hint="give the types shorter words in the benchmark file ([domains.NAME.labels]), or ask for fewer",
            )
        names = {kind: name for name, kind in named.items()}
        return [s for n, sentence in enumerate(sentences) for s in self._cut(n, sentence, names, before)]

    def _cut(self, number: int, sentence: Sentence, names: Mapping[str, str], before: int) -> Iterator[Stretch]:
        room = self.limit - before
        whole = [token.replace(" ", "\u00a0") for token in sentence.tokens]
        words = [self._shorten(word, room) for word in whole]
        sizes = [len(self._tokenize(word.lower())) for word in words]
        for start, decides, end in stretches(sizes, room):
            gold = tuple(
                Entity(e.start - start, e.end - start, names[e.type])
                for e in sentence.entities
                if start <= e.start and e.end <= end
            )
            read, size = tuple(words[start:end]), before + sum(sizes[start:end])
            cut = words[start:end] != whole[start:end]
            yield Stretch(number, start, read, decides, tuple(names.values()), gold, size, cut)

    def _shorten(self, word: str, room: int) -> str:
        """A word, or as much of its beginning as fits."""
        while len(self._tokenize(word.lower())) > room:
            word = word[: len(word) // 2]
        return word
