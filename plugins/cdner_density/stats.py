"""What is in a corpus: its size, what it explains of its domain, and what it knows of dev and test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from cdner_bench import Analysis, Corpus, DataError, GtokText, Measurement, RunContext, Sentence, Text, knowledge

from .words import WORD

Words = tuple[str, ...]
_OWN = "Explanations and fail rates are the domain's own; sizes and shares are of the whole mixture."
_STRETCH = 1000  # units between two steps of the bar


class CorpusStatistics(Analysis):
    """Tables 1, 3 and 8 of the TOPT paper, and what is to be known before a corpus is learnt from."""

    @dataclass(frozen=True)
    class Options:
        """What is counted, and what counts as overlap."""

        unit: str = "natural"
        """What is counted: `natural`, `explanation`, `sentence`, `line` or `document`, as the corpus has it."""
        overlap: Annotated[int, Ge(1)] = 8
        """How many words in a row of a dev or test sentence (all, of a shorter one) stand in a unit of the corpus where
        they overlap.
        """

    options: Options

    def measure(self, corpus: Text, run: RunContext) -> Measurement:
        """Words of sizes are split by white space; for what is looked for, signs are words of their own."""
        domain = corpus.domain
        sought = _Sought(domain, self.options.overlap) if domain else None
        units = tokens = 0
        types: dict[str, None] = {}
        with run.phase("read"):
            for line in corpus.lines(self.options.unit):
                words = line.split()
                units += bool(words)
                tokens += len(words)
                types.update(dict.fromkeys(words))
                if sought:
                    sought.look(line)
                if units % _STRETCH == 0:
                    run.progress(corpus.read, corpus.size, units=units)
        if not tokens:
            raise DataError(f"{corpus.name} has no tokens, only white space", hint="name a text with words")
        numbers: dict[str, float | int | None] = {"units": units, "tokens": tokens, "types": len(types)}
        numbers["tokens_per_unit"] = tokens / units
        parts: dict[str, dict[str, float | int | None]] = {}
        if isinstance(corpus, GtokText) and domain:
            _explain(knowledge.statistics(corpus.records, domain), numbers, parts)
        if sought and domain:
            numbers |= {
                "entity_types": len(domain.types),
                "train_entities": _share(sought, domain.train),
                "test_entities": _share(sought, domain.test),
                "dev_overlap": sought.measure_overlap(domain.dev),
                "test_overlap": sought.measure_overlap(domain.test),
            }
            for kind in domain.types:
                part = parts.setdefault(kind, {})
                part["train_entities"] = _share(sought, domain.train, kind)
                part["test_entities"] = _share(sought, domain.test, kind)
        notes = (_OWN,) if isinstance(corpus, GtokText) and corpus.added else ()
        return Measurement(numbers=numbers, parts=parts, notes=notes)


class _Sought:
    """The entities of train and test, and stretches of the sentences of dev and test, looked for in a text."""

    def __init__(self, domain: Corpus, overlap: int) -> None:
        self.overlap = overlap
        held = (*domain.dev, *domain.test)
        entities = {_split_words(s.surface(e)) for s in (*domain.train, *domain.test) for e in s.entities}
        stretches = {stretch for s in held for stretch in self._cut(_split_words(s.text))}
        self.wanted = entities | stretches
        self.lengths = sorted({len(words) for words in self.wanted})
        self.found: set[Words] = set()

    def look(self, line: str) -> None:
        """Remember what of it stands in `line`."""
        words = _split_words(line)
        for length in self.lengths:
            for start in range(len(words) - length + 1):
                stretch = words[start : start + length]
                if stretch in self.wanted:
                    self.found.add(stretch)

    def measure_overlap(self, sentences: Sequence[Sentence]) -> float | None:
        """The share of sentences of which a stretch was found; None of none."""
        overlaps = [any(stretch in self.found for stretch in self._cut(_split_words(s.text))) for s in sentences]
        return sum(overlaps) / len(overlaps) if overlaps else None

    def _cut(self, words: Words) -> Iterator[Words]:
        length = min(self.overlap, len(words))
        return (words[start : start + length] for start in range(len(words) - length + 1))


def _share(sought: _Sought, sentences: Sequence[Sentence], kind: str | None = None) -> float | None:
    """The share of different entities (of a type, or of all) whose words stand in the text; None where there are none.

    Case counts; an entity that has two types is two.
    """
    entities = {(_split_words(s.surface(e)), e.type) for s in sentences for e in s.entities if kind in (None, e.type)}
    return sum(words in sought.found for words, _ in entities) / len(entities) if entities else None


def _explain(
    statistics: knowledge.Statistics,
    numbers: dict[str, float | int | None],
    parts: dict[str, dict[str, float | int | None]],
) -> None:
    """Add what Tables 1 and 3 of the TOPT paper say of a corpus of explanations."""
    numbers |= {
        "explanations": statistics.total.explained,
        "per_hundred": statistics.per_hundred,
        "per_train_sentence": statistics.per_train_sentence,
        "fail_rate": statistics.total.fail_rate,
    }
    for kind in statistics.types:
        parts[kind.type] = {"gold": kind.gold, "explained": kind.explained, "fail_rate": kind.fail_rate}


def _split_words(text: str) -> Words:
    return tuple(WORD.findall(text))
