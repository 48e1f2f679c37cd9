"""Runs as jobs of SLURM, through submitit: arrays of jobs, each of which makes its share of the runs as they are made
on one machine.

What is to be made lies in the store, as data: `runs/slurm/<hash>/study.json`. A job gets no more than its path and its
number there. It makes its runs only with the code that they were submitted with.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data import Benchmark
from ...errors import CdnerError, OptionError, PluginError, did_you_mean, in_words
from ...hashing import digest
from ...io import Stopped, lock, models, stoppable, write_atomic, writing
from ...plugins import Registry, Unwatched
from ..planning import State, survey
from ..process import Data, describe, discover, restore
from ..runner import ELSEWHERE, Job, Outcome, keep_words
from . import grouping
from .codes import check_core, check_plugin, hash_codes, hash_core
from .local import Study, make_locally
from .queued import NAME, STUDY, SUBMITTED, ask, find_queued
from .shares import count_workers

COMMON = ("out", "plugins", "disabled", "benchmark")
"""What all jobs of a study say alike."""
OURS = (
    "name", "job_name", "nodes", "tasks_per_node", "ntasks_per_node", "num_gpus", "use_srun", "additional_parameters",
)  # fmt: skip
"""Parameters of submitit that are not the user's: jobs are found again by name, and are one process each, in a step
because signals come to steps.
"""
NUMBERS = ("array_parallelism", "signal_delay_s", "mem_gb")
LISTS = ("setup", "teardown", "srun_args")
MINUTES = 240
"""The time limit of a job, unless the user says otherwise."""
WARNED = 90
"""Seconds before the limit at which SLURM sends a job SIGTERM, unless the user says otherwise; never more than a
quarter of the limit.
"""
MOST_STARTS = 100
"""How often a job puts itself back into the queue at most, so that one that never comes further ends some day."""


@dataclass(frozen=True)
class Submission:
    """What became of the runs of a study: those that were submitted now, in these jobs, those that others of SLURM's
    jobs have to make, and why others cannot be made. `remarks` are for the user.
    """

    runs: int
    shares: int = 0
    jobs: Sequence[str] = ()
    queued: Mapping[str, str] | None = None
    blocked: Sequence[str] = ()
    remarks: Sequence[str] = ()


def submit(study: Study, asked: Mapping[str, str], runs_per_job: int) -> Submission:
    """Submit what is left of a study and in no job of SLURM yet, with parameters of submitit, so many runs a job.
    Raises `CdnerError` for what cannot be submitted, and then nothing is.
    """
    if runs_per_job < 1:
        raise OptionError(
            f"--runs-per-job {runs_per_job}: a job makes at least one run", hint="type --runs-per-job 1, or more"
        )
    most = _read_array_size(ask("scontrol", "show", "config"))
    folder = study.out.absolute() / "runs" / SUBMITTED
    parameters = _settle(asked, _open_executor(folder))
    with ExitStack() as held:
        with writing(folder, ELSEWHERE):
            held.enter_context(lock(folder / "lock", wait=True))
        planned, queued = list(survey(study.jobs, study.out)), find_queued(study.out)
        ours = {job.id: queued[job.id] for job in study.jobs if job.id in queued}
        left = {each.job.id: each.job for each in planned if each.left and each.job.id not in queued}
        blocked = tuple(dict.fromkeys(each.reason for each in planned if each.state is State.BLOCKED))
        if not left:
            return Submission(0, queued=ours, blocked=blocked)
        remarks = _fetch_weights(list(left.values()))
        arrays = grouping.group(list(left.values()), runs_per_job)
        jobs = _submit(study, arrays, most, parameters, folder)
    return Submission(len(left), sum(len(array.shares) for array in arrays), jobs, ours, blocked, remarks)


def _read_array_size(config: str) -> int:
    """How many jobs an array may have: SLURM names the first number that none may have."""
    found = [line.split("=")[1].strip() for line in config.splitlines() if line.startswith("MaxArraySize")]
    return max(1, int(found[0])) if found and found[0].isdecimal() else 1


def _open_executor(folder: Path) -> Any:
    try:
        import submitit
    except ImportError:
        raise PluginError(
            "--executor slurm needs the package submitit", hint="pip install 'cdner-bench[slurm]'"
        ) from None
    for name in ("sbatch", "srun", "squeue", "scancel"):
        ask(name, "--version")
    return submitit.SlurmExecutor(folder)


def _settle(asked: Mapping[str, str], executor: Any) -> dict[str, Any]:
    """The parameters for submitit. Raises `OptionError` for those that it does not know or that are nonsense."""
    known = sorted({*executor._valid_parameters(), *executor._equivalence_dict()} - {*OURS})
    for name, value in asked.items():
        if name in OURS:
            raise OptionError(f"-x {name}={value}: this is not yours to choose", hint="leave it out")
        if name not in known:
            raise OptionError(f"-x {name}: submitit has no such parameter", hint=did_you_mean(name, known))
    if partitions := asked.get("partition"):
        there = ask("sinfo", "--noheader", "--all", "--format", "%R").split()
        if lacking := [name for name in partitions.split(",") if name not in there]:
            raise OptionError(
                f"-x partition={partitions}: the cluster has no partition {lacking[0]}",
                hint=did_you_mean(lacking[0], there),
            )
    try:
        values = {name: _read(name, value) for name, value in asked.items()}
    except ValueError as error:
        raise OptionError(f"-x srun_args={asked['srun_args']}: {error}", hint="quote it as in a shell") from None
    for name in NUMBERS:
        if not isinstance(values.get(name, 0), int | float):
            raise OptionError(f"-x {name}={values[name]}: no number", hint="write it as 4")
    minutes = values.setdefault("timeout_min", MINUTES) if "time" not in values else values["time"]
    quarter = minutes * 15 if isinstance(minutes, int) and minutes > 0 else WARNED
    warned = values.setdefault("signal_delay_s", min(WARNED, quarter))
    # One signal for all occasions, so that no process of a run is ended by one that it does not know.
    values["additional_parameters"] = {"signal": f"TERM@{warned}", "requeue": True, "kill-on-invalid-dep": "yes"}
    if cores := values.get("cpus_per_task"):  # since 22.05, steps have one core unless they say more
        values["srun_args"] = [*values.get("srun_args", ()), f"--cpus-per-task={cores}"]
    converted: dict[str, Any] = executor._convert_parameters(values)
    return converted


def _read(name: str, text: str) -> Any:
    """A value as submitit wants it: a number, if it is written as one."""
    if name in LISTS:
        return shlex.split(text) if name == "srun_args" else [text]
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        with suppress(ValueError):
            if str(kind(text)) == text:
                return kind(text)
    return text


def _fetch_weights(jobs: Sequence[Job]) -> list[str]:
    """Fetch the backbones that the catalogue has, and say which it does not have."""
    named = dict.fromkeys(name for job in jobs for name in (job.method.backbone or "").split(", ") if name)
    for name in named:
        if name in models.read_catalogue():
            models.fetch(name)
    other = [name for name in named if name not in models.read_catalogue() and not Path(name).is_dir()]
    if not other:
        return []
    what = (
        f"{', '.join(other)}: not fetched, because `cdner-bench models` does not know {'them' if other[1:] else 'it'}"
    )
    return [f"{what}; nodes without internet need it in the cache that they see"]


def _submit(
    study: Study, arrays: Sequence[grouping.Array], most: int, parameters: Mapping[str, Any], folder: Path
) -> list[str]:
    """Submit all arrays, in parts that the cluster takes, or none. Returns their ids."""
    submitted: list[str] = []
    made: list[Path] = []
    first: list[str] = []
    try:
        for array in arrays:
            after = () if array is arrays[0] else first
            for start in range(0, len(array.shares), most):
                shares = array.shares[start : start + most]
                made.append(_write_study(study, shares, folder))
                waits = _await(after, array.after, start, len(shares))
                wanted = ",".join(filter(None, [parameters.get("dependency"), waits]))
                ids = _submit_array(made[-1], len(shares), {**parameters, **({"dependency": wanted} if wanted else {})})
                submitted.append(ids[0].split("_")[0])
                first = first if after else [*first, *ids]
    except BaseException:
        for job in submitted:
            with suppress(CdnerError):
                ask("scancel", job)
        for place in made:
            shutil.rmtree(place.parent)
        raise
    return submitted


def _await(first: Sequence[str], after: int | None, start: int, count: int) -> str:
    """What so many jobs from `start` on wait for, of the jobs of the first array, in SLURM's words."""
    if not first:
        return ""
    if after is not None or count == 1:
        return f"afterok:{first[start if after is None else after]}"
    return f"aftercorr:{first[start].split('_')[0]}"


