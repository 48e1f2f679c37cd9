"""Whether text can carry the types and the entities of a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...errors import DataError
from ...types import Corpus, Entity, Prediction, Sentence
from .naming import check_folded
from .reading import read
from .wording import answer

Spelling = Callable[[Sequence[str]], Sequence[str]]
"""What becomes of texts on their way through a model's vocabulary."""

LONGEST_TYPE = 60
"""Characters of a type, so that no bracket of the text is taken for an item."""


class Reading(Protocol):
    """How an answer is read: as `read` does."""

    def __call__(self, text: str, sentence: Sentence, types: Sequence[str], /, *, fold: bool) -> Prediction:
        """The prediction that a text makes about a sentence."""


@dataclass(frozen=True)
class Echo:
    """Gold's own answer to a sentence, what a vocabulary writes of it, and the entities that are read in that."""

    answer: str
    spelt: str
    entities: frozenset[Entity]


Echoes = Callable[[Sequence[Sentence], Sequence[str]], list[Echo]]
"""The echo of each sentence; the types are those that answers are read with."""


def check(
    corpora: Iterable[Corpus],
    spell: Spelling = list,
    *,
    fold: bool = False,
    write: Callable[[Sentence], str] = answer,
    understand: Reading = read,
) -> list[str]:
    """What generated text cannot carry of corpora, a sentence for each that loses any: gold entities of train and dev
    that gold's own answer, as `spell` writes it and read again, does not have where they are. `fold` as in `read`.
    Answers of another wording than that of items are written by `write` and read by `understand`.

    Raises `DataError` for a type that would be read as another, or as none.
    """

    def echo(sentences: Sequence[Sentence], types: Sequence[str]) -> list[Echo]:
        answers = list(map(write, sentences))
        return [
            Echo(text, spelt, frozenset(understand(spelt, sentence, types, fold=fold).entities))
            for sentence, text, spelt in zip(sentences, answers, spell(answers), strict=True)
        ]

    remarks = []
    for corpus in corpora:
        for kind in corpus.types if write is answer else ():
            check_type(kind, corpus.name)
        if fold:
            check_folded(corpus.types)
        check_spelling(corpus, echo)
        gold = [*corpus.train, *corpus.dev]
        lost = count_lost(gold, corpus.types, echo)
        if lost:
            total = sum(len(sentence.entities) for sentence in gold)
            remarks.append(
                f"text cannot carry {lost:,} of {total:,} gold entities of {corpus.name}: a mention that its sentence "
                "has more than once is taken for the first, one with a separator inside for another"
                + ("" if spell is list else ", one whose signs the backbone lacks for none")
            )
    return remarks


def check_type(kind: str, domain: str) -> None:
    """Raise `DataError` for a type that an answer of items cannot carry."""
    probe = _make_probe(kind)
    spaced = kind != " ".join(kind.split())  # tokenizers make one blank of it
    if spaced or read(answer(probe), probe, [kind], strict=True).entities != probe.entities:
        raise _refuse(kind, domain, _explain(kind))


def check_spelling(domain: Corpus, echo: Echoes) -> None:
    """Raise `DataError` for a type that is another or none when a vocabulary has written it."""
    probes = [_make_probe(kind) for kind in domain.types]
    for kind, probe, heard in zip(domain.types, probes, echo(probes, domain.types), strict=True):
        if heard.entities != frozenset(probe.entities):
            raise _refuse(kind, domain.name, f"the backbone writes {heard.answer!r} as {heard.spelt!r}")


def count_lost(sentences: Iterable[Sentence], types: Sequence[str], echo: Echoes) -> int:
    """How many gold entities the answers for gold, as a vocabulary writes them and read again, do not have."""
    some = [s for s in sentences if s.entities]
    return sum(len(frozenset(s.entities) - heard.entities) for s, heard in zip(some, echo(some, types), strict=True))


def _refuse(kind: str, domain: str, why: str) -> DataError:
    return DataError(
        f"the type {kind!r} of {domain} cannot be carried by text: {why}",
        hint=f'give it a word in the benchmark file: [domains.{domain}.labels] {_quote(kind)} = "…"',
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
