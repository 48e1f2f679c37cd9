"""How good a model is on dev, while it learns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cdner_bench import Prediction, Sentence, sentence_counts, total


@dataclass(frozen=True)
class Judge:
    """The sentences of dev that a model is judged by, and how it answers them, one prediction a sentence in order."""

    sentences: Sequence[Sentence]
    answer: Callable[[Sequence[Sentence]], Iterable[Prediction]]

    def f1(self) -> float:
        """Strict span micro-F1 in percent."""
        return total(map(sentence_counts, self.sentences, self.answer(self.sentences))).f1
