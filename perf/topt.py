"""Text-to-text training and generation against a plain loop that does what TOPT's released code does, in one run.

The plain loop: inputs padded to 256 and targets to 128, batches of 8 in random order, fp32, AdamW; at test one
sentence at a time, greedy, up to 128 new tokens. Both sides start from the same weights and see the same sentences.
Then the model-FLOP utilisation of training against a measured matrix product, and where the rest of the time goes.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from cdner_bench import Sentence, text2text
from cdner_bench.data import benchmark
from cdner_bench.io import models
from cdner_torch import backbones
from cdner_torch.batches import shuffle
from cdner_torch.compute import Compute
from cdner_torch.generators import Backbone, Example
from cdner_torch.lengths import TokenLimits

FP32 = Compute("cpu", "fp32")
BATCH = 8


class Plain:
    """The released code's loop."""

    def __init__(self, place: str) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(place)
        self.model: Any = AutoModelForSeq2SeqLM.from_pretrained(place, dtype=torch.float32)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4, weight_decay=0.0)

    def train(self, pairs: Sequence[tuple[str, str]]) -> None:
        def ids(texts: list[str], length: int) -> Any:
            return self.tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")

        self.model.train()
        mixed = random.Random(0).sample(pairs, len(pairs))
        for start in range(0, len(mixed), BATCH):
            chosen = mixed[start : start + BATCH]
            inputs, labels = ids([s for s, _ in chosen], 256), ids([t for _, t in chosen], 128)["input_ids"]
            labels[labels == self.tokenizer.pad_token_id] = -100
            loss = self.model(input_ids=inputs.input_ids, attention_mask=inputs.attention_mask, labels=labels).loss
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    @torch.no_grad()
    def predict(self, prompts: Sequence[str]) -> list[str]:
        self.model.eval()
        out = []
        for prompt in prompts:
            ids = self.tokenizer(prompt, return_tensors="pt")["input_ids"]
            said = self.model.generate(input_ids=ids, do_sample=False, max_new_tokens=128)
            out.append(self.tokenizer.decode(said[0], skip_special_tokens=True).strip())
        return out


