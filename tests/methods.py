"""Methods that behave, and methods that do not. Used as a plugin file: `--plugin tests/methods.py`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cdner_bench import Corpus, Doubt, Entity, Method, Prediction, Rejected, RunContext, Sentence, Spec, hookimpl

MISDEEDS = (
    "none",
    "raise at fit",
    "raise at predict",
    "too few",
    "too many",
    "out of range",
    "unknown type",
    "wrong id",
    "not a prediction",
    "exits",
    "returns nothing",
    "full disk",
)


@hookimpl
def register_methods() -> list[Spec]:
    return [
        Spec(
            "oracle-of-case",
            f"{__name__}:Case",
            "marks capitalised words",
            presets={"quick": {}, "cpu": {"length": 2}},
        ),
        Spec("failing", f"{__name__}:Failing", "fails without an error"),
        Spec("staged", f"{__name__}:Staged", "learns in stages, slowly"),
        Spec("needs-dapt", f"{__name__}:Case", "needs a resource", resources=("dapt",)),
        Spec("needs-keys", f"{__name__}:Case", "needs a resource that mini has not", resources=("keys",)),
    ]


@dataclass(frozen=True)
class CaseOptions:
    length: int = 1
    misdeed: Literal[MISDEEDS] = "none"  # type: ignore[valid-type]
    only: str = ""


class Case(Method):
    """Every capitalised word is of the target's first type; what it does wrong is an option."""

    Options = CaseOptions
    options: CaseOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        assert not target.test
        assert not any(corpus.test for corpus in sources)
        self.type = target.types[0]
        self.misdeed = self.options.misdeed if target.name.startswith(self.options.only) else "none"
        with run.phase("fit") as phase:
            phase.epochs, phase.sentences = 2, len(target.train)
            if self.misdeed == "raise at fit":
                raise ValueError("I cannot learn")
            if self.misdeed == "full disk":
                with Path("/dev/full").open("w") as stream:
                    stream.write("x" * 100_000)
        run.describe(backbone="none", trained=0, total=0)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        return None if self.misdeed == "returns nothing" else self._answers(sentences)  # type: ignore[return-value]

    def _answers(self, sentences: Sequence[Sentence]) -> Iterator[Prediction]:
        for n, sentence in enumerate(sentences):
            assert sentence.entities == ()
            if n == 5 and self.misdeed == "exits":
                raise SystemExit(0)
            if n == 5 and self.misdeed == "raise at predict":
                raise ValueError("I cannot answer")
            if n == 5 and self.misdeed == "too few":
                return
            yield self._predict(n, sentence)
        if self.misdeed == "too many":
            yield self._predict(0, sentences[0])

    def _predict(self, n: int, sentence: Sentence) -> Prediction:
        entities = tuple(Entity(i, i + 1, self.type) for i, t in enumerate(sentence.tokens) if t[0].isupper())
        if n == 5:
            if self.misdeed == "out of range":
                entities = (Entity(0, 999, self.type),)
            if self.misdeed == "unknown type":
                entities = (Entity(0, 1, "planet"),)
            if self.misdeed == "wrong id":
                return Prediction("elsewhere", entities)
            if self.misdeed == "not a prediction":
                return entities  # type: ignore[return-value]
        return Prediction(sentence.id, entities, (Rejected("x", "Vulcan", "not in sentence"),))


@dataclass(frozen=True)
class FailingOptions:
    how: Literal["silent", "stuck", "lost", "not finite", "told", "short-sighted"] = "silent"


class Failing(Method):
    """Fails without an error."""

    Options = FailingOptions
    options: FailingOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        self.types = target.types
        run.stage("fit", lambda place: self._train(run))

    def _train(self, run: RunContext) -> None:
        with run.phase("fit") as phase:
            phase.epochs = 1
            run.learnt(1, loss=0.5, dev_f1=12.5)
            if self.options.how == "not finite":
                run.progress(1, 1, loss=float("nan"))
            if self.options.how == "told":
                run.doubt(Doubt.NO_STEP)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        for sentence in sentences:
            right = Entity(len(sentence.tokens) // 2, len(sentence.tokens) // 2 + 1, self.types[0])
            match self.options.how:
                case "silent":
                    yield Prediction(sentence.id)
                case "stuck":
                    yield Prediction(sentence.id, (Entity(0, 1, self.types[0]),))
                case "lost":
                    yield Prediction(sentence.id, (), (Rejected("?", "the", "malformed"),), raw="the the")
                case "short-sighted":
                    yield Prediction(sentence.id, (right,), unseen=len(sentence.tokens) // 2)
                case _:
                    yield Prediction(sentence.id, (right,))


PAUSE = float(os.environ.get("STAGED_PAUSE", "0"))


@dataclass(frozen=True)
class StagedOptions:
    pass


class Staged(Method):
    """Two stages, one of them shared, and answers; a line in $STAGED_LOG each time a stage is really built. Who is to
    be stopped in the middle of it rests for $STAGED_PAUSE seconds a step, which is no part of what the run is.
    """

    Options = StagedOptions
    options: StagedOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        key = {"sources": [c.fingerprint() for c in sources]}
        shared = run.stage("source", lambda place: self._build(place, "source", run), key)
        own = run.stage("target", lambda place: self._build(place, target.name, run))
        self.marks = (shared / "mark").read_text() + (own / "mark").read_text()
        self.types = target.types

    def _build(self, place: Path, what: str, run: RunContext) -> None:
        with run.phase(what) as phase:
            for step in range(5):
                time.sleep(PAUSE)
                run.progress(step + 1, 5, loss=1.0)
            (place / "mark").write_text(f"{what}-{run.seed} ")
            phase.epochs = 1
        with Path(os.environ["STAGED_LOG"]).open("a") as log:
            log.write(f"{what}\n")

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        for sentence in sentences:
            time.sleep(PAUSE / 30)
            kind = self.types[(len(self.marks) + len(sentence.tokens)) % len(self.types)]
            yield Prediction(sentence.id, (Entity(0, 1, kind),), raw=self.marks)