def _write_study(study: Study, shares: Sequence[grouping.Share], folder: Path) -> Path:
    """Keep what the jobs of an array make, as data."""
    told = [[describe(job, study.out, study.plugin_files, study.disabled) for job in share] for share in shares]
    common = {name: told[0][0][name] for name in COMMON}
    own = [[{name: value for name, value in data.items() if name not in COMMON} for data in share] for share in told]
    codes = hash_codes(job for share in shares for job in share)
    written = {**codes, "common": common, "shares": own}
    place = folder / digest(written)[:16] / STUDY
    with writing(place.parent, ELSEWHERE):
        write_atomic(place, json.dumps(written, ensure_ascii=True))
    return place


def _submit_array(place: Path, count: int, parameters: Mapping[str, Any]) -> list[str]:
    import submitit

    executor = submitit.SlurmExecutor(place.parent)
    executor.update_parameters(**parameters, job_name=f"{NAME}{place.parent.name}")
    try:
        with writing(place.parent, ELSEWHERE), redirect_stderr(io.StringIO()):  # submitit says there what it raises
            jobs = executor.map_array(make_share, [str(place)] * count, range(count))
    except (submitit.core.utils.UncompletedJobError, submitit.core.utils.FailedSubmissionError) as error:
        lines = str(error).replace("sbatch: error: ", "").strip().splitlines() or ["sbatch said nothing"]
        raise CdnerError(
            f"SLURM refuses the job: {lines[0]}", hint="nothing was submitted; mend what it names: -x NAME=VALUE"
        ) from None
    return [job.job_id for job in jobs]