def steps(model: Backbone, batches: Sequence[Sequence[Example]], rate: float = 1e-4) -> None:
    optimizer = torch.optim.AdamW(model.network.parameters(), lr=rate, weight_decay=0.0, fused=True)
    model.network.train()
    for batch in batches:
        optimizer.zero_grad(set_to_none=False)
        (model.loss(batch) / sum(len(e.target) for e in batch)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def load(place: str, precision: str) -> Backbone:
    return backbones.load(place, Compute("cpu", precision), TokenLimits(256, 128, 128), 0.0)


def show(name: str, rate: float, baseline: float) -> None:
    print(f"  {name:52} {rate:8.2f} sentences/s  {rate / baseline:6.2f}×", flush=True)


def training(place: str, pairs: Sequence[tuple[str, str]]) -> None:
    print(f"training on {len(pairs)} sentences, batches of {BATCH}")
    plain = Plain(place)
    plain.train(pairs[:BATCH])
    baseline = len(pairs) / timed(lambda: plain.train(pairs))
    show("plain loop", baseline, baseline)
    for name, precision, grouped, attention in (
        ("padded to the batch, tokenised once", "fp32", False, "sdpa"),
        ("+ batches of similar length", "fp32", True, "sdpa"),
        ("+ eager attention", "fp32", True, "eager"),
        ("+ bf16 where it pays (what runs do)", "auto", True, "eager"),
    ):
        model = load(place, precision)
        model.network.set_attn_implementation(attention)
        examples = model.encode(pairs)
        mixed = random.Random(0).sample(examples, len(examples))
        plainly = [mixed[i : i + BATCH] for i in range(0, len(mixed), BATCH)]
        batches = shuffle(examples, BATCH, torch.Generator().manual_seed(0)) if grouped else plainly
        steps(model, batches[:2])
        show(name, len(pairs) / timed(lambda m=model, b=batches: steps(m, b)), baseline)  # type: ignore[misc]


def prediction(place: str, pairs: Sequence[tuple[str, str]], prompts: Sequence[str]) -> None:
    model = load(place, "auto")
    examples = model.encode(pairs)
    for epoch in range(EPOCHS):
        steps(model, shuffle(examples, BATCH, torch.Generator().manual_seed(epoch)), 1e-3)
    plain = Plain(place)
    plain.model.load_state_dict(model.network.state_dict())
    print(f"prediction of {len(prompts)} sentences, the model fine-tuned for {EPOCHS} epochs, up to 128 new tokens")
    answers: dict[str, list[str]] = {}

    def keep(name: str, work: Callable[[], list[str]]) -> float:
        start = time.perf_counter()
        answers[name] = work()
        return len(prompts) / (time.perf_counter() - start)

    baseline = keep("plain", lambda: plain.predict(prompts))
    show("plain loop, one sentence at a time", baseline, baseline)
    for rows in (16, 128):
        model.portions.size = rows
        rate = keep(f"{rows}", lambda: model.answers(prompts, FP32))
        show(f"batches of {rows} by length, fp32" + " (what runs do)" * (rows == 128), rate, baseline)
    show(
        "batches of 128 by length, auto precision (dev scores)",
        keep("bf16", lambda: model.answers(prompts, Compute("cpu", "auto"))),
        baseline,
    )
    same = sum(a == b for a, b in zip(answers["plain"], answers["128"], strict=True))
    empty = sum(not a for a in answers["plain"])
    print(f"  identical to the plain loop in fp32: {same} of {len(prompts)}, {100 * same / len(prompts):.2f} %", end="")
    print(f" ({empty} answers are empty)")


def utilisation(place: str, pairs: Sequence[tuple[str, str]]) -> None:
    model = load(place, "auto")
    kind = torch.bfloat16 if model.compute.resolved == "bf16" else torch.float32
    one, two = torch.randn(2048, 2048, dtype=kind), torch.randn(2048, 2048, dtype=kind)
    one @ two
    ceiling = 20 * 2 * 2048**3 / timed(lambda: [one @ two for _ in range(20)])
    examples = model.encode(pairs)
    batches = shuffle(examples, BATCH, torch.Generator().manual_seed(0))
    steps(model, batches[:2])
    seconds = timed(lambda: steps(model, batches))
    encoder = sum(p.numel() for n, p in model.network.named_parameters() if n.startswith("encoder"))
    head = model.network.get_input_embeddings().weight.numel()
    decoder = sum(p.numel() for n, p in model.network.named_parameters() if n.startswith("decoder"))
    source, target = (sum(len(getattr(e, part)) for e in examples) for part in ("source", "target"))
    flops = 6 * (encoder * source + (decoder + head) * target)
    print(f"utilisation: {flops / seconds / 1e9:.0f} of {ceiling / 1e9:.0f} GFLOP/s ({kind}, 2048² product): ", end="")
    print(f"{100 * flops / seconds / ceiling:.1f} % (6 FLOP a weight and token, padding not counted)")
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        steps(model, batches[:8])
    parts: dict[str, float] = defaultdict(float)
    groups = {
        "matrix products": ("mm", "bmm", "addmm"),
        "casts and copies": ("copy_", "_to_copy", "clone", "cat"),
        "optimizer": ("_fused_adamw_", "zero_"),
        "softmax and loss": ("softmax", "nll", "log_softmax"),
    }
    for event in profile.key_averages():
        name = event.key.removeprefix("aten::")
        group = next((g for g, keys in groups.items() if any(k in name for k in keys)), "element-wise and the rest")
        parts[group] += event.self_cpu_time_total
    everything = sum(parts.values())
    print("  " + ", ".join(f"{g} {100 * t / everything:.0f} %" for g, t in sorted(parts.items(), key=lambda p: -p[1])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="minit5")
    parser.add_argument("--test", type=int, default=200, help="sentences to predict")
    args = parser.parse_args()
    place = str(models.fetch(args.backbone)) if args.backbone in models.read_catalogue() else args.backbone
    crossner = benchmark.load("crossner")
    corpus = (crossner if crossner.is_present() else benchmark.load("mini")).corpus("politics")
    pairs = [(text2text.prompt(s, corpus.types), text2text.answer(s)) for s in corpus.train]
    test: Sequence[Sentence] = corpus.test[: args.test]
    training(place, pairs)
    prediction(place, pairs, [text2text.prompt(s, corpus.types) for s in test])
    utilisation(place, pairs)


EPOCHS = 5

if __name__ == "__main__":
    main()
