"""`qlora-llama2` and `lora-llama2`: adapters learn the pooled sources, the same adapters go on with the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from cdner_bench import Corpus, Method, Prediction, RunContext, Sentence, sha256, text2text
from cdner_torch import backbones, hub
from cdner_torch.batches import InMemory, blocks, draw_source, mix
from cdner_torch.compute import Compute
from cdner_torch.generators import Example, read_all
from cdner_torch.judge import Judge
from cdner_torch.lengths import TokenLimits, tell_lengths, tell_uncarried
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule, adamw
from cdner_torch.weights import restore

from . import model, quantisation
from .options import QloraOptions


class Qlora(Method):
    """Instruction tuning of a decoder through low-rank adapters: `qlora-llama2` and `lora-llama2`."""

    Options = QloraOptions
    options: QloraOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """Sources, then target. The adapters that have learnt the sources are kept and shared by all targets."""
        o = self.options
        self.types = target.types
        self.model = self._load_backbone(run)
        generator = torch.Generator().manual_seed(run.seed)
        drawn = [draw_source(s, o.source.sentences, generator, dev=False) for s in sources]
        tell_uncarried([*drawn, target], self.model.tokenizer, run)
        tell_lengths(
            [*drawn, target], lambda s, c: text2text.prompt(s, c.types), self.model.tokenizer, self.model.room, run
        )
        if sources:
            key = {
                "network": o.network,
                "precision": self.model.compute.resolved,
                "device": run.device,
                "adapters": o.adapters,
                "finetuning": o.finetuning,
                "source": o.source,
                "corpora": [s.fingerprint() for s in sources],
            }
            folder = run.stage("source", lambda place: self._learn_sources(drawn, place, run), key)
            self.model.load(restore(folder))
        folder = run.stage("target", lambda place: self._learn_target(target, place, run))
        self.model.load(restore(folder))
        self.model.export(run.workdir / "adapter", o.backbone)
        trained, size = self.model.network.get_nb_trainable_parameters()
        run.describe(backbone=o.backbone, trained=trained, total=size, precision=self.model.compute.resolved)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """Greedy, without autocast, so that an answer depends on its neighbours in a batch by rounding only."""
        for block in blocks(sentences, 512):
            yield from self._answered(block, self.types)

    def save(self, folder: Path) -> None:
        """The adapters, without the backbone that they were learnt on, which `load` needs too."""
        self.model.keep(folder)

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        self.types = tuple(types)
        self.model = self._load_backbone(run)
        self.model.load(restore(folder))

    def _load_backbone(self, run: RunContext) -> model.Adapted:
        """The backbone with adapters that have learnt nothing yet."""
        o = self.options
        compute = Compute(run.device, o.network.precision)
        limits = TokenLimits(o.network.max_source, o.network.max_target, o.decoding.max_answer)
        return model.load(unpack(run.backbone(o.backbone), run), compute, limits, o.adapters, run.seed)

    def _learn_sources(self, sources: Sequence[Corpus], place: Path, run: RunContext) -> None:
        o = self.options
        pools = [self._examples(source.train, source.types) for source in sources]

        def draw(epoch: int) -> list[Example]:
            return mix(pools, torch.Generator().manual_seed(run.seed * 1_000_003 + epoch))

        data = InMemory(draw, o.finetuning.batch_size, run.seed)
        torch.manual_seed(run.seed)
        train(self.model, data, self._schedule(o.source.epochs, run), "source", run, place)

    def _learn_target(self, target: Corpus, place: Path, run: RunContext) -> None:
        o = self.options
        examples = self._examples(target.train, target.types)
        data = InMemory(lambda _: examples, o.finetuning.batch_size, run.seed)
        judge = Judge(target.dev[: o.dev.sentences], lambda dev: self._answered(dev, target.types))
        chosen_by = judge if o.target.select == "dev" else None
        torch.manual_seed(run.seed)
        train(self.model, data, self._schedule(o.target.epochs, run), "target", run, place, chosen_by)

    def _schedule(self, epochs: int, run: RunContext) -> Schedule:
        o, group = self.options, self.options.finetuning
        quantised = run.device == "cuda" and o.adapters.quantisation == "nf4"
        return Schedule(
            epochs,
            group.batch_size,
            group.learning_rate,
            o.dev.every,
            decay=False,
            warmup=group.warmup,
            max_norm=group.max_norm,
            parts=group.accumulate,
            optimizer=quantisation.optimizer if quantised else adamw,
        )

    def _examples(self, sentences: Sequence[Sentence], types: Sequence[str]) -> list[Example]:
        return self.model.encode([(text2text.prompt(s, types), text2text.answer(s)) for s in sentences])

    def _answered(self, sentences: Sequence[Sentence], types: Sequence[str]) -> list[Prediction]:
        exact = replace(self.model.compute, precision="fp32")
        prompts = [text2text.prompt(s, types) for s in sentences]
        return read_all(self.model, sentences, prompts, types, exact, self.options.decoding.answers)


def unpack(place: str, run: RunContext) -> str:
    """The backbone as a folder of bf16 weights, if it is a GGUF file: reading that takes twenty times as long."""
    file = hub.find_gguf(place)
    if file is None:
        return place

    def build(folder: Path) -> None:
        with run.phase("dequantise"):
            whole = backbones.load(place, Compute("cpu", "fp32"), TokenLimits())
            whole.network.to(torch.bfloat16).save_pretrained(folder)
            whole.tokenizer.save_pretrained(folder)

    return str(run.stage("base", build, {"gguf": sha256(file)}, seeded=False))
