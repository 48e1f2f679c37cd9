"""Results as one table for pandas or `datasets`: a row a run, protocol and type. `docs/python.md` has every column."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data import Benchmark, interchange
from ..data import benchmark as benchmarks
from ..errors import OptionError, ResultError, did_you_mean
from ..io import Phase
from ..records import Result, results
from ..reporting import make_boards
from ..scoring import PROTOCOLS, Counts, total

if TYPE_CHECKING:
    from datasets import Dataset
    from pandas import DataFrame

MICRO = "micro"
"""The type of a row that is about all types together."""


def _count_sentences(result: Result, split: int) -> int | None:
    return None if result.comparable is None else result.comparable.sentences[split]


def _of_made(result: Result, value: float | None) -> float | None:
    """What was measured of a run; None where nothing ran to its end here."""
    return value if result.phases else None


def _add_seconds(phases: Iterable[Phase]) -> float | None:
    seconds = [phase.seconds for phase in phases]
    return sum(seconds) if seconds else None


def _divide_seconds(result: Result) -> float | None:
    """Seconds of predicting by sentences; None where answers were replayed."""
    replayed = result.usage is not None and result.usage.replayed
    timed = [p.seconds / p.sentences for p in result.phases if p.name == "predict" and p.sentences]
    return None if replayed or not timed else timed[-1]


OF_RUN: Mapping[str, Callable[[Result], object]] = {
    "benchmark": lambda r: r.benchmark.name,
    "version": lambda r: r.benchmark.version,
    "setting": lambda r: r.scenario.setting,
    "sources": lambda r: ", ".join(r.scenario.sources),
    "target": lambda r: r.scenario.target,
    "train_sentences": lambda r: _count_sentences(r, 0),
    "dev_sentences": lambda r: _count_sentences(r, 1),
    "test_sentences": lambda r: _count_sentences(r, 2),
    "method": lambda r: r.method.name,
    "revision": lambda r: r.method.revision,
    "row": lambda r: r.method.row,
    "preset": lambda r: r.method.preset,
    "departures": lambda r: ", ".join(r.departures),
    "predictions_only": lambda r: r.predictions_only,
    "seed": lambda r: r.seed,
    "run": lambda r: r.run,
    "status": lambda r: str(r.status),
    "reason": lambda r: r.reason or None,
    "doubts": lambda r: "; ".join(map(str, r.doubts)),
    "created": lambda r: r.provenance.get("created"),
    "backbone": lambda r: r.backbone,
    "trained_parameters": lambda r: _of_made(r, r.model.trained),
    "total_parameters": lambda r: _of_made(r, r.parameters),
    "compute_precision": lambda r: r.model.precision or None,
    "learnt_from": lambda r: r.learnt_from,
    "device": lambda r: r.device or None,
    "peak_memory_bytes": lambda r: _of_made(r, r.peak_memory),
    "seconds": lambda r: _of_made(r, sum(phase.seconds for phase in r.phases)),
    "reused_seconds": lambda r: _of_made(r, sum(phase.seconds for phase in r.phases if phase.reused)),
    "train_seconds": lambda r: _add_seconds(phase for phase in r.phases if phase.epochs),
    "seconds_per_sentence": _divide_seconds,
    "cores_of_others": lambda r: max((p.others for p in r.phases if p.others is not None), default=None),
    "language_model": lambda r: r.usage and r.usage.model,
    "requests": lambda r: r.usage and r.usage.sent,
    "tokens_in": lambda r: r.usage and r.usage.read,
    "tokens_out": lambda r: r.usage and r.usage.written,
    "cost_usd": lambda r: r.usage and r.usage.cost,
}
"""The columns about a run, by their names. `option.NAME` and `seconds.PHASE` come after them, as far as there are some.
"""

OF_SCORE = ("protocol", "type", "tp", "fp", "fn", "precision", "recall", "f1")
"""The columns about a score, which come last; empty for a run without scores."""


def load_results(
    path: Path | str = ".",
    benchmark: Benchmark | str | Path | None = None,
    *,
    protocol: str | None = None,
    as_dataset: bool = False,
) -> DataFrame | Dataset:
    """Every result below `path`, the folder with `leaderboards/`, or those of one benchmark, as a table for pandas, or
    for `datasets`: a row a run, protocol and type, of which one is "micro"; `protocol` takes one protocol only.

    Raises `CdnerError` where there are none, or no pandas. Files that cannot be right are left out with a warning.
    """
    interchange.import_package("datasets" if as_dataset else "pandas")
    if protocol is not None and protocol not in PROTOCOLS:
        raise OptionError(f"there is no protocol {protocol!r}", hint=did_you_mean(protocol, PROTOCOLS))
    root = Path(path) / "leaderboards" / "results"
    found: list[Result] = []
    standing: dict[str, str] = {}
    for of in _list_benchmarks(root, benchmark):
        read = results.load_all(root, of)
        found += read
        standing |= {} if isinstance(of, str) else _find_standing(read, of)
    if not found:
        which = "" if benchmark is None else f" of {getattr(benchmark, 'given', benchmark)}"
        raise ResultError(f"there are no results{which} in {root}", hint="name the folder that --out named")
    frame = tabulate(found, standing, protocol)
    return (
        interchange.import_package("datasets").Dataset.from_pandas(frame, preserve_index=False) if as_dataset else frame
    )


def tabulate(found: Sequence[Result], standing: Mapping[str, str] | None = None, protocol: str | None = None) -> Any:
    """The table of results; `standing` says of runs where their boards show them."""
    pandas = interchange.import_package("pandas")
    columns: dict[str, list[object]] = {name: [read(r) for r in found] for name, read in OF_RUN.items()}
    columns["standing"] = [(standing or {}).get(r.run) for r in found]
    for name in sorted({name for r in found for name in r.method.options}):
        columns[f"option.{name}"] = [r.method.options.get(name) for r in found]
    for name in dict.fromkeys(phase.name for r in found for phase in r.phases):
        columns[f"seconds.{name}"] = [_add_seconds(p for p in r.phases if p.name == name) for r in found]
    runs = pandas.DataFrame({name: _settle(pandas, values) for name, values in columns.items()})
    numbers, scores = [], []
    for number, result in enumerate(found):
        for score in _list_scores(result, protocol):
            numbers.append(number)
            scores.append(score)
    parts = {
        name: _settle(pandas, list(values)) for name, values in zip(OF_SCORE, zip(*scores, strict=True), strict=True)
    }
    return pandas.concat([runs.iloc[numbers].reset_index(drop=True), pandas.DataFrame(parts)], axis="columns")


def _list_scores(result: Result, protocol: str | None) -> Iterator[tuple[object, ...]]:
    """The scores of a run in the order of `OF_SCORE`; of one that has none, one line without."""
    if not result.finished:
        yield (None,) * len(OF_SCORE)
    for name, types in result.scores.items():
        if protocol in (None, name):
            yield name, MICRO, *_spell_out(total(types.values()))
            for kind, counts in types.items():
                yield name, f"{kind} (type)" if kind == MICRO else kind, *_spell_out(counts)


def _spell_out(counts: Counts) -> tuple[object, ...]:
    return counts.tp, counts.fp, counts.fn, counts.precision, counts.recall, counts.f1


def _list_benchmarks(root: Path, of: Benchmark | str | Path | None) -> list[Benchmark | str]:
    """The benchmark that is named, or all that have results; the name alone of those that have no definition here."""
    if of is not None:
        return [of if isinstance(of, Benchmark) else benchmarks.load(str(of))]
    return [benchmarks.find(place.name) or place.name for place in sorted(root.glob("*")) if place.is_dir()]


def _find_standing(read: Sequence[Result], of: Benchmark) -> dict[str, str]:
    """Where the boards of a benchmark show its results, by their runs."""
    shown = dict.fromkeys((result.run for result in read), "left out")
    for board in make_boards(read, of):
        shown |= {result.run: "board" for row in board.rows for result in row.results}
        shown |= {result.run: "tried" for row in board.tried for result in row.results}
    return shown


_KINDS: Mapping[str, set[type]] = {"boolean": {bool}, "Int64": {int}, "float64": {int, float}, "string": {str}}


def _settle(pandas: Any, values: Sequence[object]) -> Any:
    """A column of one kind, with holes: truth, whole numbers, numbers, or texts. What is of several kinds, or has
    parts, becomes JSON.
    """
    kinds = {type(value) for value in values if value is not None}
    for dtype, fitting in _KINDS.items():
        if kinds and kinds <= fitting and not any(isinstance(v, int) and abs(v) >> 63 for v in values):
            return pandas.array(values if dtype != "float64" else _fill(values), dtype=dtype)
    texts = [None if v is None else json.dumps(v, ensure_ascii=False, sort_keys=True) for v in values]
    return pandas.array(texts, dtype="string")


def _fill(values: Iterable[object]) -> list[object]:
    return [float("nan") if value is None else value for value in values]
