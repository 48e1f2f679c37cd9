"""What a model is asked and what it should answer: TOPT's prompt (Eq. 6) and its `(type, words)` items."""

from __future__ import annotations

import random
from collections.abc import Iterable

from ...types import Entity, Sentence


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
