"""Weights as files: whole or not there, and never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from cdner_bench import CdnerError

NAME = "model.safetensors"


def keep(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a file of tensors, whole or not at all."""
    draft = path.with_name("draft")
    # On the CPU nothing is copied; from a GPU, tensors that share memory there become tensors of their own.
    save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, draft, metadata=metadata)
    draft.rename(path)


def restored(folder: Path) -> dict[str, Tensor]:
    """The weights that a stage left in its folder. Raises `CdnerError` if they cannot be read."""
    try:
        weights: dict[str, Tensor] = load_file(folder / NAME)
    except (OSError, SafetensorError) as error:
        raise CdnerError(f"the weights in {folder} cannot be read: {error}", hint=f"rm -r {folder}") from error
    return weights
