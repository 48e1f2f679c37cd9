"""Finished runs of before, under the id that today's recipe gives them: they are not made again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ResultError
from ..io import models, read_text
from ..plugins import options
from ..records import SCHEMA, Result, Status, results
from .rescoring import modernise

if TYPE_CHECKING:
    from .runner import Job


class OlderRuns:
    """The finished runs of older schemas in a folder `runs`, listed once, when they are first asked for."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs

    def adopt(self, job: Job, folder: Path) -> bool:
        """Move the run that is this job's into `folder`, one of the same data, scenario, method, revision, options and
        seed, with a backbone whose name says what it is. Returns whether there was one.
        """
        for older, result in self._records:
            if is_of(job, result) and (older / "run.json").exists():
                files = [file for file in older.iterdir() if not file.name.startswith("lock")]
                for file in sorted(files, key=lambda file: file.name == "run.json"):  # last: it says that all is there
                    file.rename(folder / file.name)
                today = replace(result, run=job.id, method=job.method, comparable=job.comparable)
                results.save(today, folder / "run.json")
                return True
        return False

    @cached_property
    def _records(self) -> list[tuple[Path, Result]]:
        return list(_read_older(self.runs))


def is_of(job: Job, result: Result) -> bool:
    """Whether a result is the job's: by its id and all that it stands for, or, made under an older recipe of ids or
    before an option was there, by everything that determines predictions, if the name of the backbone says what it is.
    """
    if result.run == job.id:
        return not find_difference(job, result)
    named = options.all_with_role(job.options, options.backbone)
    if not set(map(models.drop_hub, named)) <= models.read_catalogue().keys():
        return False  # a folder, or a name of the hub: its content then cannot be told
    same_run = (job.data, job.scenario, job.seed) == (result.benchmark, result.scenario, result.seed)
    same_method = (job.method.name, job.method.revision) == (result.method.name, result.method.revision)
    return same_run and same_method and modernise(job.entry, result.method.options)["options"] == job.method.options


def load_own(job: Job, record: Path) -> Result:
    """The result in the folder of a job's run. Raises `ResultError` naming the field if it is another run's."""
    result = results.load(record)
    if field := find_difference(job, result):
        raise ResultError(
            f"{record} is not this run's: {field} is another",
            hint=f"remove it, and the run is finished again: rm {shlex.quote(str(record))}",
        )
    return result


def find_difference(job: Job, result: Result) -> str:
    """The first field in which a result is not what the job's would be; "" if there is none. The name of the preset is
    no part of a run's identity.
    """
    method, made = job.method, result.method
    fields = {
        "run": (job.id, result.run),
        "status": (Status.FINISHED, result.status),
        "benchmark": (job.data, result.benchmark),
        "scenario": (job.scenario, result.scenario),
        "seed": (job.seed, result.seed),
        "comparable": (job.comparable, result.comparable),
        "method.name": (method.name, made.name),
        "method.revision": (method.revision, made.revision),
        "method.options": (method.row, made.row),
        "method.backbone": (method.backbone, made.backbone),
        "method.knowledge_options": (method.knowledge_options, made.knowledge_options),
    }
    return next((field for field, (wanted, found) in fields.items() if wanted != found), "")


def _read_older(runs: Path) -> Iterator[tuple[Path, Result]]:
    today = f'"schema": {SCHEMA}'
    for record in sorted(runs.glob("*/run.json")):
        with suppress(ResultError):  # a run that cannot be read is made again
            if today not in read_text(record, ResultError)[:40]:
                yield record.parent, results.load(record)
