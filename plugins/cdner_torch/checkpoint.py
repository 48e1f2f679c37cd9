"""Where a training has come to, in one file of tensors."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor
from torch.optim import Optimizer

from . import weights
from .learner import Learner

NAME = "checkpoint.safetensors"


class Checkpoint:
    """Weights, the optimizers' moments, the state of torch's random numbers and a position: one file, whole or not
    there, and never a pickle.
    """

    def __init__(self, path: Path, learner: Learner[Any], optimizers: Sequence[Optimizer], log: logging.Logger) -> None:
        self.path, self.learner, self.optimizers, self.log = path, learner, optimizers, log
        self.learnt = dict(learner.learnt())
        self._cuda = any(parameter.is_cuda for parameter in self.learnt.values())
        self.circumstances = {
            "device": "cuda" if self._cuda else "cpu",
            "precision": learner.compute.resolved,
            "optimizers": [type(optimizer).__name__ for optimizer in optimizers],
        }

    def save(self, position: Mapping[str, object]) -> None:
        """Write everything. `position` holds what JSON can."""
        tensors: dict[str, Tensor] = {"random": torch.get_rng_state()}
        if self._cuda:
            tensors["random.cuda"] = torch.cuda.get_rng_state()
        for name, parameter in self.learnt.items():
            tensors[f"weight.{name}"] = parameter.detach()
            for optimizer in self.optimizers:
                moments = optimizer.state.get(parameter, {})  # none for what has no gradient
                tensors |= {f"{moment}.{name}": torch.as_tensor(value) for moment, value in moments.items()}
        told = {"state": json.dumps(position), "circumstances": json.dumps(self.circumstances)}
        weights.keep(tensors, self.path, told)

    def restore(self) -> dict[str, Any] | None:
        """Put everything back and return the position, or None where there is nothing that can be gone on from: another
        kind of device, precision or optimizer would end in other weights, and may not even read these moments.
        """
        if not self.path.exists():
            return None
        try:
            tensors = load_file(self.path)
            with safe_open(self.path, "pt") as file:
                told = {name: json.loads(text) for name, text in file.metadata().items()}
        except (OSError, SafetensorError) as error:
            self.log.warning("beginning anew, the checkpoint cannot be read: %s", error)
            return None
        position: dict[str, Any] = told["state"]
        if (then := told.get("circumstances", self.circumstances)) != self.circumstances:
            self.log.warning("beginning anew, the checkpoint is of other circumstances: %s", then)
            return None
        self.learner.load({name: tensors[f"weight.{name}"] for name in self.learnt})
        for optimizer in self.optimizers:
            self._restore_moments(optimizer, tensors)
        torch.set_rng_state(tensors["random"])
        if self._cuda and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"])
        return position

    def remove(self) -> None:
        """Delete the file, when the training has come to its end."""
        self.path.unlink(missing_ok=True)

    def _restore_moments(self, optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
        names = {id(parameter): name for name, parameter in self.learnt.items()}
        own = [names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]
        number = {name: n for n, name in enumerate(own)}
        moments: dict[int, dict[str, Tensor | int | float]] = {}
        for key, tensor in tensors.items():
            moment, _, name = key.partition(".")
            if moment not in ("weight", "random") and name in number:
                # An optimizer that counts its steps in an int gets an int.
                value = tensor.item() if tensor.dtype == torch.int64 and not tensor.ndim else tensor
                moments.setdefault(number[name], {})[moment] = value
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
