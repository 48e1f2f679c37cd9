"""A plugin as an outsider writes and installs one: a method with a preset, and an analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cdner_bench import (
    Analysis,
    Corpus,
    Entity,
    Measurement,
    Method,
    Prediction,
    RunContext,
    Sentence,
    Spec,
    Text,
    hookimpl,
)


@hookimpl
def register_methods() -> list[Spec]:
    return [Spec("toy-case", "cdner_toy:Case", "marks capitalised words", presets={"quick": {"longest": 1}})]


@hookimpl
def register_analyses() -> list[Spec]:
    return [Spec("toy-words", "cdner_toy:Words", "counts words")]


class Case(Method):
    """Every run of at most `longest` capitalised words is of the type that the target's train split has most often."""

    @dataclass(frozen=True)
    class Options:
        longest: int = 3

    options: Options

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        with run.phase("fit") as phase:
            seen = [entity.type for sentence in target.train for entity in sentence.entities]
            self.type = max(target.types, key=seen.count)
            phase.sentences += len(target.train)
        run.describe(backbone="none", trained=0, total=0)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        for sentence in sentences:
            yield Prediction(sentence.id, tuple(self._mark(sentence.tokens)))

    def _mark(self, tokens: Sequence[str]) -> Iterator[Entity]:
        start = 0
        while start < len(tokens):
            end = start
            while end < min(len(tokens), start + self.options.longest) and tokens[end][:1].isupper():
                end += 1
            if end > start:
                yield Entity(start, end, self.type)
            start = max(end, start + 1)


class Words(Analysis):
    """How many words a corpus has."""

    @dataclass(frozen=True)
    class Options:
        unit: str = "natural"

    options: Options

    def measure(self, corpus: Text, run: RunContext) -> Measurement:
        return Measurement({"words": sum(len(line.split()) for line in corpus.lines(self.options.unit))})
