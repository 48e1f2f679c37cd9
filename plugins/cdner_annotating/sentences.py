"""Sentences out of a text of a domain, tokenised as CrossNER's are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cdner_bench import Sentence
from cdner_torch.tokens import read_lines

SHORTEST, LONGEST = 5, 80
"""How many tokens a sentence has that is worth labelling."""
_TOKEN = re.compile(r"'s\b|[A-Z]\.(?=\s+[A-Z])|\w+(?:[-.'’&/]\w+)*|[^\w\s]")
_END = re.compile(r"(?<=[.?!])(?<!\b[A-Z]\.)\s+(?=[\"'“(]?[A-Z])")


def read(path: Path) -> list[Sentence]:
    """The sentences of a text, each once, in its order."""
    return [Sentence(f"text/{n}", tokens) for n, tokens in enumerate(dict.fromkeys(split(path)))]


def split(path: Path) -> Iterator[tuple[str, ...]]:
    """The sentences of a text as tokens. A line ends a sentence, and so does a full stop before a capital letter."""
    for words in read_lines(path, None):
        for sentence in _END.split(" ".join(words)):
            tokens = tuple(_TOKEN.findall(sentence))
            if SHORTEST <= len(tokens) <= LONGEST:
                yield tokens
