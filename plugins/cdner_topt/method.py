"""TOPT: task-oriented pre-training, then text-to-text transfer from the source domains to the target."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Lt
from pydantic import DirectoryPath, FilePath

from cdner_bench import (
    CdnerError,
    Corpus,
    Method,
    OptionError,
    Prediction,
    RunContext,
    Sentence,
    digest,
    gtok,
    sentence_counts,
    sha256,
    text2text,
    total,
)
from cdner_torch import backbones
from cdner_torch.batches import blocks, sample
from cdner_torch.compute import Compute, Precision
from cdner_torch.generators import Backbone, Example, Limits
from cdner_torch.training import Data, InMemory, Schedule, Streamed, train
from cdner_torch.weights import restored

from . import merging, mslm

Positive = Annotated[int, Gt(0)]
Natural = Annotated[int, Ge(0)]
Rate = Annotated[float, Gt(0), Lt(1)]


@dataclass(frozen=True)
class ToptOptions:
    """Defaults are the paper's or, where the two disagree, the released code's (docs/topt.md has the list).

    `pretraining`: MSLM on the target's `gtok` explanations, on `dapt` text, or `none`. `merge`: the target's model as
    it is (`none`); Algorithm 1, the target learnt from the pre-trained model and merged with the sources (`alg1`);
    learnt from the sources and merged with them (`seq+merge`). `gtok` is a file to take instead of the benchmark's;
    `gtok_folder` holds one file a domain: `gtok_mix` explanations of the other domains are added, or those of as many
    sentences (`gtok_mix_unit`), or, with `cumulative_gtok`, the domains are learnt one after the other up to the
    target, as the released script does.
    `masked_copies` is λ. `select`: the best epoch on dev, or the last. `dapt_tokens` and `source_sentences` cap what
    is learnt from, `dev_sentences` how much of dev is answered to choose the epoch; `dapt_tokens` counts words.
    """

    backbone: str = "google/flan-t5-base"
    pretraining: Literal["gtok", "dapt", "none"] = "gtok"
    merge: Literal["none", "alg1", "seq+merge"] = "none"
    gtok: FilePath | None = None
    gtok_folder: DirectoryPath | None = None
    gtok_mix: Natural = 0
    gtok_mix_unit: Literal["explanations", "sentences"] = "explanations"
    cumulative_gtok: bool = False
    dapt_tokens: Positive | None = None
    masked_copies: Positive = 10
    mask_probability: Rate = 0.15
    masks: Literal["static", "dynamic"] = "static"
    entity_mask: bool = True
    legacy_sentinel: bool = False
    add_sentinels: bool = False
    mslm_epochs: Positive = 25
    mslm_learning_rate: Rate = 1e-4
    mslm_batch_size: Positive = 4
    source_epochs: Positive = 25
    source_sentences: Positive | None = None
    source_learning_rate: Rate = 1e-4
    source_select: Literal["dev", "last"] = "last"
    epochs: Positive = 25
    learning_rate: Rate = 1e-4
    select: Literal["dev", "last"] = "dev"
    dev_every: Positive = 1
    dev_sentences: Positive | None = None
    batch_size: Positive = 8
    dropout: Annotated[float, Ge(0), Lt(1)] | None = None
    option_order: Literal["sorted", "random"] = "sorted"
    max_source: Positive = 256
    max_target: Positive = 256
    max_answer: Positive = 256
    precision: Precision = "auto"


# What determines a shared stage, besides its data and what it starts from.
_TRAINING = ("dropout", "max_source", "max_target")
_MSLM = (
    *_TRAINING, "mask_probability", "masks", "legacy_sentinel", "add_sentinels", "mslm_epochs", "mslm_learning_rate",
    "mslm_batch_size",
)  # fmt: skip
_GTOK = (*_MSLM, "masked_copies", "entity_mask")
_DAPT = (*_MSLM, "dapt_tokens")
_SOURCE = (
    *_TRAINING, "source_epochs", "source_sentences", "source_learning_rate", "source_select", "batch_size",
    "option_order",
)  # fmt: skip
_SELECTED_SOURCE = (*_SOURCE, "dev_every", "dev_sentences", "max_answer")


@dataclass(frozen=True)
class Start:
    """Weights to begin a stage from, and what identifies them: none are the backbone's own."""

    folder: Path | None = None
    key: tuple[object, ...] = ()


