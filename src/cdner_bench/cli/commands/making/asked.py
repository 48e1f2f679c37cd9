"""What `run` and `plan` can be asked for, and the runs that it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from ....errors import OptionError
from ...common import BenchmarkName, Disabled, PluginFiles, choose_benchmark, name_command, split_names

if TYPE_CHECKING:
    from ....data import Benchmark
    from ....running import Job

Result = TypeVar("Result")
Options = Annotated[
    list[str],
    typer.Option("-o", "--option", help="One option: KEY, or METHOD.KEY for one of several.", metavar="KEY=VALUE"),
]


@dataclass(frozen=True)
class Asked:
    """The options of the command line that name runs, as they were typed."""

    method: Annotated[str | None, typer.Option(help="Methods, separated by commas.", metavar="NAME[,NAME]")] = None
    setting: Annotated[str | None, typer.Option(help="single, multi, or another setting of the benchmark.")] = None
    target: Annotated[str | None, typer.Option(help="Target domains; all, if left out.", metavar="NAME[,NAME]")] = None
    target_data: Annotated[
        Path | None,
        typer.Option(help="A folder with train, dev and test files: a target of one's own.", metavar="FOLDER"),
    ] = None
    source: Annotated[
        str | None, typer.Option(help="With --target-data, the domains to learn from.", metavar="NAME[,NAME]")
    ] = None
    benchmark: BenchmarkName = None
    preset: Annotated[str | None, typer.Option(help="quick, cpu or paper; by default the benchmark's.")] = None
    options: Options = field(default_factory=list)
    seeds: Annotated[str, typer.Option(help="How many seeds (0, 1, ...), or the seeds themselves: 555,666,777.")] = "1"
    campaign: Annotated[
        Path | None, typer.Option(help="A file of rows to make, in place of all of the above.", metavar="FILE")
    ] = None
    limit: Annotated[
        int | None,
        typer.Option(
            help="A first trial: at most so many sentences of each split, ranked with no others.", metavar="N"
        ),
    ] = None
    shots: Annotated[
        str | None,
        typer.Option(
            help="With so many labelled sentences of the target, drawn by each seed, the fewer among the more, and as "
            "many of dev.",
            metavar="N[,N]",
        ),
    ] = None
    full_dev: Annotated[bool, typer.Option("--full-dev", help="With --shots, all of dev.")] = False
    plugin_files: PluginFiles = field(default_factory=list)
    disabled: Disabled = field(default_factory=list)

    def list_jobs(self, *, quiet: bool = False) -> tuple[Benchmark, list[Job]]:
        """The benchmark and the runs. Raises `OptionError` for arguments that ask for nothing. Unless it is to be
        `quiet`, the benchmark that was chosen is told.
        """
        from .... import plugins
        from ....plugins import options
        from ....running import campaign, runner

        if self.source is not None and self.target_data is None:
            raise OptionError(
                f"--source {self.source}: this is for --target-data; a setting has its own sources",
                hint="leave it out",
            )
        registry = plugins.discover(self.plugin_files, self.disabled)
        if self.campaign is not None:
            self._require_nothing_else()
            rows = campaign.read(self.campaign)
            whole = self._cut(choose_benchmark(rows.benchmark, quiet=quiet))
            return whole, list(rows.jobs(whole, registry))
        if self.method is None or not (self.setting or self.target_data):
            raise self._miss()
        whole = choose_benchmark(self.benchmark, quiet=quiet)
        if self.target_data is not None:
            whole = _build_on(whole, self.target_data.absolute(), self.source)
        entries = [registry.get(name) for name in split_names("--method", self.method)]
        data = self._cut(whole)
        targets = () if self.target is None else split_names("--target", self.target)
        settings = self._name_settings(data, self.setting or next(iter(data.settings)))
        scenarios = [scenario for name in settings for scenario in data.list_scenarios(name, targets)]
        chosen = options.parse_assignments(self.options)
        return data, runner.plan(data, scenarios, entries, self.preset, chosen, _parse_seeds(self.seeds))

    def _require_nothing_else(self) -> None:
        named = (self.method, self.setting, self.target, self.target_data, self.benchmark, self.preset, self.options)
        if any(named) or self.seeds != "1" or self.shots or self.full_dev:
            raise OptionError(
                "a campaign names its own benchmark, preset, methods, settings, options and seeds",
                hint="leave them out, or write a campaign of your own",
            )

    def _miss(self) -> OptionError:
        """What to say where there is no method or no setting."""
        known = choose_benchmark(self.benchmark, quiet=True).settings
        some = "multi" if "multi" in known else next(iter(known))
        words = ["--method", self.method or "bert-tagger", "--setting", self.setting or some]
        typed = name_command("run", *words, *(["--benchmark", self.benchmark] if self.benchmark else []))
        return OptionError(
            f"this needs a {'--method' if self.method is None else '--setting'}",
            hint=f"type: {typed}; cdner-bench list says what there is",
        )

    def _cut(self, data: Benchmark) -> Benchmark:
        return data if self.limit is None else data.cut_to(self.limit)

    def _name_settings(self, data: Benchmark, setting: str) -> list[str]:
        """The setting, or those with fewer labels."""
        from ....data import shots

        if self.shots is None:
            if self.full_dev:
                raise OptionError(
                    "--full-dev says how much of dev goes with --shots", hint="write --shots 10,25,50,100"
                )
            return [setting]
        if data.setting(setting).shots:
            raise OptionError(f"{setting} says how many labels already", hint="leave out --shots")
        numbers = shots.parse_numbers(self.shots)
        return [shots.name_shots(setting, shots.Shots(number, self.full_dev)) for number in numbers]


def asks_for_runs(command: Callable[..., Result]) -> Callable[..., Result]:
    """The command with the options of `Asked`, in front of those of its own, in place of its parameter `asked`."""
    kinds = get_type_hints(Asked, include_extras=True)
    shared = {f.name: _make_parameter(f, kinds[f.name]) for f in fields(Asked)}
    own = [p for name, p in signature(command, eval_str=True).parameters.items() if name != "asked"]

    def typed(**values: Any) -> Result:
        asked = Asked(**{name: values.pop(name) for name in shared})
        return command(asked=asked, **values)

    parameters = [*shared.values(), *(p.replace(kind=Parameter.KEYWORD_ONLY) for p in own)]
    typed.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # what Typer reads
    typed.__doc__ = command.__doc__
    return typed


def _make_parameter(option: Field[Any], kind: Any) -> Parameter:
    default = option.default if option.default_factory is MISSING else option.default_factory()
    return Parameter(option.name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _build_on(base: Benchmark, folder: Path, source: str | None) -> Benchmark:
    """The benchmark of a target of one's own."""
    from ....data import own

    if source is None:
        raise OptionError(
            "--target-data needs the domains to learn from",
            hint=f"add --source {next(iter(base.domains))}, or several: {', '.join(base.domains)}",
        )
    return own.build_on(base, folder, split_names("--source", source))


def _parse_seeds(text: str) -> list[int]:
    from ....running import campaign

    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 0 or ("," not in text and numbers[0] == 0):
        raise OptionError(
            f"--seeds {text}: not a number of seeds",
            hint="write --seeds 3, or the seeds: --seeds 555,666,777",
        )
    if "," in text:
        return list(dict.fromkeys(numbers))
    if numbers[0] > campaign.MOST_SEEDS:
        raise OptionError(
            f"--seeds {text}: that many seeds; there are at most {campaign.MOST_SEEDS}",
            hint=f"write the seed itself with a comma: --seeds {text},",
        )
    return list(range(numbers[0]))
