"""Train the small T5 that the presets `cpu` and `quick` of the text-to-text methods start from.

    python scripts/backbones/minit5.py --corpus FOLDER --out FOLDER

FOLDER of the corpus holds the unpacked Debian packages (text.py). Interrupted, the same command goes on from the last
checkpoint. The curriculum is in tasks.py: copying out of noise, everything, what is sure, the same with the prompt.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import time
from bisect import bisect
from collections.abc import Iterator, Sequence
from pathlib import Path

import minit5_pieces as vocabulary
import text
import torch
from tasks import Example, Tasks, Vocabulary
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from cdner_bench import Sentence, text2text
from cdner_torch import checkpoint, weights
from cdner_torch.batches import IGNORED, pad_rows
from cdner_torch.checkpoint import Checkpoint
from cdner_torch.learner import Learner

VOCABULARY = 6144
BATCH = 8192  # source tokens of a step


def build(size: int) -> T5ForConditionalGeneration:
    """A T5 of 6M parameters, begun where copying is near: heads that look at the neighbours, and a
    cross-attention that finds the encoder's tokens by their identity and passes them on.
    """
    config = T5Config(
        vocab_size=size,
        d_model=256,
        d_kv=64,
        num_heads=4,
        d_ff=512,
        num_layers=4,
        num_decoder_layers=3,
        feed_forward_proj="relu",
        dropout_rate=0.0,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    model = T5ForConditionalGeneration(config)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        model.shared.weight.normal_(std=1.0)
        before, after = 1, 17  # the buckets of distance one, in an encoder of 32 buckets
        bias = model.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight
        bias[before, 0] += 4
        bias[after, 1] += 4
        model.decoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight[1, 0] += 4
        for block in model.decoder.block:
            cross = block.layer[1].EncDecAttention
            cross.k.weight.copy_(cross.q.weight * 4)
            cross.q.weight.mul_(4)
            cross.o.weight.copy_(cross.v.weight.T)
    return model


def batches(tasks: Tasks, stage: int) -> Iterator[list[Example]]:
    """Batches of about BATCH source tokens, of like length, without end."""
    while True:
        pool = sorted((tasks.draw(stage) for _ in range(1500)), key=lambda e: len(e[0]) + 2 * len(e[1]))
        groups: list[list[Example]] = [[]]
        for example in pool:
            group = [*groups[-1], example]
            if max(len(e[0]) for e in group) * len(group) > BATCH or max(len(e[1]) for e in group) * len(group) > BATCH:
                groups.append([])
            groups[-1].append(example)
        tasks.random.shuffle(groups)
        yield from groups


class Reader(Learner[Example]):
    """The T5 and its loss."""

    def __init__(self, network: T5ForConditionalGeneration) -> None:
        self.network = network

    def loss(self, items: Sequence[Example]) -> Tensor:
        """Cross-entropy summed over the target tokens; the output layer is computed where there is one only."""
        ids, labels = pad_rows([source for source, _ in items], 0), pad_rows([target for _, target in items], IGNORED)
        attention = (ids != 0).long()
        with torch.autocast("cpu", torch.bfloat16):
            hidden = self.network.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
            out = self.network.decoder(
                input_ids=self.network.prepare_decoder_input_ids_from_labels(labels),
                encoder_hidden_states=hidden,
                encoder_attention_mask=attention,
            ).last_hidden_state
            real = labels != IGNORED
            logits = (out[real] * self.network.config.d_model**-0.5) @ self.network.shared.weight.T
            return nn.functional.cross_entropy(logits.float(), labels[real], reduction="sum")

    def terms(self, items: Sequence[Example]) -> int:
        """How many target tokens there are."""
        return sum(len(target) for _, target in items)


class Training:
    """The state of a training, and where it is kept.

    The plugins' loop counts epochs; this one counts tokens, draws its batches without end and has two optimizers. They
    share what a checkpoint is.
    """

    def __init__(self, corpus: Path, out: Path, tokens: float, learning_rate: float, seed: int) -> None:
        self.out, self.tokens, self.learning_rate, self.seed = out, tokens, learning_rate, seed
        out.mkdir(parents=True, exist_ok=True)
        sentences, nouns = list(text.sentences(corpus)), text.nouns(corpus)
        self.tokenizer = _tokenizer(out, sentences, nouns, seed)
        torch.manual_seed(seed)
        self.reader = Reader(build(len(self.tokenizer)))
        matrices = {n: p for n, p in self.reader.learnt() if p.ndim == 2 and "shared" not in n and "bias" not in n}
        self.others = [p for n, p in self.reader.learnt() if n not in matrices]
        self.muon = torch.optim.Muon(
            matrices.values(), lr=learning_rate, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"
        )
        self.adam = torch.optim.AdamW(self.others, lr=learning_rate / 4, betas=(0.9, 0.98), weight_decay=0, fused=True)
        self.checkpoint = Checkpoint(
            out / checkpoint.NAME, self.reader, [self.muon, self.adam], logging.getLogger("minit5")
        )
        self.state = self.checkpoint.restore() or {"tokens": 0.0, "seconds": 0.0, "steps": 0}
        self.losses: dict[int, float] = {}
        tasks = Tasks(Vocabulary(self.tokenizer), sentences, nouns, seed=seed + int(self.state["steps"]))
        self.streams = [batches(tasks, stage) for stage in range(4)]

    def go(self) -> None:
        """Train to the end, with a checkpoint every 250 steps."""
        self.reader.network.train()
        before = time.monotonic()
        while self.state["tokens"] < self.tokens:
            stage = self.step()
            if self.state["steps"] % 25 == 0:
                now = time.monotonic()
                self.state["seconds"] += now - before
                before = now
                speed, millions = self.state["tokens"] / self.state["seconds"], self.state["tokens"] / 1e6
                print(f"step {self.state['steps']:5} stage {stage} tokens {millions:6.2f}M ", end="")
                print(f"loss {self.losses[stage]:.3f} {speed:6.0f} tokens/s", flush=True)
            if self.state["steps"] % 250 == 0 or self.state["tokens"] >= self.tokens:
                self.keep()

    def step(self) -> int:
        """One batch of the stage that the curriculum has come to."""
        done = self.state["tokens"] / self.tokens
        stage = bisect((0.15, 0.3, 0.6), done)
        group = next(self.streams[stage])
        rate = min(1.0, self.state["steps"] / 100) * min(1.0, (1 - done) / 0.4 + 0.02)
        self.muon.param_groups[0]["lr"] = self.learning_rate * rate
        self.adam.param_groups[0]["lr"] = self.learning_rate / 4 * rate
        loss = self.reader.loss(group) / self.reader.terms(group)
        self.reader.network.zero_grad(set_to_none=False)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.others, 1.0)
        self.muon.step()  # type: ignore[no-untyped-call]
        self.adam.step()
        self.state["steps"] += 1
        self.state["tokens"] += sum(len(e[0]) + len(e[1]) for e in group)
        self.losses[stage] = 0.95 * self.losses.get(stage, loss.item()) + 0.05 * loss.item()
        return stage

    def keep(self) -> None:
        """A checkpoint, and the model as it is."""
        self.checkpoint.save(self.state)
        record = {**self.state, "seed": self.seed, "losses": self.losses}
        export(self.reader, self.tokenizer, self.out, record)


def main() -> None:
    """Train, and leave weights in bf16, the tokenizer and a record of the training in the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=float, default=38e6, help="source and target tokens to train on")
    parser.add_argument("--learning-rate", type=float, default=0.003)
    parser.add_argument("--seed", type=int, default=1)
    Training(**vars(parser.parse_args())).go()


def export(reader: Reader, tok: PreTrainedTokenizerFast, out: Path, record: object) -> None:
    """The folder as `from_pretrained` reads it, weights in bf16."""
    learnt = {name: tensor.to(torch.bfloat16) for name, tensor in reader.state().items()}
    weights.keep(learnt, out / weights.NAME, {"format": "pt"})
    reader.network.config.save_pretrained(out)
    reader.network.generation_config.save_pretrained(out)
    tok.save_pretrained(out)
    (out / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _tokenizer(out: Path, sentences: list[list[str]], nouns: list[text.Noun], seed: int) -> PreTrainedTokenizerFast:
    if (out / "tokenizer.json").exists():
        return PreTrainedTokenizerFast.from_pretrained(out)
    chosen = random.Random(seed).sample(sentences, 120_000)
    names = [" ".join(n.words) for n in nouns for _ in range(4 if n.instance else 1)]
    prompt = text2text.prompt(Sentence("", ("x",)), ["y"])
    types = sorted({t for n in nouns for t in n.types})
    tok = vocabulary.train([" ".join(s) for s in chosen] + names + types + [prompt] * 2000, VOCABULARY)
    tok.save_pretrained(out)
    return tok


if __name__ == "__main__":
    main()
