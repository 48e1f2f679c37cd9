"""Backbones that are begun from another one: what was learnt is shipped in eight bits, the rest is the other's.

A matrix of the shipped file is a whole number from -127 to 127 a weight and, under the same name with `.scale`, a
factor a row. What is built is a folder as `from_pretrained` reads it, in float16.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CdnerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tensor = NDArray[Any]

WEIGHTS = "model.safetensors"
SCALE = ".scale"


def build(shipped: Path, base: Path, place: Path) -> None:
    """Put the folder `place` together from a shipped one and the encoder that it was begun from.

    Raises `CdnerError` where safetensors is not installed.
    """
    try:
        from safetensors.numpy import load_file, save
    except ImportError:
        raise CdnerError(
            f"the weights of {shipped.name} need safetensors and numpy", hint="pip install 'cdner-bench[torch]'"
        ) from None
    import numpy

    tensors = as_encoder_decoder(load_file(base / WEIGHTS)) | restore(load_file(shipped / WEIGHTS))
    place.mkdir(parents=True)
    halves = {name: numpy.ascontiguousarray(tensor, dtype=numpy.float16) for name, tensor in tensors.items()}
    (place / WEIGHTS).write_bytes(save(halves, {"format": "pt"}))
    for path in shipped.iterdir():
        if path.name != WEIGHTS:
            shutil.copy(path, place)


def as_encoder_decoder(encoder: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a BERT where an encoder-decoder made of it has them; the decoder has the encoder's embeddings, of
    which those of words are shared and come once.
    """
    kept = {name: tensor for name, tensor in encoder.items() if name.startswith(("embeddings.", "encoder."))}
    own = ("embeddings.position_embeddings", "embeddings.token_type_embeddings", "embeddings.LayerNorm")
    decoder = {f"decoder.bert.{name}": tensor for name, tensor in kept.items() if name.startswith(own)}
    return {f"encoder.{name}": tensor for name, tensor in kept.items() if not name.endswith("position_ids")} | decoder


def restore(learnt: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a shipped file, each matrix times its rows' factors."""
    return {
        name: tensor * learnt[name + SCALE][:, None] if name + SCALE in learnt else tensor
        for name, tensor in learnt.items()
        if not name.endswith(SCALE)
    }
