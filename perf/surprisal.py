"""Surprisal in batches against one unit at a time, same model, same units, in one run.

    python perf/surprisal.py [--backbone PATH] [--sentences N] [--explanations N]

One at a time is a plain loop: `model(ids)` without gradients, as transformers loads it, log-softmax of its logits.
GFLOP/s are 2 per weight of a matrix and token of the text, padding and attention not counted, against what a product of
two 2048² matrices reaches here.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from cdner_bench import gtok
from cdner_bench.data import benchmark
from cdner_bench.io import models
from cdner_density.causal import CausalModel
from cdner_torch import hub


class Plain:
    """One unit at a time, with the tokenizer and the context of `model`."""

    def __init__(self, place: str, model: CausalModel) -> None:
        self.network: Any = hub.load_model(AutoModelForCausalLM, place).eval().to(model.device)
        self.model = model

    @torch.no_grad()
    def surprisals(self, units: Sequence[str]) -> list[np.ndarray]:
        before = [] if self.model.context is None else [self.model.context]
        out = []
        for unit in units:
            row = before + self.model.tokenizer(unit, add_special_tokens=False)["input_ids"]
            ids = torch.tensor([row], device=self.model.device)
            said = self.network(ids).logits[0, :-1].log_softmax(-1)
            out.append(-said.gather(1, ids[0, 1:, None])[:, 0].double().cpu().numpy())
        return out

    def weights(self) -> int:
        """Those that every token is multiplied with: a table that is looked up counts only where it is the head too."""
        everything = sum(p.numel() for p in self.network.parameters())
        table, head = self.network.get_input_embeddings().weight, self.network.get_output_embeddings().weight
        return int(everything - (0 if head is table else table.numel()))


def timed(work: Callable[[], list[np.ndarray]]) -> tuple[float, list[np.ndarray]]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def ceiling() -> str:
    one, two = torch.randn(2048, 2048), torch.randn(2048, 2048)
    one @ two
    start = time.perf_counter()
    for _ in range(20):
        one @ two
    return f"a 2048² product: {20 * 2 * 2048**3 / (time.perf_counter() - start) / 1e9:.0f} GFLOP/s"


def compare(name: str, units: Sequence[str], plain: Plain, model: CausalModel) -> None:
    plain.surprisals(units[:4])
    list(model.surprisals(units[:4]))
    seconds, baseline = timed(lambda: plain.surprisals(units))
    took, found = timed(lambda: list(model.surprisals(units)))
    tokens, flops = sum(map(len, baseline)), 2 * plain.weights()
    apart = max(float(np.abs(a - b).max(initial=0)) for a, b in zip(baseline, found, strict=True))
    print(f"{len(units)} {name}, {tokens / len(units):.0f} tokens each: {seconds / took:.2f} times as fast")
    for what, needed in (("one at a time", seconds), ("in batches", took)):
        print(f"  {what:14} {tokens / needed:7.0f} tokens/s {tokens * flops / needed / 1e9:5.0f} GFLOP/s")
    print(f"  largest difference of a surprisal: {apart:.1e} nats", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="smollm2")
    parser.add_argument("--sentences", type=int, default=300)
    parser.add_argument("--explanations", type=int, default=60)
    parser.add_argument("--batch-tokens", type=int)
    args = parser.parse_args()
    place = str(models.fetch(args.backbone)) if args.backbone in models.read_catalogue() else args.backbone

    model = CausalModel(place, window=None, stride=None, batch_tokens=args.batch_tokens)
    plain = Plain(place, model)
    what = f"{args.backbone}, {model.parameters / 1e6:.0f}M parameters, fp32 on {model.device}"
    print(f"{what}, {torch.get_num_threads()} threads; {ceiling()}")
    found = benchmark.load("crossner")
    corpus = (found if found.is_present() else benchmark.load("mini")).corpus("ai")
    sentences = [s.text for s in [*corpus.test, *corpus.dev, *corpus.train]][: args.sentences]
    mentions = [" ".join(s.tokens[e.start : e.end]) for s in corpus.test for e in s.entities]
    compare("sentences", sentences, plain, model)
    if "gtok" in corpus.resources:
        explanations = [e.text for e in gtok.read(corpus.resources["gtok"])][: args.explanations]
        compare("explanations", explanations, plain, model)
    compare("entity mentions, repeated ones included", mentions[: args.sentences], plain, model)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    print(f"highest memory of the process, with its two copies of the model: {peak:.0f} MB")


if __name__ == "__main__":
    main()
