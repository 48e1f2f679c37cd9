"""The values everything else speaks in: frozen, checked when made, free of any library.

Offsets count tokens, are half-open (`start` included, `end` not) and never refer to characters or sub-words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from .errors import DataError, did_you_mean
from .hashing import digest

HIGHEST_SEED = 2**32 - 1
"""The highest seed of a run or a measurement: numpy's generators take no other."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The 95 % interval of a number. It need not hold the number: that of a mean over samples may not."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"not an interval: [{self.low}, {self.high}]")


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A typed span of tokens, `tokens[start:end]`."""

    start: int
    end: int
    type: str

    def __post_init__(self) -> None:
        if type(self.start) is not int or type(self.end) is not int:
            raise DataError(f"offsets are int, not {type(self.start).__name__} and {type(self.end).__name__}")
        if not 0 <= self.start < self.end:
            raise DataError(f"not a span of tokens: [{self.start}, {self.end})")
        if not self.type:
            raise DataError(f"the entity at [{self.start}, {self.end}) has no type")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens and, where they are known, the gold entities: in order and without overlap."""

    id: str
    tokens: tuple[str, ...]
    entities: tuple[Entity, ...] = ()

    def __post_init__(self) -> None:
        if not self.tokens:
            raise DataError(f"sentence {self.id} has no tokens")
        end = 0
        for entity in self.entities:
            if entity.start < end:
                raise DataError(f"sentence {self.id}: {entity} overlaps the entity before it, or is out of order")
            end = entity.end
        if end > len(self.tokens):
            raise DataError(f"sentence {self.id}: an entity ends at {end} of {len(self.tokens)} tokens")

    @property
    def text(self) -> str:
        """The tokens joined by single spaces, never detokenised."""
        return " ".join(self.tokens)

    def surface(self, entity: Entity) -> str:
        """The words of one entity."""
        return " ".join(self.tokens[entity.start : entity.end])

    def unlabeled(self) -> Sentence:
        """The same sentence without gold: what a method sees when it predicts."""
        return replace(self, entities=())


@dataclass(frozen=True, slots=True)
class Corpus:
    """One domain: its entity types, its three splits, and other files about it.

    `resources` maps a name (`gtok`, `dapt`) to a file; a method that needs one says so in its `Spec`.
    `withheld` are SHA-256 digests of the test sentences, for a method that must check its own material for leaks;
    `removed` are those of the train sentences that a deduplicated benchmark has taken out.
    """

    name: str
    types: tuple[str, ...]
    train: tuple[Sentence, ...] = ()
    dev: tuple[Sentence, ...] = ()
    test: tuple[Sentence, ...] = ()
    resources: Mapping[str, Path] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        known = set(self.types)
        for sentence in (*self.train, *self.dev, *self.test):
            for entity in sentence.entities:
                if entity.type not in known:
                    raise DataError(f"sentence {sentence.id}: {entity.type!r} is not a type of {self.name}")

    def fingerprint(self) -> str:
        """SHA-256 of everything a method can learn from here: types, train and dev. Belongs in a shared stage's key."""
        splits = [
            [(s.tokens, [(e.start, e.end, e.type) for e in s.entities]) for s in part]
            for part in (self.train, self.dev)
        ]
        return digest([self.name, self.types, splits])

    def without_test(self) -> Corpus:
        """What a method gets: the test split stays with the harness."""
        return replace(self, test=(), withheld=frozenset(digest(s.text) for s in self.test))

    def withholds(self, text: str) -> bool:
        """Whether `text` is a sentence of the dev or test split, and not of the train split too."""
        sentence = " ".join(text.split())
        if any(sentence == s.text for s in self.train):
            return False
        return digest(sentence) in self.withheld or any(sentence == s.text for s in (*self.dev, *self.test))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One transfer experiment: learn on `sources`, adapt to `target`, be judged on its test split."""

    setting: str
    sources: tuple[str, ...]
    target: str

    def __str__(self) -> str:
        return f"{self.setting}/{self.target}"


class Reason(StrEnum):
    """Why something that a method said is no span of its sentence. To repeat what was placed is no second claim, and
    prose is none; each of the others is a false positive.
    """

    NOT_IN_SENTENCE = "not in sentence"
    UNKNOWN_TYPE = "unknown type"
    OCCUPIED = "occupied"
    MALFORMED = "malformed"
    REPEAT = "repeat"
    PROSE = "prose"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something a method said that is no span of the sentence. It counts as a false positive, unless it is a repeat or
    prose; `reason` says why, as a `Reason` or as its text, and is a `Reason` from then on.

    `type` is what the method called it, known or not, or "?" where that could not be read.
    """

    type: str
    text: str
    reason: Reason | str

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "reason", Reason(self.reason))
        except ValueError:
            hint = did_you_mean(str(self.reason), [reason.value for reason in Reason])
            raise DataError(f"no reason to reject is called {self.reason!r}", hint=hint) from None


class Cut(StrEnum):
    """What a length limit cut off: the end of what the method read, or of what it said."""

    PROMPT = "prompt"
    ANSWER = "answer"


class Doubt(StrEnum):
    """Why the score of a finished run may say nothing about its method: training that did not train, or predictions
    that no method worth the name makes.
    """

    NO_STEP = "no gradient step was done"
    NOT_FINITE = "a number of training was not finite"
    DEV_ZERO = "no epoch found an entity of dev"
    NOTHING_SAID = "nothing was predicted"
    NOTHING_PLACED = "nothing that was predicted is a span of its sentence"
    NOTHING_RIGHT = "nothing that was predicted is right"
    ALL_ALIKE = "nearly all sentences have the same answer"


class Given(StrEnum):
    """What a method may learn from. Labels are those of train and dev: who chooses an epoch by dev has seen them."""

    SOURCE_LABELS = "source labels"
    TARGET_LABELS = "target labels"
    EXPLANATIONS = "explanations"
    UNLABELLED = "unlabelled text"
    PRETRAINED = "a pre-trained model"


class Read(StrEnum):
    """Whether case and accents mattered when an answer was read."""

    CASED = "cased"
    FOLDED = "folded"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a method said about one sentence.

    `entities` are spans of known types; `rejected` is everything else it said. `raw` is the generated text of a
    text-to-text method, `tags` the unrepaired BIO tags of a tagger, one a token; some protocols read them. `cut` says
    what did not fit, `unseen` how many tokens at the end of the sentence the method did not wholly read. `read` is set
    by `text2text.read`: how `raw` was read, so that it can be read again by another rule; a method that reads its texts
    itself leaves it out.
    """

    sentence_id: str
    entities: tuple[Entity, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    raw: str | None = None
    tags: tuple[str, ...] | None = None
    cut: tuple[Cut, ...] = ()
    unseen: int = 0
    read: Read | None = field(default=None, compare=False)
