"""BIOES tags: where an entity begins, goes on and ends, and one of a single word."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cdner_bench import Entity


def bioes_labels(types: Sequence[str]) -> list[str]:
    """O and, for each type, B, I, E and S."""
    return ["O", *(f"{prefix}-{kind}" for kind in types for prefix in "BIES")]


def bioes_tags(entities: Sequence[Entity], length: int) -> list[str]:
    """The tags of non-overlapping entities over `length` words."""
    tags = ["O"] * length
    for entity in entities:
        inner = ["I"] * (entity.end - entity.start - 2)
        prefixes = ["B", *inner, "E"] if entity.end - entity.start > 1 else ["S"]
        tags[entity.start : entity.end] = [f"{prefix}-{entity.type}" for prefix in prefixes]
    return tags


def to_bio(tags: Sequence[str]) -> list[str]:
    """Legal BIOES tags as BIO."""
    return [tag if tag == "O" else {"S": "B", "E": "I"}.get(tag[0], tag[0]) + tag[1:] for tag in tags]


def list_legal(labels: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
    """With which labels a sequence may begin, which may follow which (before, after), and with which it may end."""
    begins = [label[0] in "OBS" for label in labels]
    ends = [label[0] in "OES" for label in labels]
    follow = [
        [begun if ended else label[2:] == after[2:] and not begun for after, begun in zip(labels, begins, strict=True)]
        for label, ended in zip(labels, ends, strict=True)
    ]
    return torch.tensor(begins), torch.tensor(follow), torch.tensor(ends)
