"""What makes the tagger fast: each choice against its alternative, on the same weights and sentences, in one run.

The baseline is a plain loop: fp32, the backbone's dropout, fused attention, batches in random order.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import torch

from cdner_bench import Sentence
from cdner_bench.data import benchmark
from cdner_bench.io import models
from cdner_torch.batches import group_by_length, shuffle
from cdner_torch.descent import Descent
from cdner_torch.learner import NEVER
from cdner_torch.schedule import Schedule
from cdner_torch.tagging.encoding import Window, windows
from cdner_torch.tagging.model import Tagger, bio_labels, load_encoder, load_tokenizer
from cdner_torch.tagging.training import Pupil, Tagging, decode

SENTENCES = 320


def prepare(attention: str, dropout: float | None) -> Tagger:
    torch.manual_seed(0)
    labels = bio_labels(CORPUS.types)
    tagger = Tagger(load_encoder(PLACE), labels, [labels])
    tagger.encoder.set_attn_implementation(attention)
    tagger.set_dropout(dropout)
    return tagger


def train(attention: str, dropout: float | None, precision: str, *, parts: bool) -> float:
    tagger, compute = prepare(attention, dropout), Tagging("cpu", precision, 0)
    labels = {label: n for n, label in enumerate(tagger.labels)}
    pool = windows(TRAIN, TOKENIZER, 512, labels)
    groups: list[list[Window]] = shuffle(pool, 16, torch.Generator().manual_seed(0))
    schedule = Schedule(1, 16, 1e-5, decay=False)
    descent = Descent(Pupil(tagger, compute), schedule, len(groups), "perf", logging.getLogger("perf"))
    if not parts:
        descent.spare = NEVER
    for group in groups[:3]:
        descent.step(0, group)
    start = time.perf_counter()
    for group in groups:
        descent.step(0, group)
    return len(pool) / (time.perf_counter() - start)


def predict(attention: str, precision: str, *, grouped: bool) -> float:
    tagger, compute = prepare(attention, None), Tagging("cpu", precision, 0)
    inputs = windows(TEST, TOKENIZER, 512)
    batches: Sequence[Sequence[Window]] = list(group_by_length(inputs, 64)) if grouped else [[w] for w in inputs]
    start = time.perf_counter()
    for batch in batches:
        decode(tagger, TEST, batch, compute)
    return len(inputs) / (time.perf_counter() - start)


def show(name: str, rate: float, baseline: float) -> None:
    print(f"  {name:44} {rate:7.1f} sentences/s  {rate / baseline:5.2f}×")


def main() -> None:
    print(f"training, {SENTENCES} sentences of music, batch 16")
    baseline = train("sdpa", None, "fp32", parts=False)
    show("plain loop", baseline, baseline)
    show("+ a batch in parts of similar length", train("sdpa", None, "fp32", parts=True), baseline)
    show("+ auto precision", train("sdpa", None, "auto", parts=True), baseline)
    show("+ eager attention", train("eager", None, "auto", parts=True), baseline)
    show("+ no dropout (presets cpu, quick)", train("eager", 0.0, "auto", parts=True), baseline)
    print("prediction")
    one = predict("sdpa", "fp32", grouped=False)
    show("one sentence at a time", one, one)
    show("batches of 64 by length (what runs do)", predict("eager", "fp32", grouped=True), one)
    show("the same, auto precision (dev scores)", predict("eager", "auto", grouped=True), one)


if __name__ == "__main__":
    PLACE = str(models.fetch("minilm"))
    TOKENIZER = load_tokenizer(PLACE)
    CROSSNER = benchmark.load("crossner")
    CORPUS = (CROSSNER if CROSSNER.is_present() else benchmark.load("mini")).corpus("music")
    TRAIN: Sequence[Sentence] = [*CORPUS.train, *CORPUS.dev, *CORPUS.test][:SENTENCES]
    TEST: Sequence[Sentence] = CORPUS.test[:SENTENCES]
    main()
