"""A method that sleeps, for studies that cost no processor. Used as a plugin file: `--plugin tests/sleepers.py`."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cdner_bench import Corpus, Entity, Method, Prediction, RunContext, Sentence, Spec, hookimpl


@hookimpl
def register_methods() -> list[Spec]:
    return [Spec("sleeping", f"{__name__}:Sleeping", "sleeps"), Spec("dozing", f"{__name__}:Sleeping", "sleeps too")]


@dataclass(frozen=True)
class SleepingOptions:
    shared: float = 0.0
    seconds: float = 0.0
    spread: float = 0.0
    failing: str = ""


class Sleeping(Method):
    """Sleeps in a stage that it shares with runs of the same sources and seed, and then in one answer, `spread` being
    the share by which it sleeps shorter or longer, drawn by target and seed. It keeps lines in $SLEEPERS_LOG: what
    began and ended, when, in which process, with how many threads and on which GPU.
    """

    Options = SleepingOptions
    options: SleepingOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        self.run, self.types = run.workdir.name, target.types
        off = random.Random(f"{target.name} {run.seed}").uniform(-self.options.spread, self.options.spread)
        self.seconds = self.options.seconds * (1 + off)
        self._log("begin")
        self.stage = run.stage("source", self._build, {"sources": [c.name for c in sources]})
        if target.name == self.options.failing:
            raise ValueError("I cannot sleep")

    def _build(self, place: Path) -> None:
        time.sleep(self.options.shared)
        self._log(f"build {place.name}")
        (place / "mark").touch()

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        for n, sentence in enumerate(sentences):
            if n in (0, len(sentences) // 2):
                until = time.monotonic() + self.seconds / 2
                while (left := until - time.monotonic()) > 0:
                    time.sleep(min(left, 0.05))
            yield Prediction(sentence.id, (Entity(0, 1, self.types[len(sentence.tokens) % len(self.types)]),))
        self._log("end")

    def _log(self, what: str) -> None:
        place = os.environ.get("SLEEPERS_LOG")
        share = os.environ.get("OMP_NUM_THREADS"), os.environ.get("CUDA_VISIBLE_DEVICES")
        if place:
            with Path(place).open("a") as log:
                log.write(f"{self.run} {time.time():.3f} {os.getpid()} {os.getppid()} {share[0]} {share[1]} {what}\n")
