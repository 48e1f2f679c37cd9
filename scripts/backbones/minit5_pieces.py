"""The vocabulary of the small T5: Unigram pieces, bytes for what has none, T5's special tokens and sentinels.

Brackets and commas are words of their own, so that a type reads the same in the options and in the answer, and an
entity the same in the sentence and in the answer; the decoder joins them again.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

_MARKS = "()[],"
_SENTINELS = [f"<extra_id_{i}>" for i in range(100)]


def train(texts: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """Learn `size` pieces (sentinels and bytes included) from texts."""
    steps: list[normalizers.Normalizer] = [normalizers.NFKC()]
    steps += [normalizers.Replace(mark, f" {mark} ") for mark in _MARKS]
    steps += [normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    special = ["<pad>", "</s>", "<unk>"]
    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    learner = Tokenizer(models.Unigram())
    learner.normalizer = normalizers.Sequence(steps)
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    wanted = size - len(_SENTINELS) - len(bytes_) - len(string.punctuation)
    learner.train_from_iterator(
        texts,
        trainers.UnigramTrainer(vocab_size=wanted, special_tokens=special, unk_token="<unk>", max_piece_length=12),
    )
    vocab = dict(json.loads(learner.to_str())["model"]["vocab"])
    vocab |= {f"▁{mark}": -3.0 for mark in string.punctuation}  # one piece each, though both halves are frequent
    vocab |= dict.fromkeys(bytes_, -30.0)
    tokenizer = Tokenizer(models.Unigram(list(vocab.items()), unk_id=2, byte_fallback=True))
    tokenizer.normalizer = learner.normalizer
    tokenizer.pre_tokenizer = learner.pre_tokenizer
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.ByteFallback(),
            decoders.Metaspace(),
            decoders.Fuse(),
            *(decoders.Replace(f"{mark} ", mark) for mark in "(["),
            *(decoders.Replace(f" {mark}", mark) for mark in ")],"),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens=_SENTINELS,
    )
