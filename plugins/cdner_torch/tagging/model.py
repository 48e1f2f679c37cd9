"""An encoder with one linear layer over BIO labels, and how it is loaded and kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from cdner_bench import CdnerError

from .. import hub, weights
from ..portions import Portions
from .encoding import Batch, Reader

DECODED = 64, 64 * 256**2
"""How much is tagged at once: so many windows, and what attention computes for them, windows × the longest, squared. 64
windows of CrossNER have a third of it at most.
"""

Make = Callable[[Any, Sequence[str], Sequence[Sequence[str]]], "Tagger"]
"""Makes a tagger on an encoder, over labels of which each domain has some."""


class Tagger(nn.Module):
    """`forward` gives logits of shape (sequences, sub-words, labels).

    `allowed` (domains, labels) is false where a domain does not have a label; such logits are -inf, so that domains
    share one label space and the rows of labels a domain lacks receive no gradient from it.

    A kind of its own has another head, and says in `rows` which of its parameters have a row for each label.
    """

    allowed: Tensor
    rows: tuple[str, ...] = ("head.weight", "head.bias")
    cells = 8 * 512**2
    """How much of a batch is computed at once in training (see `Learner`)."""

    def __init__(self, encoder: Any, labels: Sequence[str], domains: Sequence[Sequence[str]]) -> None:
        super().__init__()
        self.encoder = encoder
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        self.labels = list(labels)
        self.portions = Portions(*DECODED)
        self.head = nn.Linear(encoder.config.hidden_size, len(labels))
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        allowed = torch.tensor([[label in set(domain) for label in labels] for domain in domains])
        self.register_buffer("allowed", allowed, persistent=False)

    def forward(self, ids: Tensor, attention: Tensor, domains: Tensor) -> Tensor:
        """Logits, in float32, of padded sub-word ids; `domains` (sequences) selects each row's labels."""
        hidden = self.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
        logits: Tensor = self.head(hidden).float()
        return logits.masked_fill(~self.allowed[domains][:, None, :], -torch.inf)

    def score(self, batch: Batch) -> Tensor:
        """Logits, in float32, of which those of first sub-words count. Of a batch that has gold labels, a word's may
        depend on those of the words before it.
        """
        logits: Tensor = self(batch.ids, batch.attention, batch.domains)
        return logits

    def like(self, labels: Sequence[str], domains: Sequence[Sequence[str]]) -> Tagger:
        """One of the same kind on the same encoder, drawn anew."""
        return Tagger(self.encoder, labels, domains)

    def relabelled(self, labels: Sequence[str]) -> Tagger:
        """The same over `labels`: rows of known labels are kept, the others are new."""
        other, own = self.like(labels, [labels]), dict(self.named_parameters())
        with torch.no_grad():
            for name, weight in other.named_parameters():
                if name in self.rows:
                    for row, label in enumerate(labels):
                        if label in self.labels:
                            weight[row] = own[name][self.labels.index(label)]
                elif not name.startswith("encoder."):
                    weight.copy_(own[name])
        return other

    def set_dropout(self, rate: float | None) -> None:
        """Set the encoder's rate; None leaves the backbone's own. On a CPU, drawing its random numbers takes half of
        the time.
        """
        for module in self.modules():
            if isinstance(module, nn.Dropout) and rate is not None:
                module.p = rate


def bio_labels(types: Sequence[str]) -> list[str]:
    """O and, for each type, B and I."""
    return ["O", *(f"{prefix}-{kind}" for kind in types for prefix in "BI")]


def load_tokenizer(name: str) -> Any:
    """The fast tokenizer of a backbone. Raises `CdnerError` if the backbone has none, or is not there."""
    tokenizer = hub.load_tokenizer(name)
    if not tokenizer.is_fast:
        raise CdnerError(
            f"the backbone {name!r} has no fast tokenizer, which is needed to align words",
            hint="take minilm or mpnet, which need no hub, or a backbone that brings a tokenizer.json",
        )
    return hub.split_words(tokenizer, name)


def load_config(name: str) -> Any:
    """The configuration of a backbone's encoder. Raises `CdnerError` if the backbone is none."""
    config = hub.load(AutoConfig.from_pretrained, name)
    if config.is_encoder_decoder or config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        kind = "an encoder-decoder" if config.is_encoder_decoder else f"no encoder but a {config.model_type}"
        raise CdnerError(
            f"the backbone {name!r} is {kind}, and words are tagged on an encoder",
            hint="take minilm or mpnet, which need no hub, or another that was taught by masked-LM: a BERT, a RoBERTa",
        )
    return config


def load_encoder(name: str) -> Any:
    """The pretrained encoder of a backbone, in float32."""
    return hub.load_model(AutoModel, name, attn_implementation=hub.attention())


def length_limit(config: Any) -> int:
    """How many sub-words an encoder takes, special tokens included."""
    positions = getattr(config, "max_position_embeddings", 512)
    # RoBERTa's positions begin after the padding id.
    return min(512, positions - (2 if config.model_type in ("roberta", "camembert", "xlm-roberta") else 0))


def load_reader(name: str) -> Reader:
    """What reads sentences for a backbone. Raises `CdnerError` if it is not there, or no encoder."""
    limit = length_limit(load_config(name))
    return Reader(load_tokenizer(name), limit)


def save_tagger(tagger: Tagger, folder: Path) -> None:
    """Labels and the encoder's configuration, then the weights, which are whole or not there."""
    (folder / "labels.json").write_text(json.dumps(tagger.labels), encoding="utf-8")
    tagger.encoder.config.save_pretrained(folder)
    weights.keep(tagger.state_dict(), folder / weights.NAME)


def load_tagger(folder: Path, make: Make = Tagger) -> Tagger:
    """What `save_tagger` kept, all labels allowed."""
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    tagger = make(build_encoder(folder), labels, [labels])
    tagger.load_state_dict(weights.restore(folder))
    return tagger


def build_encoder(folder: Path) -> Any:
    """An encoder of the configuration that `save_tagger` kept, with weights to be loaded."""
    return AutoModel.from_config(AutoConfig.from_pretrained(folder), attn_implementation=hub.attention())
