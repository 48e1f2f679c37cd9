"""`cdner-bench run` makes runs and shows their board; `plan` says what it would do."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import CdnerError, OptionError, RefusedWarning, count, did_you_mean
from ..common import (
    HERE,
    BenchmarkName,
    Disabled,
    Out,
    PluginFiles,
    choose_benchmark,
    make_table,
    name_command,
    name_out,
    show,
    split_names,
    tell_command,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...data import Benchmark
    from ...running import Job, JobObserver, Outcome, Planned, executing

    Make = Callable[[executing.Study, Sequence[JobObserver]], Iterator[Outcome]]

MOST = 100
"""The highest exit status, so that it stays clear of those of signals."""

Methods = Annotated[str | None, typer.Option(help="Methods, separated by commas.", metavar="NAME[,NAME]")]
Setting = Annotated[str | None, typer.Option(help="single, multi, or another setting of the benchmark.")]
Targets = Annotated[str | None, typer.Option(help="Target domains; all, if left out.", metavar="NAME[,NAME]")]
Preset = Annotated[str | None, typer.Option(help="quick, cpu or paper; by default the benchmark's.")]
Options = Annotated[
    list[str],
    typer.Option("-o", "--option", help="One option: KEY, or METHOD.KEY for one of several.", metavar="KEY=VALUE"),
]
Seeds = Annotated[str, typer.Option(help="How many seeds (0, 1, ...), or the seeds themselves: 555,666,777.")]
TargetData = Annotated[
    Path | None, typer.Option(help="A folder with train, dev and test files: a target of one's own.", metavar="FOLDER")
]
Sources = Annotated[
    str | None, typer.Option(help="With --target-data, the domains to learn from.", metavar="NAME[,NAME]")
]
Limit = Annotated[
    int | None,
    typer.Option(help="A first trial: at most so many sentences of each split, ranked with no others.", metavar="N"),
]
ShotsOption = Annotated[
    str | None,
    typer.Option(
        "--shots",
        help="With so many labelled sentences of the target, drawn by each seed, the fewer among the more, and as many "
        "of dev.",
        metavar="N[,N]",
    ),
]
FullDev = Annotated[bool, typer.Option("--full-dev", help="With --shots, all of dev.")]
Isolate = Annotated[
    bool | None,
    typer.Option(
        "--isolate/--no-isolate",
        help="Make each run in a process of its own; by default, if there are two methods or more.",
        show_default=False,
    ),
]
KeepModel = Annotated[
    bool | None,
    typer.Option(
        "--keep-model/--no-keep-model",
        help="Keep what was learnt, for predict; by default, if all models of the command have at most 200 MB.",
        show_default=False,
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        help="Who makes the runs: local, this machine; ray, a Ray cluster, or a Ray of this machine; slurm, jobs of a "
        "cluster.",
        metavar="NAME",
        show_default=False,
    ),
]
Parameters = Annotated[
    list[str],
    typer.Option(
        "-x",
        help="With --executor slurm or ray: what its jobs get, as partition=gpu, or address=auto.",
        metavar="KEY=VALUE",
    ),
]
RunsPerJob = Annotated[
    int | None,
    typer.Option(
        "--runs-per-job",
        help="With --executor slurm: how many runs a job makes; by default one.",
        metavar="N",
        show_default=False,
    ),
]
WorkerCount = Annotated[
    int | None,
    typer.Option(
        "--workers",
        help="How many processes make runs beside one another, each with a GPU or its part of the cores; by default "
        "one a GPU, else one.",
        metavar="N",
        show_default=False,
    ),
]
CampaignFile = Annotated[
    Path | None, typer.Option(help="A file of rows to make, in place of all of the above.", metavar="FILE")
]


def run(
    context: typer.Context,
    method: Methods = None,
    setting: Setting = None,
    target: Targets = None,
    target_data: TargetData = None,
    source: Sources = None,
    benchmark: BenchmarkName = None,
    preset: Preset = None,
    option: Options = [],
    seeds: Seeds = "1",
    campaign: CampaignFile = None,
    limit: Limit = None,
    shots: ShotsOption = None,
    full_dev: FullDev = False,
    keep_model: KeepModel = None,
    out: Out = HERE,
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
    isolate: Isolate = None,
    executor: ExecutorName = "local",
    workers: WorkerCount = None,
    parameter: Parameters = [],
    runs_per_job: RunsPerJob = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="One line a run: setting/target method seed status F1, and nothing else.")
    ] = False,
) -> int:
    """Run methods on a benchmark. What is finished is skipped, what was interrupted is continued."""
    from ...io import Stopped, stoppable
    from ...plugins import options
    from ...running import executing, kept_models
    from ..streams import lasting

    own = _name_own(target_data, source)
    few = shots, full_dev
    asked = (method, setting, target, own, benchmark, preset, option, seeds, campaign, limit, few, plugin, no_plugin)
    try:
        with stoppable(), lasting():
            hire, queue = _choose_executor(executor)
            _check_for(executor, parameter, runs_per_job, workers, isolate)
            settings = options.parse_assignments(parameter, "-x")
            data, jobs = _list_jobs(*asked, quiet=quiet)
            study = executing.Study(kept_models.give_room(jobs, keep_model), out, plugin, no_plugin)
            if queue is not None:
                submission = queue(study, settings, 1 if runs_per_job is None else runs_per_job)
                if submission.runs or submission.queued:
                    return _tell_submission(submission, study, context.obj or ())
            with hire(study, 1 if isolate is False and workers is None else workers, settings) as crew:
                number = len(crew.workers)
                if isolate is False and number > 1:
                    raise OptionError(
                        f"--workers {number}: several make each run in a process of its own",
                        hint="leave out --no-isolate",
                    )
                apart = [job.entry for job in jobs if job.entry.environment]
                if isolate is False and apart:
                    raise OptionError(
                        f"--no-isolate: {apart[0].spec.name} runs in an environment of its own", hint="leave it out"
                    )
                if isolate is None:
                    isolate = bool(apart) or len({job.entry.spec.name for job in jobs}) > 1
                alone = number == 1 and hire is executing.hire_here
                make = partial(_make_in_turn, isolate=isolate) if alone else partial(executing.make, crew.workers)
                return _make(data, study, quiet, make, crew, context.obj or ())
    except Stopped as stopped:
        return stopped.status


def _choose_executor(name: str) -> tuple[executing.Executor, executing.Queue | None]:
    """Who hires the workers that make runs while this waits, and what leaves them to a cluster instead, if that is
    asked for. Raises `OptionError` for a name that there is not.
    """
    from ...running import executing

    known = [*executing.EXECUTORS, *executing.QUEUES]
    if name not in known:
        raise OptionError(f"--executor {name}: there is no such", hint=did_you_mean(name, known))
    return executing.EXECUTORS.get(name, executing.hire_here), executing.QUEUES.get(name)


def _check_for(
    executor: str, parameters: Sequence[str], runs_per_job: int | None, workers: int | None, isolate: bool | None
) -> None:
    """Raises `OptionError` for what an executor does not have."""
    from ...running import executing

    if executor == "local":
        executing.count_workers(workers)
    if parameters and executor == "local":
        raise OptionError(f"-x {parameters[0]}: this is for a cluster", hint="add --executor slurm, or --executor ray")
    if runs_per_job is not None and executor != "slurm":
        raise OptionError(f"--runs-per-job {runs_per_job}: this is for jobs of SLURM", hint="add --executor slurm")
    if workers is not None and executor == "slurm":
        raise OptionError(
            f"--workers {workers}: a job has a worker a GPU, else one, with processes of their own",
            hint="leave it out",
        )
    if isolate is False and executor != "local":
        raise OptionError("--no-isolate: a cluster makes each run in a process of its own", hint="leave it out")


def _tell_submission(submission: executing.Submission, study: executing.Study, typed: Sequence[str]) -> int:
    """Keep what is to be made for `status`, and say what was submitted and what to type next."""
    _write_plan(study, typed)
    for remark in submission.remarks:
        print(f"note: {remark}")
    for reason in submission.blocked:
        print(f"blocked: {reason}")
    if submission.runs:
        jobs = f"{count(submission.shares, 'job')}: {', '.join(submission.jobs)}"
        print(f"{submission.runs} of {len(study.jobs)} runs submitted, in {jobs}")
    if submission.queued:
        there = ", ".join(dict.fromkeys(submission.queued.values()))
        print(f"{len(submission.queued)} of {len(study.jobs)} runs are in jobs already: {there}")
    print("when they have ended, the same command shows the board, and submits again what is left")
    tell_command("status", "--watch", out=study.out)
    return 0


def _write_plan(study: executing.Study, typed: Sequence[str]) -> None:
    from ...running import runner, standing

    jobs = [(job.id, str(job), runner.locate_result(job)) for job in study.jobs]
    command, named = ["cdner-bench", *typed], _name_benchmark(study.jobs[0].benchmark)
    board = ["cdner-bench", "leaderboard", *named, *name_out(study.out)] if named else []
    standing.write_plan(study.out, command, jobs, command if named is None else board)


def _name_benchmark(data: Benchmark) -> list[str] | None:
    """What to type for a benchmark where boards are shown: nothing for a shipped one; None for that of a folder, which
    no other command reads.
    """
    from ...data import benchmark

    shipped = benchmark.list_shipped()
    if data.given in shipped:
        return []
    whole = data.given.removesuffix(f"-limit{data.limit}")
    return ["--benchmark", data.given] if whole in shipped or whole.endswith(".toml") else None


def _make_in_turn(study: executing.Study, observers: Sequence[JobObserver], *, isolate: bool) -> Iterator[Outcome]:
    """Make the runs one after the other, each in this process or in one of its own."""
    from ...running import Workers, runner

    with Workers(study.plugin_files, study.disabled) as workers:
        yield from runner.run(study.jobs, study.out, observers[0], workers.make if isolate else None)


def _make(
    data: Benchmark, study: executing.Study, quiet: bool, make: Make, crew: executing.Crew, typed: Sequence[str]
) -> int:
    """Make the runs by a crew, and print what came of them. Returns how many failed."""
    from ..display import open_displays

    jobs, out = study.jobs, study.out
    if not quiet:
        _tell_before(data, jobs, out, crew)
    _write_plan(study, typed)
    with open_displays(quiet, len(crew.workers)) as displays:
        order = {job.id: number for number, job in enumerate(jobs)}
        outcomes = sorted(make(study, displays), key=lambda outcome: order[outcome.job.id])
    if not quiet:
        _tell_after(data, jobs, outcomes, out)
        tell_models(outcomes, out)
    return min(sum(outcome.failed for outcome in outcomes), MOST)


def _tell_before(data: Benchmark, jobs: Sequence[Job], out: Path, crew: executing.Crew) -> None:
    """What is to be known of the data, who makes the runs, and how long they may take; nothing of those that are
    finished.
    """
    from ...data import audit
    from ...running import survey

    if data.remark:
        print(data.remark, flush=True)
    for remark in audit.describe_own(data, dict.fromkeys(job.scenario.target for job in jobs)):
        print(f"note: {remark}", flush=True)
    if crew.words:
        print(crew.words, flush=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RefusedWarning)  # the board says which
            left = [planned for planned in survey(jobs, out) if planned.left]
    except (CdnerError, OSError):
        return  # it is said of each run that it is in the way of
    known = [planned.seconds for planned in left if planned.seconds is not None]
    some = "" if len(known) == len(left) else f" for {len(known)} of {len(left)} runs; the others are like none"
    if known:
        print(
            f"about {tell_duration(sum(known) / len(crew.workers))}, as earlier runs like these took{some}", flush=True
        )
    elif left:
        print("no run like these was made yet: how long is not known", flush=True)


def tell_duration(seconds: float) -> str:
    """A time as one says it: in the unit of which it has a few."""
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        number = max(round(seconds / size), 1)
        if seconds >= 2 * size or unit == "second":
            break
    return count(number, unit)


def _tell_after(data: Benchmark, jobs: Sequence[Job], outcomes: Sequence[Outcome], out: Path) -> None:
    """The boards, what there is to mend, where everything lies, and what to type next."""
    from ...running import Ending
    from .leaderboard import print_boards

    print_boards(data, out, dict.fromkeys(job.scenario.setting for job in jobs))
    if doubtful := sum(bool(outcome.doubts) for outcome in outcomes):
        print(f"{doubtful} of {len(jobs)} runs have a score to be doubted, for the reason that stands by it")
    if busy := sum(outcome.status is Ending.BUSY for outcome in outcomes):
        print(f"{busy} of {len(jobs)} runs are being made by another process; type the same command when it has ended")
    if failed := sum(outcome.failed for outcome in outcomes):
        print(f"{failed} of {len(jobs)} runs failed; type the same command to try them again")
    _tell_next(data, outcomes, out)


def _tell_next(data: Benchmark, outcomes: Sequence[Outcome], out: Path) -> None:
    """Where results and predictions lie, and the commands that read them."""
    from ...records import locate_predictions

    boards = out / "leaderboards"
    finished = [outcome.result for outcome in outcomes if outcome.result and outcome.result.finished]
    files = {
        "results": [boards / "results" / result.path for result in finished],
        "predictions": [path for result in finished if (path := locate_predictions(boards, result)).exists()],
    }
    if told := [f"{what} in {_name_place(paths)}" for what, paths in files.items() if paths]:
        print(", ".join(told))
    named = _name_benchmark(data)
    if finished and named is not None:
        tell_command("leaderboard", *named, out=out)
    if files["predictions"] and named is not None:
        tell_command("score", str(files["predictions"][0]), "--benchmark", data.given)
    elif files["predictions"] and not data.limit:
        gold = data.domain(finished[0].scenario.target).splits["test"].location
        tell_command("score", str(files["predictions"][0]), "--gold", str(gold))


def tell_models(outcomes: Sequence[Outcome], out: Path) -> None:
    """Which models were kept, what they take, and the command that uses one; how to have one that was not kept though
    it was to be.
    """
    from ...io import measure
    from ...plugins import Method
    from ...records import MODEL
    from ...running import Ending, kept_models

    finished = [outcome for outcome in outcomes if outcome.result and outcome.result.finished]
    places = {o.job.id: out / "runs" / o.job.id / MODEL for o in finished}
    kept = {run: place for run, place in places.items() if (place / kept_models.CARD).is_file()}
    if kept:
        size = kept_models.show_size(sum(map(measure, kept.values())))
        print(f"{'models' if len(kept) > 1 else 'model'} kept in {_name_place(list(kept.values()))} ({size})")
        job = next(o.job for o in finished if o.job.id in kept)
        tell_command("predict", job.id, "FILE", *name_out(out), *job.entry.list_words())
    asked = [o.job for o in finished if o.status is Ending.SKIPPED and o.job.room == kept_models.UNBOUNDED]
    if lacking := [job for job in asked if job.id not in kept and not job.entry.spec.load(Method).find_missing()]:
        print(f"{len(lacking)} of {len(outcomes)} runs were finished before without their models; to have one:")
        named = ["--benchmark", lacking[0].benchmark.given, *name_out(out), *lacking[0].entry.list_words()]
        tell_command("reproduce", lacking[0].id, "--again", "DIR", "--keep-model", *named)


def _name_place(paths: Sequence[Path]) -> str:
    return str(paths[0] if len(paths) == 1 else f"{os.path.commonpath([path.parent for path in paths])}/")


def plan(
    method: Methods = None,
    setting: Setting = None,
    target: Targets = None,
    target_data: TargetData = None,
    source: Sources = None,
    benchmark: BenchmarkName = None,
    preset: Preset = None,
    option: Options = [],
    seeds: Seeds = "1",
    campaign: CampaignFile = None,
    limit: Limit = None,
    shots: ShotsOption = None,
    full_dev: FullDev = False,
    out: Out = HERE,
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> None:
    """Say what `run` with the same arguments would make, what it shares, and what it may take. Starts nothing."""
    from ...running import State, survey

    own = _name_own(target_data, source)
    few = shots, full_dev
    asked = (method, setting, target, own, benchmark, preset, option, seeds, campaign, limit, few, plugin, no_plugin)
    _, jobs = _list_jobs(*asked)
    rows: dict[tuple[str, ...], list[Planned]] = {}
    for planned in survey(jobs, out):
        rows.setdefault(_describe(planned.job), []).append(planned)
    left = [p for row in rows.values() for p in row if p.left]
    headers = ("method", "preset", "setting", "runs", *State, "sharing", "minutes a run", "hours left")
    table = make_table(*headers, right=len(State) + 4, keep=("setting", State.TO_DO, "hours left", "runs", "preset"))
    users = Counter(stage for row in rows.values() for p in row for stage in p.stages)
    for name, row in rows.items():
        counts = Counter(p.state for p in row)
        time = _tell_time([p for p in row if p.left])
        sharing = sum(any(users[stage] > 1 for stage in p.stages) for p in row)
        table.add_row(*name, str(len(row)), *(str(counts[state] or "") for state in State), str(sharing or ""), *time)
    show(table)
    for reason in dict.fromkeys(p.reason for row in rows.values() for p in row if p.reason):
        print(f"blocked: {reason}")
    unknown = sum(p.seconds is None for p in left)
    hours = sum(p.seconds or 0 for p in left) / 3600
    took = f", {hours:.1f} hours as earlier runs like them took, one at a time" if unknown < len(left) else ""
    print(f"{len(left)} of {len(jobs)} runs to make{took}")
    if on_gpu := sum(p.seconds or 0 for p in left if p.on_gpu) / 3600:
        print(f"{on_gpu:.1f} of them are hours of a GPU")
    if tokens := sum(p.tokens for p in left):
        cost = sum(p.cost for p in left)
        print(f"about {tokens:,.0f} tokens of language models" + (f", ${cost:,.2f}" if cost else ""))
    if shared := [stage for stage, count in users.items() if count > 1]:
        there = sum((out / "runs" / "shared" / stage).is_dir() for stage in shared)
        print(f"{len(shared)} stages are shared by several of these runs, and {there} of them are there already")
    if unknown:
        which = f"{unknown} of them are not in this sum" if took else "how long is not known"
        print(f"{which}: no run like them was finished yet")


def _describe(job: Job) -> tuple[str, str, str]:
    options = ", ".join(f"{name}={job.method.options[name]}" for name in job.departures)
    name = job.entry.spec.name
    return f"{name} ({options})" if options else name, job.preset or "–", job.scenario.setting


def _tell_time(planned: Sequence[Planned]) -> tuple[str, str]:
    """Minutes of a run and hours of all, of those that can be estimated."""
    known = [p.seconds for p in planned if p.seconds is not None]
    if not known:
        return ("?", "?") if planned else ("", "")
    return f"{sum(known) / len(known) / 60:.1f}", f"{sum(known) / 3600:.1f}"


def _list_jobs(
    method: str | None,
    setting: str | None,
    target: str | None,
    own: tuple[Path, str | None] | None,
    benchmark: str | None,
    preset: str | None,
    option: list[str],
    seeds: str,
    campaign: Path | None,
    limit: int | None,
    few: tuple[str | None, bool],
    plugin: list[Path],
    no_plugin: list[str],
    *,
    quiet: bool = False,
) -> tuple[Benchmark, list[Job]]:
    """The benchmark and the runs that the arguments ask for. Raises `OptionError` for those that ask for nothing."""
    from ... import plugins
    from ...plugins import options
    from ...running import campaign as campaigns
    from ...running import runner

    registry = plugins.discover(plugin, no_plugin)
    if campaign is not None:
        if method or setting or target or own or option or benchmark or preset or seeds != "1" or any(few):
            raise OptionError(
                "a campaign names its own benchmark, preset, methods, settings, options and seeds",
                hint="leave them out, or write a campaign of your own",
            )
        asked = campaigns.read(campaign)
        whole = _cut(choose_benchmark(asked.benchmark, quiet=quiet), limit)
        return whole, list(asked.jobs(whole, registry))
    data = choose_benchmark(benchmark, quiet=quiet) if method and (setting or own) else None
    if own is not None and data is not None:
        data = _build_on(data, *own)
        setting = setting or next(iter(data.settings))
    if data is None or method is None or setting is None:
        known = choose_benchmark(benchmark, quiet=True).settings
        some = "multi" if "multi" in known else next(iter(known))
        words = ["--method", method or "bert-tagger", "--setting", setting or some]
        typed = name_command("run", *words, *(["--benchmark", benchmark] if benchmark else []))
        raise OptionError(
            f"this needs a {'--method' if method is None else '--setting'}",
            hint=f"type: {typed}; cdner-bench list says what there is",
        )
    entries = [registry.get(name) for name in split_names("--method", method)]
    data = _cut(data, limit)
    targets = () if target is None else split_names("--target", target)
    settings = _name_settings(data, setting, *few)
    scenarios = [scenario for name in settings for scenario in data.list_scenarios(name, targets)]
    chosen = options.parse_assignments(option)
    return data, runner.plan(data, scenarios, entries, preset, chosen, _parse_seeds(seeds))


def _name_own(folder: Path | None, source: str | None) -> tuple[Path, str | None] | None:
    """The folder of a target of one's own, and what it learns from, if there is one."""
    if folder is not None:
        return folder.absolute(), source
    if source is not None:
        raise OptionError(
            f"--source {source}: this is for --target-data; a setting has its own sources", hint="leave it out"
        )
    return None


def _name_settings(data: Benchmark, setting: str, numbers: str | None, full_dev: bool) -> list[str]:
    """The setting, or those with fewer labels."""
    from ...data import shots

    if numbers is None:
        if full_dev:
            raise OptionError("--full-dev says how much of dev goes with --shots", hint="write --shots 10,25,50,100")
        return [setting]
    if data.setting(setting).shots:
        raise OptionError(f"{setting} says how many labels already", hint="leave out --shots")
    return [shots.name_shots(setting, shots.Shots(number, full_dev)) for number in shots.parse_numbers(numbers)]


def _cut(data: Benchmark, limit: int | None) -> Benchmark:
    return data if limit is None else data.cut_to(limit)


def _build_on(base: Benchmark, folder: Path, source: str | None) -> Benchmark:
    """The benchmark of a target of one's own."""
    from ...data import own

    if source is None:
        raise OptionError(
            "--target-data needs the domains to learn from",
            hint=f"add --source {next(iter(base.domains))}, or several: {', '.join(base.domains)}",
        )
    return own.build_on(base, folder, split_names("--source", source))


def _parse_seeds(text: str) -> list[int]:
    from ...running import campaign

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
