"""The record of one run: schema first, counts rather than ratios, and where it all came from. Files stay readable.

`docs/results-schema.md` describes every field. A change of meaning raises `SCHEMA` and adds a migration.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..errors import ResultError
from ..hashing import digest
from ..io import Phase, write_atomic
from ..llm import Usage
from ..plugins import ModelFacts
from ..scoring import Counts, PerType, Scores, total
from ..types import Scenario

SCHEMA = 2
FINISHED, NOT_RUN, INCOMPLETE = "finished", "not-run", "incomplete"
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: lambda record: {**record, "usage": None}}
"""From a schema number to a function that lifts a record to the next one."""

PACKAGES = (
    "cdner-bench", "torch", "transformers", "tokenizers", "safetensors", "peft", "bitsandbytes", "openai", "xllamacpp",
    "seqeval", "numpy",
)  # fmt: skip


@dataclass(frozen=True)
class BenchmarkFacts:
    """Which data: name, version, and the hash over the files of the scenario."""

    name: str
    version: str
    data: str


@dataclass(frozen=True)
class MethodFacts:
    """Which method, from which plugin, with which resolved options."""

    name: str
    plugin: str
    version: str
    preset: str | None
    options: Mapping[str, Any]

    @property
    def row(self) -> str:
        """Eight hex digits that are equal for runs of one leaderboard row: the method and its options."""
        return digest([self.name, dict(self.options)])[:8]


@dataclass(frozen=True)
class Result:
    """One line of the record. A run that could not be made (`not-run`), or that lacks answers (`incomplete`), has a
    `reason` and no scores.
    """

    status: str
    run: str
    benchmark: BenchmarkFacts
    scenario: Scenario
    method: MethodFacts
    seed: int
    model: ModelFacts = field(default_factory=ModelFacts)
    scores: Mapping[str, PerType] = field(default_factory=dict)
    sentences: Sequence[Counts] = ()
    phases: Sequence[Phase] = ()
    usage: Usage | None = None
    device: str = ""
    peak_memory: int = 0
    reason: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether it has scores."""
        return self.status == FINISHED

    def f1(self, protocol: str) -> float | None:
        """Micro-F1 in percent; None under a protocol that the run was not scored with."""
        counts = self.scores.get(protocol)
        return None if counts is None else total(counts.values()).f1

    @property
    def path(self) -> Path:
        """Where the file lies below a `results` folder."""
        place = Path(self.benchmark.name) / self.scenario.setting / self.scenario.target
        return place / f"{self.method.name}-{self.method.row}-{self.seed}.json"

    @property
    def order(self) -> tuple[str, ...]:
        """A total order over results, for whoever needs one."""
        return (self.method.name, self.method.row, self.scenario.target, f"{self.seed:09d}")


def scored(scores: Scores) -> dict[str, Any]:
    """The fields of a `Result` that come from scoring."""
    return {"scores": scores.protocols, "sentences": scores.sentences}


def save(result: Result, path: Path) -> None:
    """Write a result file, whole or not at all."""
    record = {"schema": SCHEMA, **asdict(result)}
    record["scores"] = {
        protocol: {kind: [c.tp, c.fp, c.fn] for kind, c in counts.items()} for protocol, counts in result.scores.items()
    }
    record["sentences"] = " ".join(f"{c.tp}/{c.fp}/{c.fn}" for c in result.sentences)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    text = re.sub(r"\[\s+(-?\d+),\s+(-?\d+),\s+(-?\d+)\s+\]", r"[\1, \2, \3]", text)
    write_atomic(path, text + "\n")


def load(path: Path) -> Result:
    """Read a result file of this schema or an older one.

    Raises `ResultError` naming the file if it is cut off, of a newer schema, or not a result at all.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        schema = record.pop("schema")
    except OSError as error:
        raise ResultError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ResultError(
            f"{path} is not a whole result file: {error}", hint=f"remove it and run again: rm {path}"
        ) from None
    if not isinstance(schema, int) or schema > SCHEMA:
        raise ResultError(
            f"{path} has schema {schema}, this version reads up to {SCHEMA}",
            hint="pip install --upgrade cdner-bench",
        )
    try:
        for step in range(schema, SCHEMA):
            record = MIGRATIONS[step](record)
        return _from_record(record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultError(f"{path} is not a result of schema {schema}: {error!r}") from None


def load_all(folder: Path) -> list[Result]:
    """Every result below a folder, in a fixed order."""
    return sorted((load(path) for path in folder.rglob("*.json")), key=lambda r: r.order)


def _from_record(record: dict[str, Any]) -> Result:
    scenario = record.pop("scenario")
    scores = record.pop("scores")
    return Result(
        benchmark=BenchmarkFacts(**record.pop("benchmark")),
        scenario=Scenario(scenario["setting"], tuple(scenario["sources"]), scenario["target"]),
        method=MethodFacts(**record.pop("method")),
        model=ModelFacts(**record.pop("model")),
        scores={protocol: {kind: Counts(*c) for kind, c in counts.items()} for protocol, counts in scores.items()},
        sentences=[_triple(text) for text in record.pop("sentences").split()],
        phases=[Phase(**phase) for phase in record.pop("phases")],
        usage=_usage(record.pop("usage")),
        **record,
    )


def _usage(record: dict[str, Any] | None) -> Usage | None:
    return Usage(**{**record, "again_tokens": tuple(record["again_tokens"])}) if record else None


def _triple(text: str) -> Counts:
    tp, fp, fn = map(int, text.split("/"))
    return Counts(tp, fp, fn)


def provenance() -> dict[str, Any]:
    """When, with which code and which packages."""
    return {"created": datetime.now(UTC).isoformat(timespec="seconds"), **_environment()}


@cache
def _environment() -> dict[str, Any]:
    packages = {}
    for package in PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        **_commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages,
    }


def _commit() -> dict[str, Any]:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return {"commit": None, "dirty": None}

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    changes = git("status", "--porcelain", "--", "src", "plugins")
    return {"commit": git("rev-parse", "HEAD"), "dirty": None if changes is None else bool(changes)}
