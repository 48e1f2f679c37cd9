"""The record of a measurement: schema first, what was measured and how, the numbers, and where they come from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import to_json

from ..foreign import redact_all
from ..io import write_atomic
from ..plugins import Measurement, ModelFacts
from .migrations import migrate_method
from .reading import Fault, Form, find_bad_names, find_bad_provenance, find_long_names, read, read_all
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

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)  # and of what it holds

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
    """Write a measurement file, whole or not at all, without keys. Columns are kept to six significant digits."""
    record = redact_all({"schema": SCHEMA, **_make_adapter().dump_python(measured, mode="json")})
    columns = measured.measurement.columns
    record["measurement"]["columns"] = {
        name: " ".join(f"{value:.6g}" for value in column) for name, column in columns.items()
    }
    write_atomic(path, json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def load(path: Path) -> Measured:
    """Read a measurement file of this schema or an older one. Raises `ResultError` naming the file, and the field, for
    what is none, or cannot be right.
    """
    return read(path, FORM)


def load_all(root: Path) -> list[Measured]:
    """Every measurement below a folder `measurements`, in a fixed order. What cannot be right, or does not lie where
    its content says, is left out with a `RefusedWarning`.
    """
    return read_all(root, "", FORM)


def _build(record: dict[str, Any]) -> Measured:
    measurement = record.get("measurement")
    columns = measurement.get("columns", {}) if isinstance(measurement, dict) else {}
    if not isinstance(columns, dict) or not all(isinstance(text, str) for text in columns.values()):
        raise ValueError("measurement.columns: a column is a text of numbers, separated by spaces")
    rest = {**record, "measurement": {**measurement, "columns": {}}} if isinstance(measurement, dict) else record
    made = _make_adapter().validate_json(to_json(rest))
    values = {name: _read_column(name, text) for name, text in columns.items()}
    said = made.measurement
    return replace(made, measurement=replace(said, columns=values, plots=tuple(said.plots), notes=tuple(said.notes)))


def _read_column(name: str, text: str) -> list[float]:
    try:
        return [float(value) for value in text.split()]
    except ValueError as error:
        raise ValueError(f"measurement.columns.{name}: {error}") from None


def _find_faults(measured: Measured) -> Iterator[Fault]:
    """What cannot be in a measurement."""
    names = {"analysis.name": measured.analysis.name, "corpus.benchmark": measured.corpus.benchmark}
    yield from find_bad_names({**names, "corpus.domain": measured.corpus.domain})
    yield from find_long_names({"corpus.name": measured.corpus.name})
    yield from find_bad_provenance(measured.provenance)
    if measured.analysis.preset is not None:
        yield "analysis.preset", "an analysis has none"
    if (measured.corpus.benchmark is None) != (measured.corpus.version is None):
        yield "corpus.version", "a benchmark has a version, and nothing else"


@cache
def _make_adapter() -> TypeAdapter[Measured]:
    return TypeAdapter(Measured)


FORM = Form("measurement", MIGRATIONS, _build, _find_faults, "remove it and measure again")