_Gaps = Callable[[Backbone, int], Data]
"""Makes stage M's data for a model and a seed."""


class Topt(Method):
    """`topt`, `topt-no-gtok` and `topt-dapt`."""

    Options = ToptOptions
    options: ToptOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """Three stages (mslm, source, target). The first two are kept and shared by all that start from the same."""
        o = self.options
        self.compute = Compute(run.device, o.precision)
        self.place = run.backbone(o.backbone)
        self.types = target.types
        start = self._pretrained(target, run)
        folders = [self._learn_source(start, source, run) for source in sources]
        folder = run.stage("target", lambda place: self._learn_target(start, folders, target, place, run))
        self.model = self._model(Start(folder))
        size = self.model.size()
        run.describe(backbone=o.backbone, trained=size, total=size, precision=self.compute.resolved)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """Greedy, in float32, so that an answer depends on its neighbours in a batch by rounding only."""
        exact = replace(self.compute, precision="fp32")
        for block in blocks(sentences, 512):
            yield from self._answered(self.model, block, self.types, exact, run.seed)

    def _pretrained(self, target: Corpus, run: RunContext) -> Start:
        """Stage M."""
        o = self.options
        if o.pretraining == "none":
            return Start()
        if o.pretraining == "dapt":
            path = self._resource("dapt", target)
            identity = {"dapt": sha256(path), **self._chosen(_DAPT)}
            return self._mslm(Start(), identity, partial(self._lines, path), run)
        start = Start()
        for corpus in self.explanations(target, run.seed):
            read = digest([(e.span, e.type, e.text) for e in corpus])
            start = self._mslm(start, {"gtok": read, **self._chosen(_GTOK)}, partial(self._masked, corpus), run)
        return start

    def _mslm(self, start: Start, identity: dict[str, object], data: _Gaps, run: RunContext) -> Start:
        key = (*start.key, {**identity, "precision": self.compute.resolved})
        folder = run.stage("mslm", lambda place: self._fill_gaps(start, data, place, run), {"made": key})
        return Start(folder, key)

    def _fill_gaps(self, start: Start, data: _Gaps, place: Path, run: RunContext) -> None:
        o = self.options
        model = self._model(start)
        schedule = Schedule(o.mslm_epochs, o.mslm_batch_size, o.mslm_learning_rate)
        train(model, data(model, run.seed), schedule, "mslm", run, place)

    def _masked(self, corpus: Sequence[gtok.Explanation], model: Backbone, seed: int) -> InMemory:
        masking = self._masking(seed)

        @lru_cache(maxsize=1)
        def draw(epoch: int) -> list[Example]:
            pairs = [pair for n, e in enumerate(corpus) for pair in mslm.copies(e, n, masking, epoch)]
            return model.encode(pairs)

        dynamic = self.options.masks == "dynamic"
        return InMemory(draw if dynamic else lambda _: draw(0), self.options.mslm_batch_size, seed)

    def _lines(self, path: Path, model: Backbone, seed: int) -> Streamed:
        budget, masking = self.options.dapt_tokens, self._masking(seed)
        dynamic = self.options.masks == "dynamic"
        count = sum(1 for _ in mslm.lines(path, budget))
        if not count:
            raise CdnerError(f"{path} holds no text" + (f" within dapt_tokens={budget}" if budget else ""))

        def pairs(epoch: int) -> Iterator[tuple[str, str]]:
            return mslm.line_copies(path, masking, budget, epoch if dynamic else 0)

        return Streamed(pairs, count, model, self.options.mslm_batch_size)

    def _masking(self, seed: int) -> mslm.Masking:
        o = self.options
        return mslm.Masking(o.masked_copies, o.mask_probability, o.entity_mask, o.legacy_sentinel, seed)

    def explanations(self, target: Corpus, seed: int) -> list[list[gtok.Explanation]]:
        """The corpora to learn from, one after the other; the last is the target's."""
        o = self.options
        own = gtok.read(o.gtok or self._resource("gtok", target), target)
        if not (o.gtok_mix or o.cumulative_gtok):
            return [own]
        if o.gtok_mix and o.cumulative_gtok:
            raise OptionError("gtok_mix and cumulative_gtok do not go together", hint="leave one of them out")
        if o.gtok_folder is None or not (o.gtok_folder / f"{target.name}.json").is_file():
            option = "cumulative_gtok" if o.cumulative_gtok else "gtok_mix"
            raise OptionError(
                f"{option} needs the explanations of all domains",
                hint=f"name the folder that holds {target.name}.json and the others: -o gtok_folder=PATH",
            )
        others = {p.stem: p for p in sorted(o.gtok_folder.glob("*.json")) if p.stem != target.name}
        if o.cumulative_gtok:
            return [*[gtok.read(p, target, own=False) for name, p in others.items() if name < target.name], own]
        for path in others.values():
            gtok.read(path, target, own=False)
        pool = [record for path in others.values() for record in gtok.records(path)]
        added = gtok.mixed_in(pool, o.gtok_mix, seed, o.gtok_mix_unit)
        return [own + [e for record in added for e in record.explanations]]

    def _learn_source(self, start: Start, source: Corpus, run: RunContext) -> Path:
        """Stage S on one source domain, from the pre-trained weights."""
        options = self._chosen(_SOURCE if self.options.source_select == "last" else _SELECTED_SOURCE)
        key = (*start.key, {"source": source.fingerprint(), **options, "precision": self.compute.resolved})

        def build(place: Path) -> None:
            o = self.options
            chosen = sample(source.train, o.source_sentences, torch.Generator().manual_seed(run.seed))
            corpus = replace(source, train=tuple(chosen))
            schedule = Schedule(o.source_epochs, o.batch_size, o.source_learning_rate, o.dev_every)
            self._finetune(self._model(start), corpus, schedule, o.source_select, f"source {source.name}", place, run)

        return run.stage("source", build, {"made": key})

    def _learn_target(
        self, start: Start, sources: Sequence[Path], target: Corpus, place: Path, run: RunContext
    ) -> None:
        """Stage S on the target, from the mean of the sources or from the pre-trained weights, and the merge."""
        o = self.options
        model = self._model(start)
        if sources and o.merge != "alg1":
            model.load(merging.mean(sources))
        schedule = Schedule(o.epochs, o.batch_size, o.learning_rate, o.dev_every)
        self._finetune(model, target, schedule, o.select, "target", place, run)
        if sources and o.merge != "none":
            model.load(merging.merged(restored(place), merging.mean(sources)))
            model.keep(place)

    def _finetune(
        self, model: Backbone, corpus: Corpus, schedule: Schedule, select: str, phase: str, place: Path, run: RunContext
    ) -> None:
        pairs = [(self.prompt(s, corpus.types, run.seed), text2text.answer(s)) for s in corpus.train]
        examples = model.encode(pairs)
        data = InMemory(lambda _: examples, schedule.batch_size, run.seed)

        dev = corpus.dev[: self.options.dev_sentences]

        def dev_f1() -> float:
            found = self._answered(model, dev, corpus.types, self.compute, run.seed)
            return total(map(sentence_counts, dev, found)).f1

        train(model, data, schedule, phase, run, place, dev_f1 if select == "dev" else None)

    def _model(self, start: Start) -> Backbone:
        o = self.options
        limits = Limits(o.max_source, o.max_target, o.max_answer)
        model = backbones.load(self.place, self.compute, limits, o.dropout)
        if o.pretraining != "none":
            mslm.need_sentinels(model, add=o.add_sentinels)
        if start.folder is not None:
            model.load(restored(start.folder))
        return model

    def _answered(
        self, model: Backbone, sentences: Sequence[Sentence], types: Sequence[str], compute: Compute, seed: int
    ) -> list[Prediction]:
        texts = model.answers([self.prompt(s, types, seed) for s in sentences], compute)
        return [text2text.read(text, s, types) for text, s in zip(texts, sentences, strict=True)]

    def prompt(self, sentence: Sentence, types: Sequence[str], seed: int) -> str:
        """A random order of the options is drawn for each sentence, so that a resumed run sees the same."""
        order = random.Random(f"{seed}/{sentence.text}") if self.options.option_order == "random" else None
        return text2text.prompt(sentence, types, order)

    def _chosen(self, names: Sequence[str]) -> dict[str, object]:
        return {name: getattr(self.options, name) for name in names}

    def _resource(self, name: str, target: Corpus) -> Path:
        if name not in target.resources:
            method = {"gtok": "topt", "dapt": "topt-dapt"}[name]
            raise OptionError(f"pretraining={name} needs the {name} corpus", hint=f"run --method {method}")
        return target.resources[name]
