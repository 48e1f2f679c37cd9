"""`cdner-bench run` makes runs and shows their board."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import OptionError, count, did_you_mean
from ...common import HERE, Out, name_out, tell_command
from .asked import Asked, asks_for_runs
from .told import name_benchmark, tell_after, tell_before, tell_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ....data import Benchmark
    from ....running import Job, JobObserver, Outcome, executing

    Make = Callable[[executing.Study, Sequence[JobObserver]], Iterator[Outcome]]

MOST = 100
"""The highest exit status, so that it stays clear of those of signals."""

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


@asks_for_runs
def run(
    context: typer.Context,
    asked: Asked,
    keep_model: KeepModel = None,
    out: Out = HERE,
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
    from ....io import Stopped, stoppable
    from ....plugins import options
    from ....running import executing, kept_models
    from ...streams import lasting

    try:
        with stoppable(), lasting():
            hire, queue = _choose_executor(executor)
            _check_for(executor, parameter, runs_per_job, workers, isolate)
            settings = options.parse_assignments(parameter, "-x")
            data, jobs = asked.list_jobs(quiet=quiet)
            study = executing.Study(kept_models.give_room(jobs, keep_model), out, asked.plugin_files, asked.disabled)
            if queue is not None:
                submission = queue(study, settings, 1 if runs_per_job is None else runs_per_job)
                if submission.runs or submission.queued:
                    return _tell_submission(submission, study, context.obj or ())
            with hire(study, 1 if isolate is False and workers is None else workers, settings) as crew:
                own = _choose_isolation(isolate, jobs, len(crew.workers))
                alone = len(crew.workers) == 1 and hire is executing.hire_here
                make = partial(_make_in_turn, isolate=own) if alone else partial(executing.make, crew.workers)
                return _make(data, study, quiet, make, crew, context.obj or ())
    except Stopped as stopped:
        return stopped.status


def _choose_executor(name: str) -> tuple[executing.Executor, executing.Queue | None]:
    """Who hires the workers that make runs while this waits, and what leaves them to a cluster instead, if that is
    asked for. Raises `OptionError` for a name that there is not.
    """
    from ....running import executing

    known = [*executing.EXECUTORS, *executing.QUEUES]
    if name not in known:
        raise OptionError(f"--executor {name}: there is no such", hint=did_you_mean(name, known))
    return executing.EXECUTORS.get(name, executing.hire_here), executing.QUEUES.get(name)


def _check_for(
    executor: str, parameters: Sequence[str], runs_per_job: int | None, workers: int | None, isolate: bool | None
) -> None:
    """Raises `OptionError` for what an executor does not have."""
    from ....running import executing

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


def _choose_isolation(asked: bool | None, jobs: Sequence[Job], workers: int) -> bool:
    """Whether each run has a process of its own. Raises `OptionError` if it must have and is not to."""
    apart = [job.entry.spec.name for job in jobs if job.entry.environment]
    if asked is None:
        return bool(apart) or len({job.entry.spec.name for job in jobs}) > 1
    if not asked and workers > 1:
        raise OptionError(
            f"--workers {workers}: several make each run in a process of its own", hint="leave out --no-isolate"
        )
    if not asked and apart:
        raise OptionError(f"--no-isolate: {apart[0]} runs in an environment of its own", hint="leave it out")
    return asked


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
    from ....running import runner, standing

    jobs = [(job.id, str(job), runner.locate_result(job)) for job in study.jobs]
    command, named = ["cdner-bench", *typed], name_benchmark(study.jobs[0].benchmark)
    board = ["cdner-bench", "leaderboard", *named, *name_out(study.out)] if named else []
    standing.write_plan(study.out, command, jobs, command if named is None else board)


def _make_in_turn(study: executing.Study, observers: Sequence[JobObserver], *, isolate: bool) -> Iterator[Outcome]:
    """Make the runs one after the other, each in this process or in one of its own."""
    from ....running import Workers, runner

    with Workers(study.plugin_files, study.disabled) as workers:
        yield from runner.run(study.jobs, study.out, observers[0], workers.make if isolate else None)


def _make(
    data: Benchmark, study: executing.Study, quiet: bool, make: Make, crew: executing.Crew, typed: Sequence[str]
) -> int:
    """Make the runs by a crew, and print what came of them. Returns how many failed."""
    from ...display import open_displays

    jobs, out = study.jobs, study.out
    if not quiet:
        tell_before(data, jobs, out, crew)
    _write_plan(study, typed)
    with open_displays(quiet, len(crew.workers)) as displays:
        order = {job.id: number for number, job in enumerate(jobs)}
        outcomes = sorted(make(study, displays), key=lambda outcome: order[outcome.job.id])
    if not quiet:
        tell_after(data, jobs, outcomes, out)
        tell_models(outcomes, out)
    return min(sum(outcome.failed for outcome in outcomes), MOST)
