"""What of a text fits into a generator and its vocabulary, and what is told of sentences that do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from cdner_bench import CdnerError, Corpus, RunContext, Sentence, text2text

from .tokens import find_dropped, ignores_case, read_lines, spell

LONGEST = 2048
"""No source that is answered has more tokens, unless those of training may, whatever the model has positions for: the
memory of attention is the square of it. T5 was pre-trained on sources of 512."""


@dataclass(frozen=True)
class TokenLimits:
    """Tokens of a source and of a target in training, and of an answer; longer ones are cut."""

    source: int = 256
    target: int = 256
    answer: int = 256


@dataclass(frozen=True)
class Room:
    """How many tokens of a text, special ones apart, fit into a source of training, a target and a source that is
    answered; and how many an answer may have.
    """

    source: int
    target: int
    answered: int
    answer: int


def find_positions(config: Any) -> int | None:
    """How many tokens a network can tell apart by their places; None where nothing limits them."""
    positions: int | None = getattr(getattr(config, "encoder", config), "max_position_embeddings", None)
    return positions


def count_unseen(sentence: Sentence, characters: int) -> int:
    """How many tokens of a sentence are not wholly read, where so many of its last characters are not."""
    seen = len(sentence.text) - characters
    ends = accumulate(len(token) + 1 for token in sentence.tokens)
    return sum(end - 1 > seen for end in ends)


def tell_lengths(
    corpora: Sequence[Corpus],
    prompt: Callable[[Sentence, Corpus], str],
    tokenizer: Any,
    room: Room,
    run: RunContext,
    answer: Callable[[Sentence], str] = text2text.answer,
) -> None:
    """Tell the user which sentences of train and dev a generator will not see to their ends."""

    def count(texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []

    for corpus in corpora:
        sources = count([prompt(s, corpus) for s in corpus.train])
        targets = count([answer(s) for s in corpus.train])
        learnt = [source > room.source or target > room.target for source, target in zip(sources, targets, strict=True)]
        tell_long(
            run,
            f"{corpus.name} train",
            learnt,
            f"are learnt without their ends: {room.source:,} sub-words of a prompt fit, {room.target:,} of an answer",
        )
        answered = [source > room.answered for source in count([prompt(s, corpus) for s in corpus.dev])]
        tell_long(
            run,
            f"{corpus.name} dev",
            answered,
            f"are answered without their ends: {room.answered:,} sub-words of a prompt fit",
        )


def tell_uncarried(
    corpora: Sequence[Corpus],
    tokenizer: Any,
    run: RunContext,
    *,
    write: Callable[[Sentence], str] = text2text.answer,
    understand: text2text.Reading = text2text.read,
    shown: Sequence[str] = (),
) -> None:
    """Tell the user which gold entities no answer can say. Raises `DataError` for a type that none can. An answer is
    written and read so; `shown` are special tokens that are part of it.
    """
    dropped = find_dropped(tokenizer) - set(tokenizer.convert_tokens_to_ids(list(shown)))

    def spell_all(texts: Sequence[str]) -> list[str]:
        rows = tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []
        return [spell(tokenizer, ids, dropped) for ids in rows]

    fold = ignores_case(tokenizer)
    for remark in text2text.check(corpora, spell_all, fold=fold, write=write, understand=understand):
        run.note(remark)


def tell_long(run: RunContext, split: str, beyond: Sequence[bool], what: str) -> None:
    """Tell the user what becomes of the sentences of a split that are too long, if there are some."""
    if any(beyond):
        run.note(f"{split}: {sum(beyond):,} of {len(beyond):,} sentences {what}")


def tell_text(
    path: Path, tokens: int | None, option: str, epochs: int, run: RunContext, fit: Callable[[Sequence[str]], int] = len
) -> int:
    """Tell the user how much is about to be learnt of a text, up to a budget of words which `option` sets: of each
    line, as many words as `fit` says. Returns the number of lines. Raises `CdnerError` if there is none.
    """
    lines = words = unread = 0
    for line in read_lines(path, tokens):
        lines, words, unread = lines + 1, words + len(line), unread + len(line) - fit(line)
    if not lines:
        first = next(read_lines(path, None), None)
        if first is None:
            raise CdnerError(f"{path} holds no text", hint="put text of the domain there, a sentence or more a line")
        raise CdnerError(
            f"{path} holds no text within {option}={tokens}: its first line has {len(first):,} words",
            hint=f"allow more: -o {option}=N",
        )
    ends = f", but for {unread:,} at the ends of lines that are too long" if unread else ""
    run.note(f"{path.name}: {epochs} × {words:,} words in {lines:,} lines are learnt{ends}: -o {option}=N takes fewer")
    return lines
