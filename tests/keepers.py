"""Methods that keep what they have learnt, well or not. Used as a plugin file: `--plugin tests/keepers.py`."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cdner_bench import Corpus, Entity, Method, Prediction, RunContext, Sentence, Spec, hookimpl, operational

FAULTS = ("none", "raises", "exits", "is large", "is a pickle", "forgets", "reads the run's folder", "finds nothing")


@hookimpl
def register_methods() -> list[Spec]:
    return [
        Spec("keeper", f"{__name__}:Keeper", "remembers one word", revision=1),
        Spec("half", f"{__name__}:Half", "has one of two functions"),
    ]


@dataclass(frozen=True)
class KeeperOptions:
    fault: Literal[FAULTS] = "none"  # type: ignore[valid-type]
    file: Path | None = None
    server: Annotated[str, operational] = ""


class Keeper(Method):
    """Every word that train begins with is of the target's first type."""

    Options = KeeperOptions
    options: KeeperOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        self.words = [] if self.options.fault == "finds nothing" else sorted({s.tokens[0] for s in target.train})
        self.type = target.types[0]
        (run.workdir / "words.txt").write_text("\n".join(self.words), encoding="utf-8")
        run.describe(backbone="none", trained=200_000_000 if self.options.fault == "is large" else 0, total=0)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        if self.options.server:
            run.note(f"asked {self.options.server}")
        for s in sentences:
            found = [Entity(n, n + 1, self.type) for n, token in enumerate(s.tokens) if token in self.words]
            yield Prediction(s.id, tuple(found))

    def save(self, folder: Path) -> None:
        match self.options.fault:
            case "raises":
                (folder / "half.txt").write_text("half", encoding="utf-8")
                raise ValueError("there is no more room")
            case "exits":
                raise SystemExit(3)
            case "is a pickle":
                (folder / "words.bin").write_bytes(pickle.dumps(self.words))
        (folder / "words").mkdir()
        (folder / "words" / "all.txt").write_text("\n".join(self.words), encoding="utf-8")

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        fault = self.options.fault
        place = run.workdir / "words.txt" if fault == "reads the run's folder" else folder / "words" / "all.txt"
        self.words = [] if fault == "forgets" else place.read_text(encoding="utf-8").split("\n")
        self.type = types[0]


class Half(Keeper):
    load = Method.load
