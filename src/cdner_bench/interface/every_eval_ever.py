"""Results in the schema of the "Every Eval Ever" project, version 0.3.0: one file a row of a board.

The schema is `eval.schema.json` of https://github.com/evaleval/every_eval_ever (MIT); a copy lies among the tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from ..errors import OptionError
from ..hashing import digest
from ..names import is_name
from ..reporting import Board, Estimate, Ranked, Row, find_newest
from ..scoring import HEADLINE
from .shown import clean, list_shown, list_words, name_model, tell_time

SCHEMA = "0.3.0"
RELATIONS = ("first_party", "third_party", "collaborative", "other")
METRIC: Mapping[str, object] = {
    "evaluation_description": f"strict span micro-F1 ({HEADLINE}): an entity counts if its bounds and type are right",
    "metric_id": f"cdner-bench.{HEADLINE}",
    "metric_name": "strict span micro-F1",
    "metric_kind": "f1",
    "metric_unit": "percent",
    "lower_is_better": False,
    "score_type": "continuous",
    "min_score": 0,
    "max_score": 100,
}


@dataclass(frozen=True)
class Evaluator:
    """Who publishes the results, and what they have to do with the models: one of `RELATIONS`."""

    organization: str
    relationship: str = "other"

    def __post_init__(self) -> None:
        """Raises `OptionError` for a name that leaves no folder to be called so, and for another relationship."""
        if self.relationship not in RELATIONS:
            raise OptionError(
                f"--relationship {self.relationship}: no such word", hint=f"choose from: {', '.join(RELATIONS)}"
            )
        if not is_name(self.folder) or self.folder == "data":
            raise OptionError(
                f"--organization {self.organization!r} leaves no name for a folder",
                hint="write one with letters or digits: --organization my-lab",
            )

    @property
    def folder(self) -> str:
        """The name as a part of a path and of a model's id."""
        return re.sub(r"[^a-z0-9._-]+", "-", self.organization.lower()).strip("-._")


def write_every_eval_ever(boards: Iterable[Board], who: Evaluator) -> dict[Path, str]:
    """The files of all rows that have a score, by their paths in that project's store: the same for the same results.

    Only the headline is written: scores under the scorers of other papers never rank, and would be ranked there.
    """
    written = {}
    for board, ranked in list_shown(boards):
        collection = f"cdner-bench-{board.benchmark.name}"
        model = name_model(ranked.row)
        number = UUID(hex=digest([collection, board.setting, who.folder, model])[:32], version=4)
        record = clean(_describe(board, ranked, who, f"{who.folder}/{model}", collection))
        text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        written[Path("data", collection, who.folder, model, f"{number}.json")] = text
    return written


def _describe(board: Board, ranked: Ranked, who: Evaluator, model: str, collection: str) -> dict[str, Any]:
    row = ranked.row
    newest = find_newest(row.finished)
    made = tell_time(row, row.targets)
    seconds = f"{datetime.fromisoformat(made).timestamp():.0f}" if made else "0"
    version = newest.provenance.get("packages", {}).get("cdner-bench") or "unknown"
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"{collection}-{board.setting}/{model}/{seconds}",
        **({"evaluation_timestamp": made} if made else {}),
        "retrieved_timestamp": seconds,
        "source_metadata": {
            "source_name": f"cdner-bench: {board.title}",
            "source_type": "evaluation_run",
            "source_organization_name": who.organization,
            "evaluator_relationship": who.relationship,
        },
        "eval_library": {"name": "cdner-bench", "version": version},
        "model_info": _describe_model(board, ranked, model),
        "evaluation_results": list(_list_scores(board, ranked)),
    }


def _describe_model(board: Board, ranked: Ranked, model: str) -> dict[str, Any]:
    row = ranked.row
    newest = find_newest(row.finished)
    asked = newest.usage
    made_here = not newest.predictions_only and asked is None
    details = {
        "deployment_type": "self_deployed" if made_here else "unknown",
        "model_availability": "unknown",
        "method": row.method,
        "revision": newest.method.revision,
        "preset": row.preset,
        "backbone": row.backbone,
        "parameters": str(newest.model.total) if newest.model.total else None,
        "device": newest.device,
        "remarks": "; ".join(list_words(board, row, row.targets)),
        **{f"option {name}": json.dumps(value) for name, value in newest.method.options.items()},
    }
    return {
        "name": ranked.label,
        "id": model,
        **({"inference_platform": asked.server} if asked else {}),
        "additional_details": {name: text for name, text in details.items() if text},
    }


def _list_scores(board: Board, ranked: Ranked) -> Iterator[dict[str, Any]]:
    """The score of each target, and their mean with its interval if there is one."""
    row = ranked.row
    for target in row.targets:
        if estimate := row.f1(target):
            yield _describe_score(board, row, [target], target, estimate)
    if average := row.average():
        score = _describe_score(board, row, row.targets, "mean of the targets", average)
        if interval := ranked.interval:
            score["score_details"]["uncertainty"] = {
                "confidence_interval": {
                    "lower": interval.low,
                    "upper": interval.high,
                    "confidence_level": 0.95,
                    "method": "bootstrap over test sentences, and over seeds if there are several",
                }
            }
        yield score


def _describe_score(board: Board, row: Row, targets: Sequence[str], name: str, estimate: Estimate) -> dict[str, Any]:
    details = {
        "seeds": str(estimate.n),
        "standard deviation over seeds": None if estimate.sd is None else str(estimate.sd),
        "remarks": "; ".join(list_words(board, row, targets)),
    }
    return {
        "evaluation_name": f"{board.benchmark.name}/{board.setting}/{name}",
        "source_data": _describe_source(board, targets),
        **({"evaluation_timestamp": made} if (made := tell_time(row, targets)) else {}),
        "metric_config": METRIC,
        "score_details": {
            "score": estimate.mean,
            "details": {name: text for name, text in details.items() if text},
        },
    }


def _describe_source(board: Board, targets: Sequence[str]) -> dict[str, Any]:
    """Where the test sentences come from: the addresses of their files, if they are published."""
    benchmark = board.benchmark
    paths = [benchmark.domain(target).splits["test"].path for target in targets]
    found = [next((o.url for o in benchmark.origins if o.url and path.startswith(o.prefix)), "") for path in paths]
    known = {"source_type": "url", "url": list(dict.fromkeys(found))} if all(found) else {"source_type": "other"}
    learnt = ", ".join(benchmark.setting(board.setting).sources)
    details = {"version": benchmark.version, "split": "test", "learnt from (but for the target)": learnt}
    return {"dataset_name": f"{benchmark.name} {benchmark.version}", **known, "additional_details": details}
