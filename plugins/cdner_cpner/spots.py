"""What is read and said: the spots of the released code, or the items of this project's text-to-text methods.

A spot is `<extra_id_0> TYPE <extra_id_5> WORDS <extra_id_1>`; an answer has `<extra_id_0>` before its spots and
`<extra_id_1>` behind them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cdner_bench import Prediction, Reason, Rejected, Sentence, text2text

OPEN, CLOSE, TASK, IS, NOTHING = (f"<extra_id_{n}>" for n in (0, 1, 2, 5, 6))
MARKS = (OPEN, CLOSE, TASK, IS, NOTHING)

_SPOT = re.compile(rf"(.*?){IS}(.*?){CLOSE}(.*)", re.DOTALL)


@dataclass(frozen=True)
class Wording:
    """What is asked of a sentence of some types, what is to be answered, how an answer is read, and by which marks."""

    ask: Callable[[Sentence, Sequence[str]], str]
    answer: Callable[[Sentence], str]
    read: text2text.Reading
    marks: tuple[str, ...] = ()


def ask(sentence: Sentence, types: Sequence[str]) -> str:
    """The sentence alone: which types there are is what the prefix has learnt."""
    return f"{TASK} {sentence.text}"


def answer(sentence: Sentence) -> str:
    """The gold entities in reading order."""
    return write([(entity.type, sentence.surface(entity)) for entity in sentence.entities])


def write(spots: Sequence[tuple[str, str]]) -> str:
    """An answer of (type, words)."""
    return " ".join([OPEN, *(f"{OPEN} {kind} {IS} {words} {CLOSE}" for kind, words in spots), CLOSE])


def answer_noisily(sentence: Sentence, types: Sequence[str], rate: float, dice: random.Random) -> str:
    """The gold entities with, for each of them at `rate`, a record of nothing at a random place, with a random type
    that the sentence lacks; none where it lacks no type.
    """
    spots = [(entity.type, sentence.surface(entity)) for entity in sentence.entities]
    absent = sorted(set(types) - {kind for kind, _ in spots})
    drawn = sum(dice.random() < rate for _ in spots)
    for _ in range(drawn if absent else 0):
        spots.insert(dice.randint(0, len(spots)), (dice.choice(absent), NOTHING))
    return write(spots)


def read(text: str, sentence: Sentence, types: Sequence[str], /, *, fold: bool = False) -> Prediction:
    """Place the spots of an answer in its sentence. A record of nothing says nothing; what is no spot is malformed."""
    names = {_squeeze(kind, fold=fold): kind for kind in types}
    mentions, malformed = [], []
    for piece in text.split(OPEN):
        spot = _SPOT.fullmatch(piece)
        kind, words, rest = (part.strip() for part in spot.groups()) if spot else ("", "", piece)
        if kind and words and NOTHING not in words:
            mentions.append(text2text.Mention(names.get(_squeeze(kind, fold=fold), kind), " ".join(words.split())))
        elif spot and not kind:
            malformed.append(f"{IS} {words}")
        if left := rest.replace(CLOSE, " ").strip():
            malformed.append(" ".join(left.split()))
    entities, rejected = text2text.align(mentions, sentence.tokens, types, fold=fold)
    rejected += [Rejected("?", piece, Reason.MALFORMED) for piece in malformed]
    return Prediction(sentence.id, tuple(sorted(entities)), tuple(rejected), raw=text)


WORDINGS = {
    "spots": Wording(ask, answer, read, MARKS),
    "items": Wording(text2text.prompt, text2text.answer, text2text.read),
}


def _squeeze(kind: str, *, fold: bool) -> str:
    """A type without blanks, which a vocabulary may put around a hyphen."""
    return "".join((text2text.fold_text(kind) if fold else kind).split())
