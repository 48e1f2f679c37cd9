"""`cp-ner`: a prefix for each domain on a frozen text-to-text model, then the target's with those of the sources."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from cdner_bench import Corpus, Method, OptionError, Prediction, RunContext, Sentence
from cdner_torch import backbones, prefixes
from cdner_torch.batches import InMemory, blocks, draw_source
from cdner_torch.compute import Compute
from cdner_torch.generators import Backbone, Example, read_all
from cdner_torch.judge import Judge
from cdner_torch.lengths import TokenLimits, tell_lengths, tell_uncarried
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule
from cdner_torch.tokens import add_special
from cdner_torch.weights import restore

from . import mixing, spots
from .options import CpNerOptions


class CpNer(Method):
    """Collaborative domain-prefix tuning (CP-NER)."""

    Options = CpNerOptions
    options: CpNerOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """A prefix for each source and for the target, which are kept and shared; then the target once more, with what
        the sources' prefixes bring.
        """
        o = self.options
        if o.finetuning.wording == "spots" and o.decoding.answers == "spans":
            raise OptionError(
                "decoding.answers=spans allows items only, and finetuning.wording=spots says no items",
                hint="add -o finetuning.wording=items, or leave decoding.answers=free",
            )
        self.place = self._find_backbone(run)
        self.types = target.types
        drawn = [*(self._draw(source, run) for source in sources), target]
        frame = backbones.read_frame(self.place)
        wording = self.wording
        add_special(frame.tokenizer, wording.marks)
        tell_uncarried(drawn, frame.tokenizer, run, write=wording.answer, understand=wording.read, shown=wording.marks)
        room = frame.kind.measure(frame.tokenizer, frame.config, self._limits)
        tell_lengths(drawn, lambda s, c: wording.ask(s, c.types), frame.tokenizer, room, run, wording.answer)
        places = [self._learn_source(source, run) for source in sources]
        own = self._learn_own(target, run)
        if sources:
            folder = run.stage("target", lambda place: self._learn_target(own, places, sources, target, place, run))
            self.model = self._combine(own, places, sources, target, run)
            self.model.load(restore(folder))
        else:
            self.model = self._begin(own, run)
        trained, size = sum(p.numel() for _, p in self.model.learnt()), self.model.size()
        self._settle()
        run.describe(backbone=o.backbone, trained=trained, total=size, precision=self.compute.resolved)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """Greedy, in float32, so that an answer depends on its neighbours in a batch by rounding only."""
        exact = replace(self.compute, precision="fp32")
        for block in blocks(sentences, 512):
            yield from self._answered(self.model, block, self.types, exact)

    def save(self, folder: Path) -> None:
        """The prefix that answers and the embeddings, without the backbone, which `load` needs too."""
        self.model.keep(folder)

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        self.place = self._find_backbone(run)
        self.types = tuple(types)
        self.model = self._begin(None, run)
        self._settle()
        self.model.load(restore(folder))

    @property
    def wording(self) -> spots.Wording:
        """What is read and said."""
        return spots.WORDINGS[self.options.finetuning.wording]

    @property
    def _limits(self) -> TokenLimits:
        o = self.options
        return TokenLimits(o.network.max_source, o.network.max_target, o.decoding.max_answer)

    def _find_backbone(self, run: RunContext) -> str:
        self.compute = Compute(run.device, self.options.network.precision)
        place = run.backbone(self.options.backbone)
        prefixes.check(place, backbones.read_frame(place).config)
        return place

    def _begin(self, start: Path | None, run: RunContext) -> Backbone:
        """The frozen backbone with a prefix: what a stage left in its folder, or one that has learnt nothing."""
        o = self.options
        model = backbones.load(self.place, self.compute, self._limits, o.network.dropout)
        torch.manual_seed(run.seed)
        if missing := model.missing(self.wording.marks):
            model.add(missing)
        model.show(self.wording.marks)
        shapes = prefixes.measure(model.network)
        prefixes.attach(model.network, prefixes.Learnt(shapes, o.prefix.length, o.prefix.hidden, o.prefix.dropout))
        prefixes.freeze(model.network, embeddings=o.prefix.freeze_embeddings)
        if start is not None:
            model.load(restore(start))
        return model

    def _combine(
        self, own: Path, places: Sequence[Path], sources: Sequence[Corpus], target: Corpus, run: RunContext
    ) -> Backbone:
        """The target's model with the prefix to begin with: averaged with that of one source, weights by weights, or
        combined with those of several, keys and values by keys and values.
        """
        o = self.options
        model = self._begin(None, run)
        if len(places) == 1:
            model.load(mixing.mean(restore(own), restore(places[0])))
            return model
        fixed = []
        for place in places:  # by one backbone: it is the same below all of them
            model.load(restore(place))
            fixed.append(prefixes.fix(model.network.prefixes))
        model.load(restore(own))
        labels = mixing.share(_compare_labels(model, target, sources))
        torch.manual_seed(run.seed)
        combined = mixing.Combined(model.network.prefixes, fixed, labels, o.target.hidden)
        prefixes.attach(model.network, combined)
        prefixes.freeze(model.network, embeddings=o.prefix.freeze_embeddings)
        return model

    def _settle(self) -> None:
        """Leave of the prefix what it says, which is all that answering needs."""
        network = self.model.network
        prefixes.attach(network, prefixes.fix(network.prefixes))

    def _key(self, corpus: Corpus) -> dict[str, object]:
        o = self.options
        return {
            "network": o.network,
            "precision": self.compute.resolved,
            "prefix": o.prefix,
            "finetuning": o.finetuning,
            "corpus": corpus.fingerprint(),
        }

    def _learn_source(self, source: Corpus, run: RunContext) -> Path:
        o = self.options
        key = {**self._key(source), "source": o.source}
        if o.source.select == "dev":
            key |= {"dev": o.dev, "decoding": o.decoding}

        def build(place: Path) -> None:
            schedule = self._schedule(o.source.epochs, o.source.batch_size, o.source.learning_rate)
            self._learn(self._begin(None, run), self._draw(source, run), schedule, f"source {source.name}", place, run)

        return run.stage("source", build, key)

    def _learn_own(self, target: Corpus, run: RunContext) -> Path:
        o = self.options

        def build(place: Path) -> None:
            schedule = self._schedule(o.own.epochs, o.own.batch_size, o.own.learning_rate)
            self._learn(self._begin(None, run), target, schedule, "own", place, run)

        return run.stage("own", build, {**self._key(target), "own": o.own, "dev": o.dev, "decoding": o.decoding})

    def _learn_target(
        self,
        own: Path,
        places: Sequence[Path],
        sources: Sequence[Corpus],
        target: Corpus,
        place: Path,
        run: RunContext,
    ) -> None:
        group, alone = self.options.target, len(places) == 1
        schedule = self._schedule(
            group.epochs, group.batch_size or (4 if alone else 8), group.learning_rate or (5e-4 if alone else 4e-4)
        )
        self._learn(self._combine(own, places, sources, target, run), target, schedule, "target", place, run)

    def _schedule(self, epochs: int, batch_size: int, rate: float) -> Schedule:
        o = self.options
        group = o.finetuning
        return Schedule(
            epochs,
            batch_size,
            rate,
            o.dev.every,
            group.patience and group.patience * o.dev.every,
            warmup=group.warmup,
            max_norm=group.max_norm,
        )

    def _learn(
        self, model: Backbone, corpus: Corpus, schedule: Schedule, phase: str, place: Path, run: RunContext
    ) -> None:
        """Train on a domain's train split; the best epoch on its dev is kept, if it has one."""

        def answer(sentences: Sequence[Sentence]) -> list[Prediction]:
            return self._answered(model, sentences, corpus.types, self.compute)

        judge = Judge(corpus.dev[: self.options.dev.sentences], answer) if corpus.dev else None
        data = InMemory(self._examples(model, corpus, run.seed), schedule.batch_size, run.seed)
        torch.manual_seed(run.seed)
        train(model, data, schedule, phase, run, place, judge)

    def _examples(self, model: Backbone, corpus: Corpus, seed: int) -> Callable[[int], list[Example]]:
        """The examples of an epoch. Records of nothing are drawn anew in each."""
        group, wording = self.options.finetuning, self.wording
        asked = [wording.ask(s, corpus.types) for s in corpus.train]
        noisy = group.wording == "spots" and group.rejection > 0

        @lru_cache(maxsize=1)
        def draw(epoch: int) -> list[Example]:
            if noisy:
                dice = random.Random(f"{seed}/{epoch}")
                said = [spots.answer_noisily(s, corpus.types, group.rejection, dice) for s in corpus.train]
            else:
                said = [wording.answer(s) for s in corpus.train]
            return model.encode(list(zip(asked, said, strict=True)))

        return draw if noisy else lambda _: draw(0)

    def _draw(self, source: Corpus, run: RunContext) -> Corpus:
        group, generator = self.options.source, torch.Generator().manual_seed(run.seed)
        return draw_source(source, group.sentences, generator, dev=group.select == "dev")

    def _answered(
        self, model: Backbone, sentences: Sequence[Sentence], types: Sequence[str], compute: Compute
    ) -> list[Prediction]:
        wording = self.wording
        prompts = [wording.ask(s, types) for s in sentences]
        answers = self.options.decoding.answers
        return read_all(model, sentences, prompts, types, compute, answers, wording.read)


def _compare_labels(model: Backbone, target: Corpus, sources: Sequence[Corpus]) -> Tensor:
    """The cosine of the mean embeddings of the target's labels and of each source's."""
    weight = model.network.get_input_embeddings().weight.detach()

    def embed(corpus: Corpus) -> Tensor:
        names = [model.tokenizer(kind, add_special_tokens=False)["input_ids"] for kind in corpus.types]
        rows = [weight[ids].mean(0) for ids in names if ids]
        return torch.stack(rows or [torch.zeros_like(weight[0])]).mean(0)

    own = embed(target)
    return torch.stack([nn.functional.cosine_similarity(own, embed(source), dim=0) for source in sources])
