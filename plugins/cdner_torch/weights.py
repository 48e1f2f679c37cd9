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
    draft, seen, own = path.with_name("draft"), set[int](), {}
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        own[name] = (tensor.clone() if place in seen else tensor).contiguous()  # the format takes none that share
        seen.add(place)
    save_file(own, draft, metadata=metadata)
    draft.rename(path)


def restore(folder: Path) -> dict[str, Tensor]:
    """The weights that a stage left in its folder. Raises `CdnerError` if they cannot be read."""
    try:
        weights: dict[str, Tensor] = load_file(folder / NAME)
    except (OSError, SafetensorError) as error:
        raise CdnerError(f"the weights in {folder} cannot be read: {error}", hint=f"rm -r {folder}") from error
    return weights
