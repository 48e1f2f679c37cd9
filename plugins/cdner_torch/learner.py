"""What the training loop trains: a network, and the loss that it makes of items."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor
from torch.nn import Parameter

from cdner_bench import CdnerError

from . import weights
from .compute import Compute

Item = TypeVar("Item", bound=Sized)

NEVER = 10**9
"""What a part more of a batch costs where parts are made for want of memory only."""


class Learner(ABC, Generic[Item]):
    """A network that learns from items: examples, windows, masked rows. An item's length is how many tokens it has."""

    network: Any
    compute: Compute

    relief = "take a smaller backbone"
    """What to do when not even one item fits into memory."""

    cells = 16 * 512**2
    """How much of a batch is computed at once: items × longest², padded. That is sixteen items of 512 tokens, the most
    that a default batch has; one that has more is gone through in parts.
    """

    spare = 128
    """How many padded tokens cost a processor as much as a part more of a batch: it takes items of similar length
    together, for the same gradient. A GPU computes padding beside the rest.
    """

    @abstractmethod
    def loss(self, items: Sequence[Item]) -> Tensor:
        """The loss summed over its terms, so that a batch can be gone through in parts."""

    @abstractmethod
    def terms(self, items: Sequence[Item]) -> int:
        """How many terms the loss of these items has: what the sum over a batch is divided by."""

    def learnt(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters that training changes, each once, by name."""
        return ((name, p) for name, p in self.network.named_parameters() if p.requires_grad)

    def state(self) -> dict[str, Tensor]:
        """What has been learnt: the weights that training changes."""
        return {name: p.detach() for name, p in self.learnt()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave. Raises `CdnerError` for another model's weights."""
        different = set(state) ^ set(self.state())
        if different:
            raise CdnerError(f"these are another model's weights: {min(different)} is in one of the two only")
        self.network.load_state_dict(state, strict=False)  # weights that the network ties come once

    def keep(self, folder: Path) -> None:
        """Write the weights as `model.safetensors`, whole or not at all."""
        weights.keep(self.state(), folder / weights.NAME)
