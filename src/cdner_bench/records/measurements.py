"""The record of a measurement: schema first, what was measured and how, the numbers, and where they come from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from ..errors import ResultError
from ..io import write_atomic
from ..plugins import Measurement, ModelFacts
from .migrations import migrate_method
from .results import MethodFacts

SCHEMA = 2
_LONGEST = 100  # characters of a corpus's name that go into that of a file
NO_BENCHMARK = "texts"
"""Where measurements of files lie that belong to no benchmark."""


@dataclass(frozen=True)
class CorpusFacts:
    """Which corpus: its name, the domain it is about and the benchmark that has it (if any), SHA-256 of its text."""

    name: str
    domain: str | None
    benchmark: str | None
    version: str | None
    sha256: str


@dataclass(frozen=True)
class Measured:
    """A measurement and how it came about. `seconds` is the time it took, reading included."""

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)

    analysis: MethodFacts
    corpus: CorpusFacts
    seed: int
    measurement: Measurement
    model: ModelFacts = field(default_factory=ModelFacts)
    seconds: float = 0.0
    device: str = ""
    peak_memory: int = 0
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where the file lies below a `measurements` folder."""
        of = [self.corpus.domain] if self.corpus.domain else [self.corpus.sha256[:8]]
        words = [self.corpus.name[-_LONGEST:], *of, self.analysis.row, self.seed]
        name = re.sub(r"[^\w.+-]", "_", "-".join(map(str, words)))
        return Path(self.corpus.benchmark or NO_BENCHMARK) / self.analysis.name / f"{name}.json"

    @property
    def order(self) -> tuple[str, ...]:
        """A total order over measurements."""
        c = self.corpus
        return (c.benchmark or "", self.analysis.name, self.analysis.row, c.name, c.domain or "", f"{self.seed:09d}")


def _add_intervals_and_revision(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 had the interval of a number `x` as numbers `x_low` and `x_high`, null where there was none; and of the
    analysis its plugin, release and code, and no revision.
    """
    analysis, plugin = migrate_method(record["analysis"])
    record = {**record, "analysis": analysis, "provenance": {**record["provenance"], "plugin": plugin}}
    numbers = dict(record["measurement"]["numbers"])
    intervals = {}
    for name in list(numbers):
        if {f"{name}_low", f"{name}_high"} <= numbers.keys():
            low, high = numbers.pop(f"{name}_low"), numbers.pop(f"{name}_high")
            if None not in (numbers[name], low, high):
                intervals[name] = {"low": low, "high": high}
    return {**record, "measurement": {**record["measurement"], "numbers": numbers, "intervals": intervals}}


MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _add_intervals_and_revision}
"""From a schema number to a function that lifts a record to the next one."""


def save(measured: Measured, path: Path) -> None:
    """Write a measurement file, whole or not at all. Columns are kept to six significant digits."""
    record = {"schema": SCHEMA, **_make_adapter().dump_python(measured, mode="json")}
    columns = measured.measurement.columns
    record["measurement"]["columns"] = {
        name: " ".join(f"{value:.6g}" for value in column) for name, column in columns.items()
    }
    write_atomic(path, json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def load(path: Path) -> Measured:
    """Read a measurement file of this schema or an older one.

    Raises `ResultError` naming the file if it is no whole measurement, or of a newer schema.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        schema = record.pop("schema")
        if schema not in range(1, SCHEMA + 1):
            raise ResultError(
                f"{path} has schema {schema}, this version reads up to {SCHEMA}",
                hint="pip install --upgrade cdner-bench",
            )
        for step in range(schema, SCHEMA):
            record = MIGRATIONS[step](record)
        measured = _from_record(record)
        measured.order, measured.path  # noqa: B018, whatever they need must be there
        return measured
    except OSError as error:
        raise ResultError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{path} is no whole measurement: {error!r}", hint=f"remove it: rm {path}") from None


def load_all(folder: Path) -> list[Measured]:
    """Every measurement below a folder, in a fixed order."""
    return sorted((load(path) for path in folder.rglob("*.json")), key=lambda m: m.order)


def _from_record(record: dict[str, Any]) -> Measured:
    measurement = dict(record["measurement"])
    columns = {name: [float(v) for v in text.split()] for name, text in measurement["columns"].items()}
    texts = {name: tuple(measurement[name]) for name in ("plots", "notes")}
    return _make_adapter().validate_python({**record, "measurement": {**measurement, **texts, "columns": columns}})


@cache
def _make_adapter() -> TypeAdapter[Measured]:
    return TypeAdapter(Measured)
