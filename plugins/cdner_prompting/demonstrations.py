"""Examples from the target's train split, to be shown in a prompt."""

from __future__ import annotations

import random
from collections.abc import Sequence

from cdner_bench import PluginError, Sentence


class Fixed:
    """The same `count` sentences for every prompt, drawn by the seed."""

    def __init__(self, pool: Sequence[Sentence], count: int, seed: int) -> None:
        self.chosen = random.Random(seed).sample(list(pool), min(count, len(pool)))

    def of(self, sentence: Sentence) -> Sequence[Sentence]:
        """The same labelled examples for every sentence, in the order in which they were drawn."""
        return self.chosen


class Nearest:
    """The `count` sentences with most in common with the one asked about (BM25 over lower-cased tokens), the nearest
    last, next to the question.
    """

    def __init__(self, pool: Sequence[Sentence], count: int) -> None:
        try:
            import bm25s
        except ImportError as error:
            raise PluginError(
                f"demonstrations=nearest needs BM25: {error}", hint="pip install 'cdner-bench[llm]'"
            ) from error
        self.pool, self.count = pool, min(count, len(pool))
        self.index = bm25s.BM25()
        if pool:
            self.index.index([_words(s) for s in pool], show_progress=False)

    def of(self, sentence: Sentence) -> Sequence[Sentence]:
        """The examples for a sentence; equal scores in the order of the train split."""
        if not self.pool:
            return []
        scores = self.index.get_scores(_words(sentence))
        ranked = sorted(range(len(self.pool)), key=lambda n: (-scores[n], n))
        return [self.pool[n] for n in reversed(ranked[: self.count])]


def _words(sentence: Sentence) -> list[str]:
    return [token.lower() for token in sentence.tokens]
