"""Whether text can carry the types and the entities of a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...errors import DataError
from ...types import Corpus, Entity, Sentence
from .reading import read
from .wording import answer

LONGEST_TYPE = 60
"""Characters of a type, so that no bracket of the text is taken for an item."""


def check(corpora: Iterable[Corpus]) -> list[str]:
    """What generated text cannot carry of corpora, a sentence for each that loses any: gold entities of train and dev
    that gold's own answer, read again, does not have where they are.

    Raises `DataError` for a type that would be read as another, or as none.
    """
    remarks = []
    for corpus in corpora:
        for kind in corpus.types:
            check_type(kind, corpus.name)
        gold = [*corpus.train, *corpus.dev]
        lost = count_lost(gold, corpus.types)
        if lost:
            total = sum(len(sentence.entities) for sentence in gold)
            remarks.append(
                f"text cannot carry {lost:,} of {total:,} gold entities of {corpus.name}: a mention that its sentence "
                "has more than once is taken for the first, one with a separator inside for another"
            )
    return remarks


def check_type(kind: str, domain: str) -> None:
    """Raise `DataError` for a type that an answer cannot carry."""
    probe = Sentence("probe", ("word",), (Entity(0, 1, kind),))
    spaced = kind != " ".join(kind.split())  # tokenizers make one blank of it
    if spaced or read(answer(probe), probe, [kind], strict=True).entities != probe.entities:
        raise DataError(
            f"the type {kind!r} of {domain} cannot be carried by text: {_explain(kind)}",
            hint=f'give it a word in the benchmark file: [domains.{domain}.labels] {_quote(kind)} = "…"',
        )


def count_lost(sentences: Iterable[Sentence], types: Sequence[str]) -> int:
    """How many gold entities the answers for gold, read again, do not have."""
    return sum(
        len(frozenset(s.entities) - frozenset(read(answer(s), s, types).entities)) for s in sentences if s.entities
    )


def _explain(kind: str) -> str:
    if len(kind) > LONGEST_TYPE:
        return f"it has more than {LONGEST_TYPE} characters"
    if kind != " ".join(kind.split()):
        return "it has a line break, a tab, or white space at an end or twice"
    return "it has a comma or a bracket"


def _quote(kind: str) -> str:
    escaped = kind.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
