"""An encoder that names each word by what was said of the words before it (LANER): labels are read like a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from cdner_torch.batches import IGNORED, pad_rows
from cdner_torch.tagging.encoding import Batch
from cdner_torch.tagging.model import Tagger

from .options import Network


class LabelAware(Tagger):
    """Logits of a sub-word out of its state, of the sentence as the labels before it ask for it, and of those labels.

    With states h of all sub-words and embeddings of the labels y before sub-word i, which stand in the columns of O as
    a bidirectional LSTM leaves them: m = M·O₍ᵢ₋₁₎; background b = Σⱼ softmaxⱼ(m·hⱼ) hⱼ; q = Q·[hᵢ; b]; context
    c = Σⱼ softmaxⱼ(q·Oⱼ) Oⱼ; logits = W·[hᵢ; b; c]. O of the label "O" is zero; sub-words that have no label, which
    are the special ones and all but the first of a word, have an embedding of their own.
    """

    rows = ("names.weight", "head.weight", "head.bias", "first_head.weight")
    cells = 4 * 256**2

    def __init__(self, encoder: Any, labels: Sequence[str], domains: Sequence[Sequence[str]], options: Network) -> None:
        super().__init__(encoder, labels, domains)
        self.options = options
        states, size = encoder.config.hidden_size, options.label_size
        self.names = nn.Embedding(len(labels), size, padding_idx=0)
        self.elsewhere = nn.Parameter(torch.randn(size))
        self.forwards = nn.LSTM(size, size, batch_first=True)
        self.backwards = nn.LSTM(size, size, batch_first=True)
        self.asking = nn.Linear(2 * size, states)
        self.query = nn.Linear(2 * states if options.background else states, 2 * size, bias=False)
        self.head = nn.Linear(2 * states + 2 * size, len(labels))
        self.first = nn.Linear(states + 2 * size, size, bias=False)
        self.first_head = nn.Linear(2 * states + 2 * size, len(labels), bias=False)

    def like(self, labels: Sequence[str], domains: Sequence[Sequence[str]]) -> LabelAware:
        """One of the same kind on the same encoder, drawn anew."""
        return LabelAware(self.encoder, labels, domains, self.options)

    def score(self, batch: Batch) -> Tensor:
        """Logits of the words' first sub-words: after the gold labels of a batch that has some, else after those that
        were the likeliest before.
        """
        seen = torch.ones_like(batch.attention) if self.options.faithful else batch.attention
        hidden = self.encoder(input_ids=batch.ids, attention_mask=seen).last_hidden_state
        taught = any(window.labels for window in batch.windows)
        with torch.autocast(hidden.device.type, enabled=False):
            read = self._teach if taught else self._go_on
            logits = read(hidden.float(), seen.bool(), batch)
        return logits.masked_fill(~self.allowed[batch.domains][:, None, :], -torch.inf)

    def _teach(self, hidden: Tensor, seen: Tensor, batch: Batch) -> Tensor:
        """All words at once. The backward LSTM reads the labels before each word on their own, so what it reads is laid
        out (windows, words, labels before), the nearest first; the forward LSTM's states need only be put beside.
        """
        said = self._embed(batch.labels)
        places = pad_rows([window.first for window in batch.windows], 1).to(said.device)
        before = places[:, :, None] - 1 - torch.arange(max(1, int(places.max())), device=said.device)
        within, row = before >= 0, torch.arange(len(said), device=said.device)[:, None, None]
        before = before.clamp(min=0)
        after = self.forwards(said)[0][row, before]
        sizes = places.flatten().clamp(min=1)
        packed = pack_padded_sequence(
            said[row, before].flatten(0, 1), sizes.cpu(), batch_first=True, enforce_sorted=False
        )
        back = pad_packed_sequence(self.backwards(packed)[0], batch_first=True)[0].view_as(after)
        state = hidden[row[..., 0], places]
        logits = self._read(state, hidden, seen, torch.cat([after, back], -1), within)
        if not bool(places.all()):
            logits = torch.where((places == 0)[..., None], self._begin(state), logits)
        whole = logits.new_zeros(*batch.ids.shape, len(self.labels))
        for n, window in enumerate(batch.windows):
            whole[n, list(window.first)] = logits[n, : len(window.first)]
        return whole

    def _go_on(self, hidden: Tensor, seen: Tensor, batch: Batch) -> Tensor:
        """One sub-word after the other."""
        words = torch.zeros_like(seen)
        for n, window in enumerate(batch.windows):
            words[n, list(window.first)] = True
        whole = hidden.new_zeros(*batch.ids.shape, len(self.labels))
        said = after = hidden.new_zeros(len(hidden), 0, self.options.label_size)
        carried = None
        for i in range(hidden.shape[1]):
            labels = torch.full_like(batch.ids[:, i], IGNORED)
            if self.options.faithful or bool(words[:, i].any()):
                state = hidden[:, i : i + 1]
                if i:
                    read = torch.cat([after.flip(1), self.backwards(said.flip(1))[0]], -1)[:, None]
                    logits = self._read(state, hidden, seen, read, read.new_ones(read.shape[:-1]).bool())
                else:
                    logits = self._begin(state)
                whole[:, i] = logits[:, 0]
                best = whole[:, i].masked_fill(~self.allowed[batch.domains], -torch.inf).argmax(-1)
                labels = best if self.options.faithful else torch.where(words[:, i], best, IGNORED)
            named = self._embed(labels)[:, None]
            state, carried = self.forwards(named, carried)
            said, after = torch.cat([said, named], 1), torch.cat([after, state], 1)
        return whole

    def _embed(self, labels: Tensor) -> Tensor:
        ignored = labels == IGNORED
        return torch.where(ignored[..., None], self.elsewhere, self.names(labels.masked_fill(ignored, 0)))

    def _read(self, state: Tensor, hidden: Tensor, seen: Tensor, said: Tensor, within: Tensor) -> Tensor:
        """Logits of words (windows, words) out of the labels before each (windows, words, labels), nearest first."""
        asked = self.asking(said[:, :, 0]) @ hidden.transpose(1, 2)
        background = asked.masked_fill(~seen[:, None, :], -torch.inf).softmax(-1) @ hidden
        query = self.query(torch.cat([state, background], -1) if self.options.background else state)
        matched = (said @ query[..., None])[..., 0].masked_fill(~within, torch.finfo(said.dtype).min)
        context = (matched.softmax(-1)[:, :, None] @ said)[:, :, 0]
        logits: Tensor = self.head(torch.cat([state, background, context], -1))
        return logits

    def _begin(self, state: Tensor) -> Tensor:
        """Logits of the first sub-word of all, which no label is before: W₁·[h; h; e; e] with e = A·[h; 0]."""
        none = state.new_zeros(*state.shape[:-1], 2 * self.options.label_size)
        own = self.first(torch.cat([state, none], -1))
        logits: Tensor = self.first_head(torch.cat([state, state, own, own], -1))
        return logits
