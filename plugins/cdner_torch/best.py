"""The best weights so far."""

from __future__ import annotations

from torch import Tensor, nn


class Best:
    """The weights with the best score above 0 so far; the earlier of equals."""

    def __init__(self, patience: int | None = None) -> None:
        self.patience = patience
        self.score, self.epoch, self.weights = 0.0, 0, dict[str, Tensor]()

    def offer(self, score: float, epoch: int, model: nn.Module) -> bool:
        """Whether training should stop: `patience` epochs have passed without a better score."""
        if score > self.score:
            self.score, self.epoch = score, epoch
            self.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}
        return bool(self.weights) and self.patience is not None and epoch - self.epoch >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Put them back, if there are any."""
        if self.weights:
            model.load_state_dict(self.weights)
