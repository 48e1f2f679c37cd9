"""`lightner`: prefixes guide a frozen encoder-decoder that points, first on the pooled sources, then on the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cdner_bench import Corpus, Method, Prediction, RunContext, Sentence
from cdner_torch import backbones, hub, prefixes
from cdner_torch.batches import InMemory, blocks, draw_source, mix
from cdner_torch.compute import Compute
from cdner_torch.judge import Judge
from cdner_torch.lengths import LONGEST, TokenLimits, find_positions, tell_long
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule
from cdner_torch.weights import restore

from .encoding import Encoder, Source, name_pieces
from .model import Pointer, Pointing, decaying
from .options import LightNerOptions

FITTING = {kind: prefixes.FITTING[kind] for kind in ("bart", "encoder-decoder")}
"""Backbones whose decoder reads and says the pieces of its source's vocabulary as they are."""


class LightNer(Method):
    """Lightweight tuning by pluggable prompting (LightNER)."""

    Options = LightNerOptions
    options: LightNerOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """The pooled sources, which are kept and shared by all targets, then the target."""
        o = self.options
        self._find_backbone(run)
        generator = torch.Generator().manual_seed(run.seed)
        drawn = [self._draw(source, generator) for source in sources]
        for corpus in (*drawn, target):
            name_pieces(self.tokenizer, corpus.types)
        self._tell_lengths([*drawn, target], run)
        start, types = None, sorted({kind for source in sources for kind in source.types})
        if sources:
            key = {
                "network": o.network,
                "precision": self.compute.resolved,
                "prefix": o.prefix,
                "finetuning": o.finetuning,
                "source": o.source,
                "corpora": [source.fingerprint() for source in sources],
            }
            folder = run.stage("source", lambda place: self._learn_sources(types, drawn, place, run), key)
            start = restore(folder)
        folder = run.stage("target", lambda place: self._learn_target(start, types, target, place, run))
        self.model = self._begin(target.types, [target.types], run)
        self.model.load(restore(folder))
        network = self.model.network
        trained, size = sum(p.numel() for _, p in self.model.learnt()), sum(p.numel() for p in network.parameters())
        self._settle()
        run.describe(backbone=o.backbone, trained=trained, total=size, precision=self.compute.resolved)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """In float32, so that an answer depends on its neighbours in a batch by rounding only."""
        exact = replace(self.compute, precision="fp32")
        for block in blocks(sentences, 256):
            yield from self._answered(self.model, block, exact)

    def save(self, folder: Path) -> None:
        """What has learnt, without a backbone that is frozen, which `load` needs in any case."""
        self.model.keep(folder)

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        self._find_backbone(run)
        self.model = self._begin(types, [types], run)
        self._settle()
        self.model.load(restore(folder))

    def _find_backbone(self, run: RunContext) -> None:
        self.compute = Compute(run.device, self.options.network.precision)
        self.place = run.backbone(self.options.backbone)
        frame = backbones.read_frame(self.place)
        prefixes.check(self.place, frame.config, FITTING)
        self.tokenizer: Any = hub.split_words(frame.tokenizer, self.place)
        self.positions = find_positions(frame.config) or LONGEST
        self.limit = min(self.options.network.max_source, self.positions)

    def _begin(self, types: Sequence[str], domains: Sequence[Sequence[str]], run: RunContext) -> Pointer:
        """The backbone with prefixes and labels that have learnt nothing."""
        o = self.options
        network = backbones.load(self.place, self.compute, TokenLimits(), o.network.dropout).network
        torch.manual_seed(run.seed)
        shapes = prefixes.measure(network)
        prefixes.attach(network, prefixes.Learnt(shapes, o.prefix.length, o.prefix.hidden, o.prefix.dropout))
        if o.network.freeze:
            prefixes.freeze(network, embeddings=True)
        start = network.config.decoder_start_token_id
        encoder = Encoder(self.tokenizer, start, self.limit, types, self.positions)
        allowed = [[kind in domain for kind in types] for domain in domains]
        head = Pointing(network, encoder.names, encoder.after[0], allowed, o.network.head_dropout)
        return Pointer(head, encoder, self.compute)

    def _settle(self) -> None:
        """Leave of the prefixes what they say, which is all that answering needs."""
        network = self.model.network.backbone
        prefixes.attach(network, prefixes.fix(network.prefixes))

    def _learn_sources(self, types: Sequence[str], sources: Sequence[Corpus], place: Path, run: RunContext) -> None:
        group = self.options.source
        model = self._begin(types, [source.types for source in sources], run)
        pools = [model.encoder.sources(source.train, n, gold=True) for n, source in enumerate(sources)]

        def draw(epoch: int) -> list[Source]:
            generator = torch.Generator().manual_seed(run.seed * 1_000_003 + epoch)
            return mix(pools, generator, sqrt=group.sampling == "sqrt")

        data = InMemory(draw, group.batch_size, run.seed)
        torch.manual_seed(run.seed)
        train(model, data, self._schedule(group.epochs, group.batch_size, group.learning_rate), "source", run, place)

    def _learn_target(
        self, start: Mapping[str, Tensor] | None, types: Sequence[str], target: Corpus, place: Path, run: RunContext
    ) -> None:
        """From what was learnt of sources that have these types, if there are any."""
        o, group = self.options, self.options.target
        model = self._begin(target.types, [target.types], run)
        if start is not None:
            model.load(model.relabelled(start, types))
        items = model.encoder.sources(target.train, gold=True)
        data = InMemory(lambda _: items, group.batch_size, run.seed)
        schedule = self._schedule(group.epochs, group.batch_size, group.learning_rate)
        schedule = replace(schedule, dev_every=o.dev.every, patience=group.patience)
        judge = Judge(target.dev[: o.dev.sentences], lambda dev: self._answered(model, dev, self.compute))
        torch.manual_seed(run.seed)
        train(model, data, schedule, "target", run, place, judge)

    def _schedule(self, epochs: int, batch_size: int, rate: float) -> Schedule:
        group = self.options.finetuning
        decaying_adamw = decaying(group.weight_decay)
        return Schedule(epochs, batch_size, rate, decay=group.schedule == "linear", optimizer=decaying_adamw)

    def _draw(self, source: Corpus, generator: torch.Generator) -> Corpus:
        """What is learnt of a source domain."""
        group = self.options.source
        train = tuple(s for s in source.train if s.entities or not group.only_with_entities)
        return draw_source(replace(source, train=train), group.sentences, generator, dev=False)

    def _tell_lengths(self, corpora: Sequence[Corpus], run: RunContext) -> None:
        encoder = Encoder(self.tokenizer, 0, self.limit, [])
        for corpus in corpora:
            for split, sentences in (("train", corpus.train), ("dev", corpus.dev)):
                read = encoder.sources(sentences)
                beyond = [len(s.tokens) > len(r.first) for s, r in zip(sentences, read, strict=True)]
                tell_long(
                    run, f"{corpus.name} {split}", beyond, f"are read without their ends: {self.limit} sub-words fit"
                )

    def _answered(self, model: Pointer, sentences: Sequence[Sentence], compute: Compute) -> list[Prediction]:
        group = self.options.answering
        sources = model.encoder.sources(sentences)
        order = sorted(range(len(sources)), key=lambda n: -len(sources[n]))
        out: dict[int, Prediction] = {}

        def say(chosen: Sequence[int]) -> list[list[int]]:
            asked = [max(1, group.base + int(group.ratio * len(sources[n].ids))) for n in chosen]
            limits = [min(number, model.encoder.steps) for number in asked]
            return model.answer([sources[n] for n in chosen], limits, compute)

        for chosen, answers in model.portions.answer(order, lambda n: len(sources[n]), say):
            for n, said in zip(chosen, answers, strict=True):
                out[n] = model.encoder.read(said, sources[n], sentences[n])
        return [out[n] for n in range(len(sentences))]
