"""An encoder with one linear layer over BIO labels, and how it is loaded and kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

from cdner_bench import CdnerError

from .. import hub, weights
from .encoding import Reader


class Tagger(nn.Module):
    """`forward` gives logits of shape (sequences, sub-words, labels).

    `allowed` (domains, labels) is false where a domain does not have a label; such logits are -inf, so that domains
    share one label space and the rows of labels a domain lacks receive no gradient from it.
    """

    allowed: Tensor

    def __init__(self, encoder: Any, labels: Sequence[str], domains: Sequence[Sequence[str]]) -> None:
        super().__init__()
        self.encoder = encoder
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        self.labels = list(labels)
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

    def relabelled(self, labels: Sequence[str]) -> Tagger:
        """The same encoder with a head over `labels`: rows of known labels are kept, the others are new."""
        other = Tagger(self.encoder, labels, [labels])
        with torch.no_grad():
            for row, label in enumerate(labels):
                if label in self.labels:
                    old = self.labels.index(label)
                    other.head.weight[row] = self.head.weight[old]
                    other.head.bias[row] = self.head.bias[old]
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
    """The fast tokenizer of a backbone."""
    tokenizer = hub.load(AutoTokenizer.from_pretrained, name)
    if not tokenizer.is_fast:
        raise CdnerError(f"backbone {name!r} has no fast tokenizer, which is needed to align words")
    if getattr(tokenizer, "add_prefix_space", None) is False:
        tokenizer = hub.load(AutoTokenizer.from_pretrained, name, add_prefix_space=True)
    return tokenizer


def load_config(name: str) -> Any:
    """The configuration of a backbone's encoder."""
    return hub.load(AutoConfig.from_pretrained, name)


def load_encoder(name: str) -> Any:
    """The pretrained encoder of a backbone, in float32."""
    return hub.load_model(AutoModel, name, attn_implementation=hub.attention())


def length_limit(config: Any) -> int:
    """How many sub-words an encoder takes, special tokens included."""
    positions = getattr(config, "max_position_embeddings", 512)
    # RoBERTa's positions begin after the padding id.
    return min(512, positions - (2 if config.model_type in ("roberta", "camembert", "xlm-roberta") else 0))


def load_reader(name: str) -> Reader:
    """What reads sentences for a backbone. Raises `CdnerError` if it is not there."""
    return Reader(load_tokenizer(name), length_limit(load_config(name)))


def save_tagger(tagger: Tagger, folder: Path) -> None:
    """Labels and the encoder's configuration, then the weights, which are whole or not there."""
    (folder / "labels.json").write_text(json.dumps(tagger.labels), encoding="utf-8")
    tagger.encoder.config.save_pretrained(folder)
    weights.keep(tagger.state_dict(), folder / weights.NAME)


def load_tagger(folder: Path) -> Tagger:
    """What `save_tagger` kept, all labels allowed."""
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    tagger = Tagger(_built_from(folder), labels, [labels])
    tagger.load_state_dict(weights.restore(folder))
    return tagger


def _built_from(folder: Path) -> Any:
    return AutoModel.from_config(AutoConfig.from_pretrained(folder), attn_implementation=hub.attention())
