"""A campaign: rows that a board is to have, in the order in which they are worth having.

Its file names a benchmark, a preset, and `[[rows]]`: a method, settings, how many seeds, and options, in the texts of
which `{data}` stands for the folder of the fetched corpora.
The first seed of every row comes first, then the second of those that want one, so that the board is soon whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..data import Benchmark
from ..errors import DataError, OptionError
from ..io import TomlTable, find_data_dir
from ..plugins import Registry, operational, options
from .runner import Job, plan

MOST_SEEDS = 1000


@dataclass(frozen=True)
class CampaignRow:
    """A method with options in some settings, and with how many seeds."""

    method: str
    settings: tuple[str, ...]
    seeds: int
    options: Mapping[str, object]


@dataclass(frozen=True)
class Campaign:
    """What a file asks for."""

    benchmark: str
    preset: str
    rows: tuple[CampaignRow, ...]

    def jobs(self, benchmark: Benchmark, registry: Registry) -> Iterator[Job]:
        """Every run, in order, each once. Raises `OptionError` for methods, settings and options that do not exist,
        which names the row.
        """
        known = set[tuple[object, ...]]()
        for seed in range(max(row.seeds for row in self.rows)):
            for number, row in enumerate(self.rows, start=1):
                for job in self._list_runs(number, row, seed, benchmark, registry):
                    which = (job.scenario.setting, job.scenario.target, job.method.named_row, seed)
                    if which not in known:
                        yield job
                    known.add(which)

    def _list_runs(
        self, number: int, row: CampaignRow, seed: int, benchmark: Benchmark, registry: Registry
    ) -> list[Job]:
        if seed >= row.seeds:
            return []
        try:
            scenarios = [scenario for setting in row.settings for scenario in benchmark.list_scenarios(setting, ())]
            jobs = plan(benchmark, scenarios, [registry.get(row.method)], self.preset, row.options, [seed])
            for job in jobs:
                _check_places(job)
        except OptionError as error:
            raise OptionError(f"row {number}: {error}", hint=error.hint) from None
        return jobs


def _check_places(job: Job) -> None:
    """Raises `OptionError` for an option that names a place elsewhere: one that is no part of what comes out is no file
    that is read, but where something is written.
    """
    named = {name: options.read_option(job.options, name) for name in options.names_with_role(job.options, operational)}
    roots = [folder.resolve() for folder in (Path(), find_data_dir())]
    for name, place in named.items():
        if isinstance(place, Path) and not any(place.resolve().is_relative_to(root) for root in roots):
            raise OptionError(
                f"a campaign names no place to write to outside of this folder and that of the data: {name}={place}",
                hint="leave it out, or run its row by hand",
            )


def read(path: Path) -> Campaign:
    """Read a campaign. Raises `DataError` naming the file and the key for anything that is none."""
    table = TomlTable.read(path)
    rows = tuple(_read_row(row, n) for n, row in enumerate(table.take_tables("rows"), start=1))
    campaign = Campaign(table.take("benchmark", str), table.take("preset", str), rows)
    table.finish()
    if not rows:
        raise DataError(f"{path}: rows is missing", hint="begin a row with [[rows]] and name its method")
    return campaign


def _read_row(table: TomlTable, number: int) -> CampaignRow:
    table.prefix = f"row {number}: "
    row = CampaignRow(
        table.take("method", str),
        table.take_texts("settings", least=1),
        table.take("seeds", int, 1),
        {key: _place(value) for key, value in table.take("options", dict, {}).items()},
    )
    if not 1 <= row.seeds <= MOST_SEEDS:
        hint = f"write how many: 1 to {MOST_SEEDS}"
        raise DataError(f"{table.path}: {table.prefix}seeds cannot be {row.seeds}", hint=hint)
    table.finish()
    return row


def _place(value: object) -> object:
    return value.replace("{data}", str(find_data_dir())) if isinstance(value, str) else value
