"""Results for a model's page on the Hugging Face Hub: `.eval_results/*.yaml`.

The format is that of https://huggingface.co/docs/hub/eval-results, as of November 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import OptionError
from ..reporting import Board, Ranked, Row
from ..scoring import HEADLINE
from .shown import clean, list_shown, list_words, name_model, tell_time

_DATASET = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class Place:
    """The dataset on the Hub that holds a benchmark, perhaps in one state (`revision`), and an address where whoever
    doubts the results may look, if there is one.
    """

    dataset: str
    revision: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Raises `OptionError` for what cannot be the name of a dataset, or an address."""
        if not _DATASET.fullmatch(self.dataset):
            raise OptionError(f"--dataset {self.dataset}: no dataset of the Hub", hint="write --dataset OWNER/NAME")
        if self.source and not re.fullmatch(r"https?://\S+", self.source):
            raise OptionError(f"--source {self.source}: no address", hint="write --source https://…")


def write_hub(boards: Sequence[Board], place: Place) -> dict[Path, str]:
    """The files of all rows that have a score: a folder a row, which stands for the repository of its model, and in its
    `.eval_results/` a file a setting with an entry a target. A task of the dataset is called `SETTING-TARGET`.

    Raises `OptionError` for boards of several benchmarks: no dataset holds them all.
    """
    names = list(dict.fromkeys(board.benchmark.given for board in boards))
    if len(names) > 1:
        said = f"the dataset {place.dataset} is of one benchmark, there are results of {', '.join(names)}"
        raise OptionError(said, hint=f"say which: --benchmark {names[0]}")
    return {
        Path(name_model(ranked.row), ".eval_results", f"{board.benchmark.name}-{board.setting}.yaml"): "".join(
            _write_entry(clean(entry)) for entry in _list_entries(board, ranked, place)
        )
        for board, ranked in list_shown(boards)
    }


def _list_entries(board: Board, ranked: Ranked, place: Place) -> Iterator[dict[str, Any]]:
    row = ranked.row
    for target in row.targets:
        if estimate := row.f1(target):
            dataset = {"id": place.dataset, "task_id": f"{board.setting}-{target}"}
            yield {
                "dataset": dataset | ({"revision": place.revision} if place.revision else {}),
                "value": estimate.mean,
                **({"date": made} if (made := tell_time(row, [target])) else {}),
                **({"source": {"url": place.source, "name": "cdner-bench"}} if place.source else {}),
                "notes": _tell_how(board, ranked, row, target),
            }


def _tell_how(board: Board, ranked: Ranked, row: Row, target: str) -> str:
    """In words: the score, its seeds, the row, and what a reader must know of it."""
    seeds = len(row.seeds(target))
    said = [
        f"strict span micro-F1 ({HEADLINE}) in percent",
        f"mean of {seeds} seeds" if seeds > 1 else "one seed",
        f"{board.benchmark.name} {board.benchmark.version}, {board.setting}",
        f"{ranked.label}, preset {row.preset}" if row.preset else ranked.label,
        *list_words(board, row, [target]),
    ]
    return "; ".join(said)


def _write_entry(entry: Mapping[str, Any]) -> str:
    """An entry of a list in YAML: every text is quoted as in JSON, which YAML reads alike."""
    lines = []
    for key, value in entry.items():
        if isinstance(value, dict):
            lines += [f"{key}:", *(f"  {name}: {_quote(inner)}" for name, inner in value.items())]
        else:
            lines.append(f"{key}: {_quote(value)}")
    return "".join(f"{'  ' if n else '- '}{line}\n" for n, line in enumerate(lines))


def _quote(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
