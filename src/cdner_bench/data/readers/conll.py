"""Entities as IOB2 tags, and back; a file of two columns, `token<TAB>tag`, with an empty line between sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ...types import Entity, Sentence
from .schemes import OUTSIDE, Part, join_parts, write_tags

tags = write_tags


def write(path: Path, sentences: Iterable[Sentence]) -> None:
    """Write sentences with their gold tags."""
    path.write_text(to_text(sentences), encoding="utf-8")


def to_text(sentences: Iterable[Sentence]) -> str:
    """The lines of a file of sentences with their gold tags."""
    blocks = (
        "".join(f"{token}\t{tag}\n" for token, tag in zip(s.tokens, tags(s.entities, len(s.tokens)), strict=True))
        for s in sentences
    )
    return "\n".join(blocks) + "\n"


def chunks(tags: Sequence[str]) -> tuple[Entity, ...]:
    """The entities of BIO tags, legal or not, by conlleval's rule: an `I-x` that continues nothing begins an `x`.

    On legal IOB2 this is the only reading; on a tagger's output it is the usual repair (and seqeval's default mode).
    """
    return join_parts([(n, _split(tag)) for n, tag in enumerate(tags) if tag != OUTSIDE])


def _split(tag: str) -> Part:
    letter, _, kind = tag.partition("-")
    return (letter, kind) if letter in ("B", "I") else (OUTSIDE, "")
