"""Word vectors out of a file, as GloVe's are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from cdner_bench import CdnerError


def read_vectors(path: Path) -> tuple[dict[str, int], Tensor]:
    """The row of each word in a matrix, of which the first is zero: that of words without a vector.

    Raises `CdnerError` for a file that is something else, with the line.
    """
    rows: dict[str, int] = {}
    vectors: list[Tensor] = []
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            word, _, rest = line.rstrip().partition(" ")
            try:
                vector = torch.tensor([float(value) for value in rest.split()])
            except ValueError:
                vector = torch.empty(0)
            if not len(vector) or (vectors and len(vector) != len(vectors[0])) or not torch.isfinite(vector).all():
                size = f" and {len(vectors[0])} numbers" if vectors else " and its numbers"
                raise CdnerError(
                    f"{path}:{number}: this is no line of word vectors, which has a word{size}",
                    hint="name a file such as glove.6B.100d.txt: -o words.vectors=FILE",
                )
            if word not in rows:
                rows[word] = len(vectors) + 1
                vectors.append(vector)
    if not vectors:
        raise CdnerError(f"{path} holds no word vectors", hint="name another file: -o words.vectors=FILE")
    return rows, torch.stack([torch.zeros_like(vectors[0]), *vectors])


def find_row(word: str, rows: Mapping[str, int]) -> int:
    """The row of a word as it stands, else in small letters, else 0."""
    return rows.get(word) or rows.get(word.lower(), 0)
