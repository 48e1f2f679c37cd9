"""Which runs of a store are in jobs that SLURM has. Little is read, and nothing is loaded."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ...errors import CdnerError

SUBMITTED = "slurm"
"""The folder beside those of runs with a folder for each array of jobs: what they make, and their logs."""
STUDY = "study.json"
NAME = "cdner-"
"""What the names of jobs begin with; the rest is the name of the folder."""


def find_queued(out: Path) -> Mapping[str, str]:
    """The runs that waiting or running jobs of SLURM have to make, each with its job. Raises `CdnerError` if SLURM does
    not answer; it is asked only where something was submitted.
    """
    studies = {f"{NAME}{place.parent.name}": place for place in (out / "runs" / SUBMITTED).glob(f"*/{STUDY}")}
    if not studies:
        return {}
    queued = {}
    said = ask("squeue", "--noheader", "--array", "--name", ",".join(studies), "--format", "%j %F %K")
    for name, array, index in (line.split() for line in said.splitlines()):
        alone = not index.isdecimal()
        for run in list_runs(studies[name])[0 if alone else int(index)]:
            queued[run] = array if alone else f"{array}_{index}"
    return queued


def list_runs(study: Path) -> list[list[str]]:
    """The ids of the runs of each job of an array."""
    return [[data["id"] for data in share] for share in json.loads(study.read_bytes())["shares"]]


def ask(*command: str) -> str:
    """What a command of SLURM says. Raises `CdnerError` if it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=60)
    except FileNotFoundError:
        raise CdnerError(
            f"SLURM is not on this machine: there is no {command[0]}",
            hint="type the same where jobs are submitted (a login node), or leave out --executor slurm",
        ) from None
    except subprocess.TimeoutExpired:
        raise CdnerError(f"SLURM does not answer: {command[0]} took a minute", hint="try again later") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise CdnerError(f"SLURM does not answer: {said}", hint=f"see what this says: {' '.join(command[:2])}")
    return done.stdout
