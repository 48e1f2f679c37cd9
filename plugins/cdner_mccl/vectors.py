"""Word vectors out of a text file, as those of GloVe, word2vec and fastText are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from cdner_bench import CdnerError

_HEADER = re.compile(r"\d+ \d+\s*")


def read_vectors(path: Path) -> tuple[dict[str, int], Tensor]:
    """The row of each word in a matrix, of which the first is zero: that of words without a vector.

    A first line of two numbers, how many words and how many numbers each, is passed over. Raises `CdnerError` for a
    file that is something else, with the line.
    """
    rows: dict[str, int] = {}
    vectors: list[Tensor] = []
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            if number == 1 and _HEADER.fullmatch(line):
                continue
            found = _split(line, len(vectors[0]) if vectors else None)
            if found is None:
                size = f" and {len(vectors[0])} numbers" if vectors else " and its numbers"
                raise CdnerError(
                    f"{path}:{number}: this is no line of word vectors, which has a word{size}",
                    hint="name a file such as glove.6B.100d.txt: -o words.vectors=FILE",
                )
            word, vector = found
            if word not in rows:
                rows[word] = len(vectors) + 1
                vectors.append(vector)
    if not vectors:
        raise CdnerError(f"{path} holds no word vectors", hint="name another file: -o words.vectors=FILE")
    return rows, torch.stack([torch.zeros_like(vectors[0]), *vectors])


def find_row(word: str, rows: Mapping[str, int]) -> int:
    """The row of a word as it stands, else in small letters, else 0."""
    return rows.get(word) or rows.get(word.lower(), 0)


def _split(line: str, size: int | None) -> tuple[str, Tensor] | None:
    """The word of a line and its numbers, of which there are `size` (None: as many as there are); None for another
    line. A word may hold blanks, as some of glove.840B do, but no number after one.
    """
    word, _, rest = line.rstrip().partition(" ")
    values = rest.split()
    size = size or len(values)
    more = values[: max(0, len(values) - size)]
    vector = _read_numbers(values[len(more) :])
    if vector is None or len(vector) != size or any(_read_numbers([part]) is not None for part in more):
        return None
    return " ".join([word, *more]), vector


def _read_numbers(values: Sequence[str]) -> Tensor | None:
    """One finite number or more; None where there are none, or anything else."""
    try:
        vector = torch.tensor([float(value) for value in values])
    except ValueError:
        return None
    return vector if len(vector) and bool(torch.isfinite(vector).all()) else None
