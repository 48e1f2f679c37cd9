"""`gazetteer`: label what was labelled in training, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from cdner_bench import Corpus, Entity, Gazetteer, Method, Prediction, RunContext, Sentence


@dataclass(frozen=True)
class GazetteerOptions:
    """Defaults are the plain dictionary: what the target's train split labels, spelt as it is there."""

    sources: bool = False
    """Learn the mentions of the source domains too, those of types that the target has; the target's own win."""
    folded: bool = False
    """Take upper and lower case for the same."""
    fallback: Literal["none", "majority-type"] = "none"
    """What capitalised tokens in a row are that the dictionary lacks: nothing, or of the target's most frequent type. A
    token that the target's train split has in lower case, too, is never one of them.
    """


class GazetteerMethod(Method):
    """The longest mention, from left to right. Dev is not read and nothing is drawn: all seeds answer alike."""

    Options = GazetteerOptions
    options: GazetteerOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """Count mentions. One has the type that it has most often, of several such the one that it has first."""
        elsewhere = [s for corpus in sources for s in corpus.train] if self.options.sources else []
        with run.phase("fit") as phase:
            of_sources, own = (
                Gazetteer.learn(sentences, target.types, folded=self.options.folded)
                for sentences in (elsewhere, target.train)
            )
            self.gazetteer = Gazetteer({**of_sources.types, **own.types}, self.options.folded)
            kinds = Counter(entity.type for s in target.train for entity in s.entities)
            self.majority = kinds.most_common(1)[0][0] if kinds else None
            self.words = {token for s in target.train for token in s.tokens}
            phase.epochs, phase.sentences = 1, len(elsewhere) + len(target.train)
        run.describe(backbone="none", trained=0, total=0)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """Look up every sentence."""
        for sentence in sentences:
            found = list(self.gazetteer.find(sentence.tokens))
            if self.options.fallback == "majority-type" and self.majority:
                found = sorted([*found, *self._guess(sentence.tokens, found, self.majority)])
            yield Prediction(sentence.id, tuple(found))

    def save(self, folder: Path) -> None:
        """The mentions with their types, and what the fallback reads."""
        learnt = {
            "mentions": [[list(tokens), kind] for tokens, kind in self.gazetteer.types.items()],
            "majority": self.majority,
            "words": sorted(self.words),
        }
        (folder / "gazetteer.json").write_text(json.dumps(learnt, ensure_ascii=False), encoding="utf-8")

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        learnt = json.loads((folder / "gazetteer.json").read_text(encoding="utf-8"))
        mentions = {tuple(tokens): kind for tokens, kind in learnt["mentions"]}
        self.gazetteer = Gazetteer(mentions, self.options.folded)
        self.majority, self.words = learnt["majority"], set(learnt["words"])

    def _guess(self, tokens: Sequence[str], found: Sequence[Entity], kind: str) -> Iterator[Entity]:
        covered = {n for entity in found for n in range(entity.start, entity.end)}
        for is_name, run in groupby(range(len(tokens)), lambda n: n not in covered and self._is_name(tokens[n])):
            if is_name:
                places = list(run)
                yield Entity(places[0], places[-1] + 1, kind)

    def _is_name(self, token: str) -> bool:
        return token[:1].isupper() and token.lower() not in self.words
