"""Masked span language modelling (TOPT, section 3.2): texts with gaps and what fills them, word by word.

A text's masked copies are drawn from its place in the corpus and the seed, so they are the same whenever they are
asked for: static masks cost no memory.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from cdner_bench import CdnerError, gtok
from cdner_torch.tokens import read_lines

if TYPE_CHECKING:
    from cdner_torch.generators import Backbone

SENTINELS = tuple(f"<extra_id_{n}>" for n in range(100))


@dataclass(frozen=True)
class Masking:
    """How texts are masked: `copies` of each (λ), words with `probability`; with `entity`, the first copy hides the
    words of the entity and its type instead. `legacy` reproduces the released code's targets.
    """

    copies: int = 10
    probability: float = 0.15
    entity: bool = True
    legacy: bool = False
    seed: int = 0


def copies(explanation: gtok.Explanation, place: int, masking: Masking, epoch: int = 0) -> Iterator[tuple[str, str]]:
    """The masked copies of one explanation, as (source, target). `place` is its number in the corpus."""
    words = explanation.text.split()
    first = entity_mask(words, explanation) if masking.entity else []
    for copy in range(masking.copies):
        chosen = first if copy == 0 and any(first) else _bernoulli(words, (place, copy, epoch), masking)
        yield gaps(words, chosen, legacy=masking.legacy)


def shorten(explanation: gtok.Explanation, model: Backbone) -> gtok.Explanation:
    """An explanation without the words that do not fit into the model's source, so that no gap is asked for there."""
    words = explanation.text.split()
    return replace(explanation, text=" ".join(words[: model.fit(words)]))


def line_copies(
    path: Path, masking: Masking, tokens: int | None, epoch: int = 0, fit: Callable[[Sequence[str]], int] = len
) -> Iterator[tuple[str, str]]:
    """One random copy of every line of a text file, of as many of its words as `fit` says, up to a budget of words; the
    file is never held in memory.
    """
    for place, line in enumerate(read_lines(path, tokens)):
        words = line[: fit(line)]
        yield gaps(words, _bernoulli(words, (place, 0, epoch), masking), legacy=masking.legacy)


def entity_mask(words: Sequence[str], explanation: gtok.Explanation) -> list[bool]:
    """The first exact occurrence of each word of the entity, and of its type."""
    mask = [False] * len(words)
    for word in (*explanation.span.split(), explanation.type):
        if word in words:
            mask[words.index(word)] = True
    return mask


def gaps(words: Sequence[str], mask: Sequence[bool], *, legacy: bool = False) -> tuple[str, str]:
    """Source and target of T5's span corruption: each run of masked words gives way to a sentinel, and the target
    says after each sentinel what it hides, then one sentinel more.

    `legacy` counts the target's sentinels as the released code does: one in the place of each run of *unmasked*
    words, which is off by one if the first word is masked. Runs beyond the last sentinel stay unmasked.
    """
    source: list[str] = []
    target: list[str] = []
    hidden = shown = 0
    for masked, run in groupby(zip(mask, words, strict=True), key=lambda pair: pair[0]):
        text = [word for _, word in run]
        if masked and hidden < len(SENTINELS) - 1:
            source.append(SENTINELS[hidden])
            target += text if legacy else (SENTINELS[hidden], *text)
            hidden += 1
        else:
            source += text
            if legacy and shown < len(SENTINELS):
                target.append(SENTINELS[shown])
                shown += 1
    if not legacy:
        target.append(SENTINELS[hidden])
    elif not hidden:
        target = []
    return " ".join(source), " ".join(target)


def need_sentinels(model: Backbone, *, add: bool) -> None:
    """Make sure that each sentinel is one token of the model. Raises `CdnerError` if not, and none may be added."""
    missing = model.missing(SENTINELS)
    if missing and not add:
        raise CdnerError(
            f"the tokenizer has no sentinel {missing[0]}, which MSLM marks its gaps with",
            hint="add them to the vocabulary with -o mslm.add_sentinels=true, or start from a T5",
        )
    if missing:
        model.add(missing)


def _bernoulli(words: Sequence[str], draw: tuple[int, int, int], masking: Masking) -> list[bool]:
    dice = random.Random(f"{masking.seed}/{draw}")
    return [dice.random() < masking.probability for _ in words]
