"""Weights of several stages brought together (TOPT, Eq. 7 and Algorithm 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from cdner_torch.weights import restore


def mean(folders: Sequence[Path]) -> dict[str, Tensor]:
    """Eq. 7: the mean of the weights that stages left, every parameter, in float32."""
    total = restore(folders[0])
    for folder in folders[1:]:
        for name, tensor in restore(folder).items():
            total[name] += tensor
    return {name: tensor / len(folders) for name, tensor in total.items()}


def merged(target: Mapping[str, Tensor], sources: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """2/3 of the target's weights and 1/3 of the (mean) source's: Algorithm 1, its weights summing to one."""
    return {name: 2 / 3 * target[name] + 1 / 3 * sources[name] for name in target}
