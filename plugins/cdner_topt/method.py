"""TOPT: task-oriented pre-training, then text-to-text transfer from the source domains to the target."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import torch

from cdner_bench import (
    Corpus,
    CorpusName,
    Method,
    OptionError,
    Prediction,
    RunContext,
    Sentence,
    digest,
    gtok,
    sha256,
    text2text,
)
from cdner_torch import backbones
from cdner_torch.batches import Data, InMemory, Streamed, blocks, draw_source
from cdner_torch.compute import Compute
from cdner_torch.generators import Backbone, Example, read_all
from cdner_torch.judge import Judge
from cdner_torch.lengths import TokenLimits, tell_lengths, tell_text, tell_uncarried
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule
from cdner_torch.weights import restore

from . import merging, mslm
from .options import Source, Target, ToptOptions

_Gaps = Callable[[Backbone, int], Data[Example]]
"""Makes stage M's data for a model and a seed."""

_Stage = Source | Target
"""The options of stage S, on a source or on the target."""


class Topt(Method):
    """Text-to-text transfer after masked-span pre-training: `topt`, `topt-no-gtok` and `topt-dapt`."""

    Options = ToptOptions
    options: ToptOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """Three stages (mslm, source, target). The first two are kept and shared by all that start from the same."""
        o = self.options
        self.compute = Compute(run.device, o.network.precision)
        self.place = run.backbone(o.backbone)
        self.types = target.types
        drawn = [*(self._draw(source, run) for source in sources), target]
        self._tell_limits(drawn, run)
        start = self._pretrain(target, run)
        folders = [self._learn_source(start, source, run) for source in sources]
        folder = run.stage("target", lambda place: self._learn_target(start, folders, target, place, run))
        self.model = self._model(folder)
        size = self.model.size()
        run.describe(backbone=o.backbone, trained=size, total=size, precision=self.compute.resolved)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """Greedy, in float32, so that an answer depends on its neighbours in a batch by rounding only."""
        exact = replace(self.compute, precision="fp32")
        for block in blocks(sentences, 512):
            yield from self._answered(self.model, block, self.types, exact, run.seed)

    def save(self, folder: Path) -> None:
        """The whole model with its tokenizer: nothing of the backbone is needed any more."""
        backbones.keep(self.model, folder)

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        self.compute = Compute(run.device, self.options.network.precision)
        self.types = tuple(types)
        self.model = backbones.load_kept(folder, self.compute, self._limits)

    def _pretrain(self, target: Corpus, run: RunContext) -> Path | None:
        """Stage M: the folder of the weights to begin stage S from, None for the backbone's own."""
        o = self.options
        if o.pretraining == "none":
            return None
        if o.pretraining == "dapt":
            path = self._resource("dapt", target)
            return self._learn_gaps(None, {"dapt": sha256(path)}, partial(self._lines, path, run), run)
        start, chosen = None, o.mslm
        if not (chosen.gtok or chosen.cumulative_gtok):
            name = CorpusName("gtok", chosen.gtok_mix, chosen.gtok_mix_unit) if chosen.gtok_mix else CorpusName("gtok")
            run.learn_from(str(name), chosen.gtok_folder if chosen.gtok_mix else None)
        for corpus in self.explanations(target, run.seed):
            read = digest([(e.span, e.type, e.text) for e in corpus])
            start = self._learn_gaps(start, {"gtok": read}, partial(self._masked, corpus, run), run)
        return start

    def _learn_gaps(self, start: Path | None, read: Mapping[str, object], data: _Gaps, run: RunContext) -> Path:
        """Stage M on one corpus, which `read` identifies."""
        group = self.options.mslm

        def build(place: Path) -> None:
            model = self._model(start)
            schedule = Schedule(group.epochs, group.batch_size, group.learning_rate)
            torch.manual_seed(run.seed)
            train(model, data(model, run.seed), schedule, "mslm", run, place)

        return run.stage("mslm", build, {**self._begun(start), **read})

    def _begun(self, start: Path | None) -> dict[str, object]:
        """What identifies the model that a stage begins with: that of another stage by its folder, the name of which is
        the hash of all that it was made from.
        """
        o = self.options
        return {
            "start": start and start.name,
            "pretraining": o.pretraining,
            "network": o.network,
            "precision": self.compute.resolved,
            "mslm": o.mslm,
        }

    def _masked(
        self, corpus: Sequence[gtok.Explanation], run: RunContext, model: Backbone, seed: int
    ) -> InMemory[Example]:
        masking = self._masking(seed)
        seen = [mslm.shorten(e, model) for e in corpus]
        cut = sum(len(s.text.split()) < len(e.text.split()) for s, e in zip(seen, corpus, strict=True))
        if cut:
            room = self.options.network.max_source
            run.note(f"{cut:,} of {len(corpus):,} explanations are learnt without their ends: {room} sub-words fit")

        @lru_cache(maxsize=1)
        def draw(epoch: int) -> list[Example]:
            pairs = [pair for n, e in enumerate(seen) for pair in mslm.copies(e, n, masking, epoch)]
            return model.encode(pairs)

        group = self.options.mslm
        return InMemory(draw if group.masks == "dynamic" else lambda _: draw(0), group.batch_size, seed)

    def _lines(self, path: Path, run: RunContext, model: Backbone, seed: int) -> Streamed[tuple[str, str], Example]:
        group, masking = self.options.mslm, self._masking(seed)
        budget = group.dapt_tokens
        count = tell_text(path, budget, "mslm.dapt_tokens", group.epochs, run, model.fit)

        def pairs(epoch: int) -> Iterator[tuple[str, str]]:
            return mslm.line_copies(path, masking, budget, epoch if group.masks == "dynamic" else 0, model.fit)

        return Streamed(pairs, count, model.encode, group.batch_size, seed)

    def _masking(self, seed: int) -> mslm.Masking:
        o = self.options.mslm
        return mslm.Masking(o.masked_copies, o.mask_probability, o.entity_mask, o.legacy_sentinel, seed)

    def explanations(self, target: Corpus, seed: int) -> list[list[gtok.Explanation]]:
        """The corpora to learn from, one after the other; the last is the target's."""
        o = self.options.mslm
        own = gtok.read(o.gtok or self._resource("gtok", target), target)
        if not (o.gtok_mix or o.cumulative_gtok):
            return [own]
        if o.gtok_mix and o.cumulative_gtok:
            raise OptionError("mslm.gtok_mix and mslm.cumulative_gtok do not go together", hint="leave one of them out")
        if o.gtok_folder is None or not (o.gtok_folder / f"{target.name}.json").is_file():
            option = "mslm.cumulative_gtok" if o.cumulative_gtok else "mslm.gtok_mix"
            raise OptionError(
                f"{option} needs the explanations of all domains",
                hint=f"name the folder that holds {target.name}.json and the others: -o mslm.gtok_folder=PATH",
            )
        others = {p.stem: p for p in sorted(o.gtok_folder.glob("*.json")) if p.stem != target.name}
        if o.cumulative_gtok:
            return [*[gtok.read(p, target, own=False) for name, p in others.items() if name < target.name], own]
        for path in others.values():
            gtok.read(path, target, own=False)
        pool = [record for path in others.values() for record in gtok.records(path)]
        added = gtok.mixed_in(pool, o.gtok_mix, seed, o.gtok_mix_unit)
        return [own + [e for record in added for e in record.explanations]]

    def _learn_source(self, start: Path | None, source: Corpus, run: RunContext) -> Path:
        """Stage S on one source domain, from the pre-trained weights."""
        o = self.options
        key = {**self._begun(start), "finetuning": o.finetuning, "source": o.source, "corpus": source.fingerprint()}
        if o.source.select == "dev":
            key |= {"dev": o.dev, "decoding": o.decoding}

        def build(place: Path) -> None:
            self._finetune(self._model(start), self._draw(source, run), o.source, f"source {source.name}", place, run)

        return run.stage("source", build, key)

    def _draw(self, source: Corpus, run: RunContext) -> Corpus:
        group, generator = self.options.source, torch.Generator().manual_seed(run.seed)
        return draw_source(source, group.sentences, generator, dev=group.select == "dev")

    def _tell_limits(self, corpora: Sequence[Corpus], run: RunContext) -> None:
        frame = backbones.read_frame(self.place)
        tell_uncarried(corpora, frame.tokenizer, run)
        room = frame.kind.measure(frame.tokenizer, frame.config, self._limits)
        tell_lengths(corpora, lambda s, c: self.prompt(s, c.types, run.seed), frame.tokenizer, room, run)

    def _learn_target(
        self, start: Path | None, sources: Sequence[Path], target: Corpus, place: Path, run: RunContext
    ) -> None:
        """Stage S on the target, from the mean of the sources or from the pre-trained weights, and the merge."""
        group = self.options.target
        model = self._model(start)
        if sources and group.merge != "alg1":
            model.load(merging.mean(sources))
        self._finetune(model, target, group, "target", place, run)
        if sources and group.merge != "none":
            model.load(merging.merged(restore(place), merging.mean(sources)))
            model.keep(place)

    def _finetune(
        self, model: Backbone, corpus: Corpus, group: _Stage, phase: str, place: Path, run: RunContext
    ) -> None:
        o = self.options
        pairs = [(self.prompt(s, corpus.types, run.seed), text2text.answer(s)) for s in corpus.train]
        examples = model.encode(pairs)
        data = InMemory(lambda _: examples, o.finetuning.batch_size, run.seed)

        def answer(sentences: Sequence[Sentence]) -> list[Prediction]:
            return self._answered(model, sentences, corpus.types, self.compute, run.seed)

        judge = Judge(corpus.dev[: o.dev.sentences], answer) if group.select == "dev" else None
        schedule = Schedule(group.epochs, o.finetuning.batch_size, group.learning_rate, o.dev.every)
        torch.manual_seed(run.seed)
        train(model, data, schedule, phase, run, place, judge)

    @property
    def _limits(self) -> TokenLimits:
        o = self.options
        return TokenLimits(o.network.max_source, o.network.max_target, o.decoding.max_answer)

    def _model(self, start: Path | None) -> Backbone:
        """The backbone, with the weights that a stage left in its folder if there is one."""
        o = self.options
        model = backbones.load(self.place, self.compute, self._limits, o.network.dropout)
        if o.pretraining != "none":
            mslm.need_sentinels(model, add=o.mslm.add_sentinels)
        if start is not None:
            model.load(restore(start))
        return model

    def _answered(
        self, model: Backbone, sentences: Sequence[Sentence], types: Sequence[str], compute: Compute, seed: int
    ) -> list[Prediction]:
        prompts = [self.prompt(s, types, seed) for s in sentences]
        return read_all(model, sentences, prompts, types, compute, self.options.decoding.answers)

    def prompt(self, sentence: Sentence, types: Sequence[str], seed: int) -> str:
        """A random order of the options is drawn for each sentence, so that a resumed run sees the same."""
        order = random.Random(f"{seed}/{sentence.text}") if self.options.finetuning.option_order == "random" else None
        return text2text.prompt(sentence, types, order)

    def _resource(self, name: str, target: Corpus) -> Path:
        if name not in target.resources:
            method = {"gtok": "topt", "dapt": "topt-dapt"}[name]
            raise OptionError(f"pretraining={name} needs the {name} corpus", hint=f"run --method {method}")
        return target.resources[name]
