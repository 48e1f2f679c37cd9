"""The multi-cell compositional LSTM: a memory cell for each type, composed by attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import Parameter

SIDES = 2
"""The target and the source, each of which composes cells in its own way."""


class MultiCell(nn.Module):
    """One direction. Of `cells` cells, one a type, those of a sentence's domain are computed.

    A cell k: i, g of W_k x + U_k h + b_k; c_k = i g + (1 - i) c. The composition: i, o, g of W x + U h + b;
    a = softmax of v · tanh(P g + Q c_k) over k; c' = (1 - i) c + i Σ a_k c_k; h' = o tanh(c'). P, Q, v are the side's.
    """

    def __init__(self, inputs: int, units: int, cells: int) -> None:
        super().__init__()
        self.units = units

        def draw(*shape: int) -> Parameter:
            return Parameter(torch.empty(shape).uniform_(-(units**-0.5), units**-0.5))

        self.read, self.recall = draw(cells, 2 * units, inputs), draw(cells, 2 * units, units)
        self.bias = draw(cells, 2 * units)
        self.composing = nn.Linear(inputs + units, 3 * units)
        self.new, self.held, self.scorer = draw(SIDES, units, units), draw(SIDES, units, units), draw(SIDES, units)

    def forward(self, words: Tensor, types: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of words (sentences, places, inputs): outputs (…, units), cells (…, types, units), attention (…, types)."""
        count, units, inputs = len(types), self.units, words.shape[-1]
        read = words @ self.read[types].flatten(0, 1).T + self.bias[types].flatten()
        composed = words @ self.composing.weight[:, :inputs].T + self.composing.bias
        given = torch.cat([read, composed], -1)
        recall = torch.cat([self.recall[types].flatten(0, 1), self.composing.weight[:, inputs:]])
        output = state = words.new_zeros(len(words), units)
        new, held, scorer = self.new[side].T, self.held[side].T, self.scorer[side]
        outputs, cells, attention = [], [], []
        for step in given.unbind(1):
            gates = step + output @ recall.T
            of_cells = gates[:, : 2 * units * count].view(-1, count, 2, units)
            enter, fresh = of_cells[:, :, 0].sigmoid(), of_cells[:, :, 1].tanh()
            cell = enter * fresh + (1 - enter) * state[:, None]
            enter, leave, fresh = gates[:, 2 * units * count :].chunk(3, -1)
            share = ((torch.tanh((fresh.tanh() @ new)[:, None] + cell @ held)) @ scorer).softmax(-1)
            enter = enter.sigmoid()
            state = (1 - enter) * state + enter * (share[..., None] * cell).sum(1)
            output = leave.sigmoid() * state.tanh()
            outputs.append(output)
            cells.append(cell)
            attention.append(share)
        return torch.stack(outputs, 1), torch.stack(cells, 1), torch.stack(attention, 1)


class BothWays(nn.Module):
    """A multi-cell for each direction: outputs and cells of both side by side, and the mean attention."""

    def __init__(self, inputs: int, units: int, cells: int) -> None:
        super().__init__()
        self.forwards, self.backwards = MultiCell(inputs, units, cells), MultiCell(inputs, units, cells)

    def forward(self, words: Tensor, lengths: Tensor, types: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """See `MultiCell`; what comes after a sentence's end changes nothing before it."""
        places = torch.arange(words.shape[1], device=words.device)
        turned = torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)
        rows = torch.arange(len(words), device=words.device)[:, None]
        there = self.forwards(words, types, side)
        back = [part[rows, turned] for part in self.backwards(words[rows, turned], types, side)]
        outputs, cells = (torch.cat(pair, -1) for pair in zip(there[:2], back[:2], strict=True))
        return outputs, cells, (there[2] + back[2]) / 2
