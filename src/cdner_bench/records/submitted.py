"""Somebody's predictions as results: rows of a board that no run has made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from ..data import Benchmark
from ..errors import OptionError
from ..hashing import digest
from ..io import writing
from ..names import check_name
from ..plugins import ModelFacts, Registry
from ..scoring import Judged, encode, read_kept
from ..types import Corpus, Prediction, Reason, Rejected, Scenario, Sentence
from . import results
from .comparable import describe_comparable
from .kept import keep_predictions, locate_predictions
from .provenance import describe_provenance
from .results import PREDICTIONS_ONLY, BenchmarkFacts, MethodFacts, Result, Status

UNKNOWN = "unknown"
"""The backbone of a row of which only predictions are known."""


class Submitted(StrEnum):
    """What became of a result that was submitted."""

    NEW = "wrote"
    REPLACED = "replaced"
    EQUAL = "kept"


def submit(
    boards: Path, name: str, judged: Judged, benchmark: Benchmark, setting: str | None, registry: Registry
) -> dict[Path, Submitted]:
    """Write a result for each test split that was judged, and its predictions beside it; their files, each with what
    became of it. The same predictions again change nothing, others for the same split take the place of the former.

    Raises `OptionError` for a name that is none or a method's, for a split that is no test split, and where the setting
    is not said and not clear.
    """
    check_name(name, "--as: a row", OptionError)
    taken = {entry.spec.name for entry in registry}
    taken |= {r.method.name for r in results.load_all(boards / "results", benchmark) if not r.predictions_only}
    if name in taken:
        raise OptionError(f"--as: {name!r} is the name of a method", hint=f"choose another: --as {name}-theirs")
    domains = [split.partition("/")[0] for split in judged.splits]
    for split in judged.splits:
        if not split.endswith("/test"):
            raise OptionError(
                f"--as: the predictions are for {split}, and a board is of test splits", hint="predict the test split"
            )
    scenarios = benchmark.list_scenarios(setting or _find_setting(benchmark, domains), domains)
    parts = zip(scenarios, judged.parts, strict=True)
    with writing(boards, "name another folder: --out FOLDER"):
        return dict(_submit(boards, name, benchmark, scenario, said, judged.renamed) for scenario, (_, said) in parts)


def _find_setting(benchmark: Benchmark, domains: Sequence[str]) -> str:
    """The only setting that has the domains for targets."""
    fitting = [name for name, setting in benchmark.settings.items() if set(domains) <= set(setting.targets)]
    if not fitting:
        raise OptionError(f"--as: no setting of {benchmark.given} has the targets {', '.join(domains)}")
    if len(fitting) > 1:
        said = f"--as: {', '.join(domains)} may be of the settings {', '.join(fitting)}"
        raise OptionError(said, hint=f"say which: --setting {fitting[0]}")
    return fitting[0]


def _submit(
    boards: Path,
    name: str,
    benchmark: Benchmark,
    scenario: Scenario,
    predictions: Sequence[Prediction],
    renamed: Mapping[str, str],
) -> tuple[Path, Submitted]:
    target = benchmark.corpus(scenario.target)
    held = [_hold(prediction, sentence, target) for prediction, sentence in zip(predictions, target.test, strict=True)]
    lines = "".join(f"{encode(prediction)}\n" for prediction in held)
    data = BenchmarkFacts(benchmark.name, benchmark.version, benchmark.fingerprint(scenario))
    place = [scenario.setting, scenario.sources, scenario.target]
    result = Result(
        Status.FINISHED,
        digest([data.name, data.version, data.data, place, name, PREDICTIONS_ONLY, lines])[:16],
        data,
        scenario,
        MethodFacts(name, PREDICTIONS_ONLY, PREDICTIONS_ONLY, {}),
        seed=0,
        comparable=describe_comparable(benchmark, scenario),
        model=ModelFacts(UNKNOWN),
        provenance={**describe_provenance(), "renamed": dict(renamed)},
    )
    path, kept = boards / "results" / result.path, locate_predictions(boards, result)
    keep_predictions(lines.encode(), kept)
    result = results.put_scores(result, benchmark, read_kept(kept, target.test, target.types))
    there = path.exists()
    if there and results.load(path).run == result.run:
        return path, Submitted.EQUAL
    results.save(result, path)
    return path, Submitted.REPLACED if there else Submitted.NEW


def _hold(prediction: Prediction, sentence: Sentence, target: Corpus) -> Prediction:
    """What a method may say: a span of a type that the target does not have is rejected, each span by itself."""
    known = frozenset(target.types)
    strange = dict.fromkeys(entity for entity in prediction.entities if entity.type not in known)
    rejected = [Rejected(e.type, f"{sentence.surface(e)} [{e.start}, {e.end})", Reason.UNKNOWN_TYPE) for e in strange]
    return replace(
        prediction,
        entities=tuple(entity for entity in prediction.entities if entity.type in known),
        rejected=(*prediction.rejected, *rejected),
    )
