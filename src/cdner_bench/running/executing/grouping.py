"""Which runs a job of a cluster makes one after the other, and which job has to wait for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..runner import Job
from .waiting import Turn

Share = list[Job]


@dataclass(frozen=True)
class Array:
    """Shares that are submitted as one array of jobs. Each may need a stage that a share of the first array builds, and
    starts after that share: the one numbered `after`, or, if that is None, the one that has the same number as itself.
    """

    shares: Sequence[Share]
    after: int | None = None


def group(jobs: Sequence[Job], most: int) -> list[Array]:
    """Shares of at most so many runs: an array of those that wait for nobody, then those that wait, in as few arrays as
    possible. Runs that are likely to share stages are in one share as far as they fit.
    """
    groups: dict[object, list[Job]] = {}
    for job in jobs:
        groups.setdefault(Turn(job, 0).group, []).append(job)
    cut = [[together[start : start + most] for start in range(0, len(together), most)] for together in groups.values()]
    large = sorted((shares for shares in cut if len(shares) > 1), key=len, reverse=True)
    small = _pack([shares[0] for shares in cut if len(shares) == 1], most)
    ranks = [[shares[rank] for shares in large if len(shares) > rank] for rank in range(len(large[0]) if large else 1)]
    later = [Array(rank) for rank in ranks[1:]]
    if len(large) < len(later):
        later = [Array(shares[1:], after=number) for number, shares in enumerate(large)]
    return [Array(ranks[0] + small), *later]


def _pack(shares: Sequence[Share], most: int) -> list[Share]:
    """Small shares put together as long as they fit, one method after the other."""
    packed: list[Share] = []
    for share in sorted(shares, key=lambda share: share[0].entry.spec.name):
        if packed and len(packed[-1]) + len(share) <= most:
            packed[-1] = packed[-1] + share
        else:
            packed.append(share)
    return packed
