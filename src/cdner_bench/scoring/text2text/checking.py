"""Whether text can carry the types and the entities of a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ...errors import DataError
from ...types import Corpus, Entity, Sentence
from .naming import check_folded
from .reading import read
from .wording import answer

Spelling = Callable[[Sequence[str]], Sequence[str]]
"""What becomes of texts on their way through a model's vocabulary."""

LONGEST_TYPE = 60
"""Characters of a type, so that no bracket of the text is taken for an item."""


def check(corpora: Iterable[Corpus], spell: Spelling = list, *, fold: bool = False) -> list[str]:
    """What generated text cannot carry of corpora, a sentence for each that loses any: gold entities of train and dev
    that gold's own answer, as `spell` writes it and read again, does not have where they are. `fold` as in `read`.

    Raises `DataError` for a type that would be read as another, or as none.
    """
    remarks = []
    for corpus in corpora:
        for kind in corpus.types:
            check_type(kind, corpus.name)
        check_spelling(corpus, spell, fold=fold)
        gold = [*corpus.train, *corpus.dev]
        lost = count_lost(gold, corpus.types, spell, fold=fold)
        if lost:
            total = sum(len(sentence.entities) for sentence in gold)
            remarks.append(
                f"text cannot carry {lost:,} of {total:,} gold entities of {corpus.name}: a mention that its sentence "
                "has more than once is taken for the first, one with a separator inside for another"
                + ("" if spell is list else ", one whose signs the backbone lacks for none")
            )
    return remarks


def check_type(kind: str, domain: str) -> None:
    """Raise `DataError` for a type that an answer cannot carry."""
    probe = _make_probe(kind)
    spaced = kind != " ".join(kind.split())  # tokenizers make one blank of it
    if spaced or read(answer(probe), probe, [kind], strict=True).entities != probe.entities:
        raise DataError(
            f"the type {kind!r} of {domain} cannot be carried by text: {_explain(kind)}",
            hint=f'give it a word in the benchmark file: [domains.{domain}.labels] {_quote(kind)} = "…"',
        )


def check_spelling(domain: Corpus, spell: Spelling, *, fold: bool) -> None:
    """Raise `DataError` for a type that is another or none when a vocabulary has written it."""
    if fold:
        check_folded(domain.types)
    probes = [_make_probe(kind) for kind in domain.types]
    for probe, said in zip(probes, spell([answer(probe) for probe in probes]), strict=True):
        if read(said, probe, domain.types, fold=fold).entities != probe.entities:
            kind = probe.entities[0].type
            raise DataError(
                f"the type {kind!r} of {domain.name} cannot be carried by text: the backbone writes {answer(probe)!r} "
                f"as {said!r}",
                hint=f'give it a word in the benchmark file: [domains.{domain.name}.labels] {_quote(kind)} = "…"',
            )


def count_lost(
    sentences: Iterable[Sentence], types: Sequence[str], spell: Spelling = list, *, fold: bool = False
) -> int:
    """How many gold entities the answers for gold, as `spell` writes them and read again, do not have."""
    some = [s for s in sentences if s.entities]
    answers = spell([answer(s) for s in some])
    return sum(
        len(frozenset(s.entities) - frozenset(read(said, s, types, fold=fold).entities))
        for s, said in zip(some, answers, strict=True)
    )


def _make_probe(kind: str) -> Sentence:
    """A sentence of one word, an entity of a type."""
    return Sentence("probe", ("word",), (Entity(0, 1, kind),))


def _explain(kind: str) -> str:
    if len(kind) > LONGEST_TYPE:
        return f"it has more than {LONGEST_TYPE} characters"
    if kind != " ".join(kind.split()):
        return "it has a line break, a tab, or white space at an end or twice"
    return "it has a comma or a bracket"


def _quote(kind: str) -> str:
    escaped = kind.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