# --- in a job --------------------------------------------------------------------------------------------------------


def make_share(place: str, index: int) -> None:
    """In a job of SLURM: make its share of the runs of a study. When SLURM asks it to end, the runs end where they are,
    and the job goes back into the queue.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # submitit passes it by
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # SLURM says which GPUs a job has: those that it sees are others'
    try:
        with stoppable():
            refused = _make(Path(place), index)
    except Stopped as stopped:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _requeue()
        sys.exit(stopped.status)
    except CdnerError as error:
        print(f"{error}\n  → {error.hint or 'type the same command again'}", flush=True)
        sys.exit(1)
    sys.exit(min(refused, 1))


def _make(place: Path, index: int) -> int:
    """Make the runs of a share, and return how many were refused."""
    study: Data = json.loads(place.read_bytes())
    common, out, core = study["common"], Path(study["common"]["out"]), hash_core()
    jobs: list[Job] = []
    registry: Registry | None = None
    benchmark: Benchmark | None = None
    for data in study["shares"][index]:
        try:
            check_core(study, core)
            registry = registry or discover(common)
            job = restore({**common, **data}, registry, benchmark)
            check_plugin(study, job.entry)
            benchmark = job.benchmark
            jobs.append(job)
        except Exception as error:
            _refuse(out / "runs" / data["id"], error)
    if jobs:
        observers = [_Teller() for _ in range(count_workers(None, len(jobs)))]
        for _ in make_locally(
            Study(jobs, out, [Path(file) for file in common["plugins"]], common["disabled"]), observers
        ):
            pass
    return len(study["shares"][index]) - len(jobs)


def _refuse(folder: Path, error: Exception) -> None:
    """Say in the log of the job, and in the folder of a run for `status`, why it is not made."""
    said = f"not made on {socket.gethostname()}: {in_words(error)}; type the same command again"
    print(f"{folder.name}: {said}", flush=True)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    keep_words(folder, said)


def _requeue() -> None:
    """Put this job back into the queue, unless the user has cancelled it."""
    job = os.environ["SLURM_JOB_ID"]
    starts = int(os.environ.get("SLURM_RESTART_COUNT", "0")) + 1
    try:
        state = ask("squeue", "--noheader", "--job", job, "--format", "%T").strip()
        if state == "RUNNING" and starts < MOST_STARTS:
            print(f"job {job} was asked to end, and goes back into the queue", flush=True)
            ask("scontrol", "requeue", job)
            return
        why = f"it is {state}" if state != "RUNNING" else f"it was started {starts} times"
    except CdnerError as error:
        why = str(error)
    print(f"job {job} was asked to end, and does not go back into the queue: {why}", flush=True)


class _Teller(Unwatched):
    """Tells the log of a job how its runs get on."""

    def begin(self, job: Job, number: int, total: int) -> None:
        """Tell that a run begins."""
        print(f"{number}/{total} {job.id} {job}", flush=True)

    def end(self, outcome: Outcome) -> None:
        """Tell how a run ended."""
        print(f"{outcome.job.id} {outcome.status}{f': {outcome.message}' if outcome.message else ''}", flush=True)

    def note(self, text: str) -> None:
        """Tell what is to be known."""
        print(text, flush=True)
