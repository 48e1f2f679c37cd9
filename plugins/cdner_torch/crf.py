"""A linear-chain conditional random field."""

from __future__ import annotations

import torch
from torch import Tensor, nn

IMPOSSIBLE = -1e4
"""The score of what cannot be: no path through it has a probability, and no gradient is NaN."""


class Crf(nn.Module):
    """Scores of sequences of tags: what each tag scores at its place, and what it scores to follow another.

    `first`, `follow` (before, after) and `last` say with which tags a sequence may begin, go on and end.
    `emissions` are (sequences, places, tags), padded after `lengths`.
    """

    barred_first: Tensor
    barred: Tensor
    barred_last: Tensor

    def __init__(self, first: Tensor, follow: Tensor, last: Tensor) -> None:
        super().__init__()
        self.first, self.follow, self.last = (nn.Parameter(torch.zeros(a.shape)) for a in (first, follow, last))
        for name, allowed in {"barred_first": first, "barred": follow, "barred_last": last}.items():
            self.register_buffer(name, (~allowed).float() * IMPOSSIBLE, persistent=False)

    def loss(self, emissions: Tensor, lengths: Tensor, tags: Tensor) -> Tensor:
        """The negative logarithm of each sequence's probability."""
        return self.partition(emissions, lengths) - self.score(emissions, lengths, tags)

    def score(self, emissions: Tensor, lengths: Tensor, tags: Tensor) -> Tensor:
        """What each sequence's tags score together; those after its end count for nothing."""
        inside = torch.arange(tags.shape[1], device=tags.device) < lengths[:, None]
        at = emissions.gather(2, tags[..., None])[..., 0] * inside
        moves = (self.follow + self.barred)[tags[:, :-1], tags[:, 1:]] * inside[:, 1:]
        final = tags.gather(1, lengths[:, None] - 1)[:, 0]
        ends = (self.first + self.barred_first)[tags[:, 0]] + (self.last + self.barred_last)[final]
        return at.sum(1) + moves.sum(1) + ends

    def partition(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """The logarithm of the sum over all sequences of tags of exp(score)."""
        follow = self.follow + self.barred
        reached = self.first + self.barred_first + emissions[:, 0]
        for place in range(1, emissions.shape[1]):
            on = torch.logsumexp(reached[:, :, None] + follow, 1) + emissions[:, place]
            reached = torch.where((place < lengths)[:, None], on, reached)
        return torch.logsumexp(reached + self.last + self.barred_last, 1)

    @torch.no_grad()
    def decode(self, emissions: Tensor, lengths: Tensor) -> list[list[int]]:
        """The most probable tags of each sequence (Viterbi)."""
        follow, pointers = self.follow + self.barred, []
        reached = self.first + self.barred_first + emissions[:, 0]
        stay = torch.arange(reached.shape[1], device=reached.device).expand_as(reached)
        for place in range(1, emissions.shape[1]):
            best, pointer = (reached[:, :, None] + follow).max(1)
            going = (place < lengths)[:, None]
            reached = torch.where(going, best + emissions[:, place], reached)
            pointers.append(torch.where(going, pointer, stay))
        tag = (reached + self.last + self.barred_last).argmax(1)
        path = [tag]
        for pointer in reversed(pointers):
            tag = pointer.gather(1, tag[:, None])[:, 0]
            path.append(tag)
        rows = torch.stack(path[::-1], 1).tolist()
        return [row[:length] for row, length in zip(rows, lengths.tolist(), strict=True)]
