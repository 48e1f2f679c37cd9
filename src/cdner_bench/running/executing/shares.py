"""What each of several workers gets of a machine: a GPU, or its part of the cores."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ...errors import OptionError
from ...io import meter

THREADS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")
"""What tells torch, and the tokenizers, how many threads to compute with. They read it when they are loaded."""
_GPU = re.compile(r"nvidia\d+")


def list_gpus() -> list[str]:
    """The GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` names them; nothing is loaded to find them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    there = os.listdir("/dev") if os.path.isdir("/dev") else []
    count = sum(_GPU.fullmatch(name) is not None for name in there)
    if named is None:
        return [str(n) for n in range(count)]
    listed = [name.strip() for name in named.split(",")]
    listed = listed[: listed.index("-1")] if "-1" in listed else listed  # as CUDA reads it
    return [name for name in listed if name] if count else []


def count_workers(asked: int | None, jobs: int = 1) -> int:
    """How many workers so many runs are made by: as many as asked for, by default one a GPU, else one. Raises
    `OptionError` for none, or for more than there are GPUs.
    """
    gpus = list_gpus()
    check_some(asked)
    if asked is not None and gpus and asked > len(gpus):
        only = "this machine has one GPU" if len(gpus) == 1 else f"there are only {len(gpus)} GPUs"
        raise OptionError(
            f"--workers {asked}: {only}, and a worker takes a whole one",
            hint=f"type --workers {len(gpus)}; to compute without GPUs, type before the command: CUDA_VISIBLE_DEVICES=",
        )
    return max(1, min(asked or len(gpus), jobs))


def check_some(asked: int | None) -> None:
    """Raises `OptionError` for no workers at all."""
    if asked is not None and asked < 1:
        raise OptionError(f"--workers {asked}: somebody has to make the runs", hint="type --workers 1, or more")


def divide(workers: int) -> list[dict[str, str]]:
    """The environment of each of several workers: what differs from ours. What the user has set of threads stays."""
    threads = str(max(1, meter.count_cores() // workers))
    meter.settle_threads()
    common = {name: os.environ.get(name, threads) for name in THREADS}
    gpus: list[Mapping[str, str]] = [{"CUDA_VISIBLE_DEVICES": name} for name in list_gpus()]
    return [{**common, **(gpus[n] if n < len(gpus) else {})} for n in range(workers)]
