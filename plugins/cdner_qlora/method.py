"""`qlora-llama2` and `lora-llama2`: adapters learn the pooled sources, the same adapters go on with the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Lt

from cdner_bench import Corpus, Method, Prediction, RunContext, Sentence, sentence_counts, sha256, text2text, total
from cdner_torch import backbones
from cdner_torch.batches import blocks, mixture, sample
from cdner_torch.compute import Compute, Precision
from cdner_torch.generators import Example, Limits
from cdner_torch.training import InMemory, Schedule, adamw, train
from cdner_torch.weights import restored

from . import model, quantisation

Positive = Annotated[int, Gt(0)]
Rate = Annotated[float, Gt(0), Lt(1)]
Share = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True)
class QloraOptions:
    """Defaults are the paper's (rank, alpha) and, where it is silent, QLoRA's for 7B models (docs/qlora.md).

    `rank`, `alpha` and `dropout` are the adapters'. `warmup` is a share of all steps, `max_norm` cuts gradients.
    A batch is gone through in `accumulate` parts; `checkpointing` computes activations twice to save memory. Several
    sources are pooled, each by the square root of its size. `source_sentences` caps each source, `dev_sentences` how
    much of dev is answered to choose the epoch (`select`).
    """

    backbone: str = "meta-llama/Llama-2-7b-hf"
    quantisation: Literal["nf4", "none"] = "nf4"
    rank: Positive = 64
    alpha: Positive = 16
    dropout: Share = 0.1
    source_epochs: Positive = 2
    source_sentences: Positive | None = None
    epochs: Positive = 10
    learning_rate: Rate = 2e-4
    warmup: Share = 0.03
    max_norm: Annotated[float, Gt(0)] | None = 0.3
    batch_size: Positive = 16
    accumulate: Positive = 1
    checkpointing: bool = False
    select: Literal["dev", "last"] = "dev"
    dev_every: Positive = 1
    dev_sentences: Positive | None = None
    max_source: Positive = 320
    max_target: Positive = 192
    max_answer: Positive = 256
    precision: Precision = "auto"


# What determines the shared source stage, besides its data.
_SOURCE = (
    "quantisation", "rank", "alpha", "dropout", "source_epochs", "source_sentences", "learning_rate", "warmup",
    "max_norm", "batch_size", "accumulate", "checkpointing", "max_source", "max_target",
)  # fmt: skip


class Qlora(Method):
    """`qlora-llama2` and `lora-llama2`."""

    Options = QloraOptions
    options: QloraOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """Sources, then target. The adapters that have learnt the sources are kept and shared by all targets."""
        o = self.options
        self.types = target.types
        compute = Compute(run.device, o.precision)
        adapters = model.Adapters(o.rank, o.alpha, o.dropout, o.quantisation == "nf4", o.checkpointing)
        limits = Limits(o.max_source, o.max_target, o.max_answer)
        self.model = model.load(unpacked(run.backbone(o.backbone), run), compute, limits, adapters, run.seed)
        if sources:
            options = {name: getattr(o, name) for name in _SOURCE}
            made = {"sources": [s.fingerprint() for s in sources], "precision": compute.resolved, "device": run.device}
            folder = run.stage("source", lambda place: self._learn_sources(sources, place, run), {**options, **made})
            self.model.load(restored(folder))
        folder = run.stage("target", lambda place: self._learn_target(target, place, run))
        self.model.load(restored(folder))
        self.model.export(run.workdir / "adapter", o.backbone)
        trained, size = self.model.network.get_nb_trainable_parameters()
        run.describe(backbone=o.backbone, trained=trained, total=size, precision=compute.resolved)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """Greedy, without autocast, so that an answer depends on its neighbours in a batch by rounding only."""
        for block in blocks(sentences, 512):
            yield from self._answered(block, self.types)

    def _learn_sources(self, sources: Sequence[Corpus], place: Path, run: RunContext) -> None:
        o = self.options
        generator = torch.Generator().manual_seed(run.seed)
        pools = [self._examples(sample(s.train, o.source_sentences, generator), s.types) for s in sources]

        def draw(epoch: int) -> list[Example]:
            return mixture(pools, torch.Generator().manual_seed(run.seed * 1_000_003 + epoch))

        data = InMemory(draw, o.batch_size, run.seed)
        train(self.model, data, self._schedule(o.source_epochs, run), "source", run, place)

    def _learn_target(self, target: Corpus, place: Path, run: RunContext) -> None:
        o = self.options
        examples = self._examples(target.train, target.types)
        dev = target.dev[: o.dev_sentences]

        def dev_f1() -> float:
            return total(map(sentence_counts, dev, self._answered(dev, target.types))).f1

        data = InMemory(lambda _: examples, o.batch_size, run.seed)
        judge = dev_f1 if o.select == "dev" else None
        train(self.model, data, self._schedule(o.epochs, run), "target", run, place, judge)

    def _schedule(self, epochs: int, run: RunContext) -> Schedule:
        o = self.options
        return Schedule(
            epochs,
            o.batch_size,
            o.learning_rate,
            o.dev_every,
            decay=False,
            warmup=o.warmup,
            max_norm=o.max_norm,
            parts=o.accumulate,
            optimizer=quantisation.optimizer if run.device == "cuda" and o.quantisation == "nf4" else adamw,
        )

    def _examples(self, sentences: Sequence[Sentence], types: Sequence[str]) -> list[Example]:
        return self.model.encode([(text2text.prompt(s, types), text2text.answer(s)) for s in sentences])

    def _answered(self, sentences: Sequence[Sentence], types: Sequence[str]) -> list[Prediction]:
        exact = replace(self.model.compute, precision="fp32")
        texts = self.model.answers([text2text.prompt(s, types) for s in sentences], exact)
        return [text2text.read(text, s, types) for text, s in zip(texts, sentences, strict=True)]


def unpacked(place: str, run: RunContext) -> str:
    """The backbone as a folder of bf16 weights, if it is a GGUF file: reading that takes twenty times as long."""
    file = backbones.gguf(place)
    if file is None:
        return place

    def build(folder: Path) -> None:
        with run.phase("dequantise"):
            found = backbones.load(place, Compute("cpu", "fp32"), Limits())
            found.network.to(torch.bfloat16).save_pretrained(folder)
            found.tokenizer.save_pretrained(folder)

    # Nothing is drawn, so all seeds share it.
    return str(replace(run, seed=0).stage("base", build, {"gguf": sha256(file)}))
