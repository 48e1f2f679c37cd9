"""`gliner2`: spans are matched with the names of types, by a checkpoint as it is or after it has learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from cdner_bench import Corpus, Cut, Entity, Method, Prediction, RunContext, Sentence
from cdner_torch.batches import OneStream, blocks, mix, shuffle
from cdner_torch.compute import Compute
from cdner_torch.descent import move_network
from cdner_torch.judge import Judge
from cdner_torch.learner import NEVER, Learner
from cdner_torch.lengths import tell_long
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule
from cdner_torch.tagging.sources import draw

from . import checkpoint
from .names import name_types
from .options import Gliner2Options
from .reading import Reader, Stretch

WARMUP, LONGEST_STEP, DECAY = 0.1, 1.0, 0.01
"""The package's trainer: the share of steps in which the rate rises, the norm that gradients are cut to, and the decay
of weights.
"""


class Gliner2(Method):
    """A GLiNER2, zero-shot or fine-tuned with the package's own loss."""

    Options = Gliner2Options
    options: Gliner2Options

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """See the options. Raises `NotRunError` where the weights cannot be had, and `DataError` for a type that cannot
        be asked for.
        """
        o = self.options
        named = name_types(target)
        folder = checkpoint.find(run.backbone(o.backbone))
        if o.finetuning.transfer == "pretrain-finetune" and sources:
            folder = self._learn_sources(folder, sources, run)
        if o.finetuning.transfer != "none":
            folder = run.stage("target", partial(self._learn_target, folder, target, run))
        self._open(folder, named, run)
        size = sum(p.numel() for p in self.network.parameters())
        learnt = 0 if o.finetuning.transfer == "none" else size
        precision = self._compute(run).resolved if learnt else "fp32"
        run.describe(backbone=o.backbone, trained=learnt, total=size, precision=precision)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """In float32, of each sentence the most probable spans that do not overlap."""
        for block in blocks(sentences, 256):
            yield from answer(self.network, self.reader, block, self.named, self.options.answering.threshold)

    def save(self, folder: Path) -> None:
        """A checkpoint as the package reads it."""
        checkpoint.describe(self.network, folder)
        checkpoint.keep(self.network, folder)

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        self._open(checkpoint.find(str(folder)), name_types(Corpus("target", tuple(types))), run)

    def _open(self, folder: Path, named: Mapping[str, str], run: RunContext) -> None:
        self.named = named
        self.network = move_network(checkpoint.load(folder), run.device, Pupil.relief)
        self.reader = Reader(self.network)

    def _compute(self, run: RunContext) -> Compute:
        return Compute(run.device, self.options.network.precision)

    def _learn_sources(self, start: Path, sources: Sequence[Corpus], run: RunContext) -> Path:
        """The stage of the sources, each learnt by the names of its own types; targets share it."""
        o = self.options
        drawn = draw(sources, o.source.sentences, run.seed)
        schedule = self._schedule(o.source.epochs, o.source.learning_rate, decay=False)
        key = {
            "network": o.network,
            "precision": self._compute(run).resolved,
            "finetuning": o.finetuning,
            "source": o.source,
            "corpora": [corpus.fingerprint() for corpus in sources],
        }
        return run.stage("source", lambda place: self._learn(start, drawn, schedule, "source", place, run), key)

    def _learn_target(self, start: Path, target: Corpus, run: RunContext, place: Path) -> None:
        group, dev = self.options.target, self.options.dev
        decay = group.schedule == "linear"
        schedule = self._schedule(group.epochs, group.learning_rate, dev.every, group.patience, decay=decay)
        self._learn(start, [target], schedule, "target", place, run, target.dev[: dev.sentences])

    def _schedule(
        self, epochs: int, rate: float, dev_every: int = 1, patience: int | None = None, *, decay: bool
    ) -> Schedule:
        size = self.options.finetuning.batch_size
        return Schedule(epochs, size, rate, dev_every, patience, decay, warmup=WARMUP, max_norm=LONGEST_STEP)

    def _learn(
        self,
        start: Path,
        corpora: Sequence[Corpus],
        schedule: Schedule,
        phase: str,
        place: Path,
        run: RunContext,
        dev: Sequence[Sentence] = (),
    ) -> None:
        """Train a checkpoint on corpora, and leave one in `place`. With sentences of dev, which are the last corpus's,
        the best on them is kept.
        """
        o = self.options
        network = move_network(checkpoint.load(start), run.device, Pupil.relief)
        checkpoint.describe(network, place)
        torch.manual_seed(run.seed)
        if o.finetuning.dropout is not None:
            for module in network.encoder.modules():
                if isinstance(module, nn.Dropout):
                    module.p = o.finetuning.dropout
        reader = Reader(network)
        named = [name_types(corpus) for corpus in corpora]
        # Of a domain without types there is nothing to learn, and the loss of its sentences has no gradient.
        pools = [
            reader.read(corpus.train if names else (), names) for corpus, names in zip(corpora, named, strict=True)
        ]
        for corpus, pool in zip(corpora, pools, strict=True):
            _tell_limits(corpus, pool, network, run)

        def mixture(generator: torch.Generator) -> list[list[Stretch]]:
            return shuffle(mix(pools, generator, sqrt=o.source.sampling == "sqrt"), schedule.batch_size, generator)

        def say(asked: Sequence[Sentence]) -> list[Prediction]:
            return answer(network, reader, asked, named[-1], o.answering.threshold)

        pupil = Pupil(network, self._compute(run), o.finetuning.pace)
        paced = replace(schedule, optimizer=pupil.optimize)
        train(pupil, OneStream(mixture, run.seed), paced, phase, run, place, Judge(dev, say) if dev else None)


class Pupil(Learner[Stretch]):
    """A GLiNER2 that learns where the entities of each type are, by the package's loss."""

    spare = NEVER  # a stretch is mostly the names of types, which all of a batch have

    def __init__(self, network: Any, compute: Compute, pace: float) -> None:
        self.network, self.compute, self.pace = network, compute, pace

    def loss(self, items: Sequence[Stretch]) -> Tensor:
        """The loss of a `span` checkpoint is a sum over stretches; that of a `boundary` checkpoint is a mean, which
        counts for as many stretches as it is of.
        """
        batch = self.network.processor.collate_fn_inference(
            [(item.text, item.schema) for item in items],
            error_policy="raise",
            architecture=self.network.architecture,
            build_targets=True,
            on_capacity_exceeded="truncate_with_warning",
            dedupe_contained_entity_spans=False,
        )
        with self.compute.autocast():
            said = self.network(batch)
        if said["batch_size"] != len(items):  # it goes on without a sentence that fails
            raise RuntimeError(f"gliner2 left out {len(items) - said['batch_size']} of {len(items)} sentences")
        total: Tensor = said["total_loss"]
        return total if self.network.architecture == "span" else total * len(items)

    def terms(self, items: Sequence[Stretch]) -> int:
        """How many stretches there are."""
        return len(items)

    def keep(self, folder: Path) -> None:
        """Leave the weights beside what `checkpoint.describe` wrote."""
        checkpoint.keep(self.network, folder)

    def optimize(self, parameters: Sequence[Parameter], rate: float) -> Paced:
        """An optimizer in which the encoder learns at the rate of the schedule, and the heads `pace` times faster."""
        encoder = set(map(id, self.network.encoder.parameters()))
        slow = [p for p in parameters if id(p) in encoder]
        fast = [p for p in parameters if id(p) not in encoder]
        groups = [{"params": slow, "pace": 1.0}, {"params": fast, "pace": self.pace}]
        return Paced(groups, lr=rate, weight_decay=DECAY, fused=True)


class Paced(torch.optim.AdamW):
    """AdamW of which each group of weights learns at a multiple, its `pace`, of the rate that is set for a step."""

    def step(self, closure: Any = None) -> Any:
        """One step; the training loop sets the rate before each."""
        for group in self.param_groups:
            group["lr"] *= group["pace"]
        return super().step(closure)


def answer(
    network: Any, reader: Reader, sentences: Sequence[Sentence], named: Mapping[str, str], threshold: float
) -> list[Prediction]:
    """What a model says of sentences. Of spans that overlap, whatever their types, the most probable stays; of those
    that are equally probable, the first.
    """
    said: list[list[tuple[float, Entity]]] = [[] for _ in sentences]
    read = reader.read([s.unlabeled() for s in sentences], named)

    def say(group: Sequence[Stretch]) -> list[dict[str, Any]]:
        return network.batch_extract(  # type: ignore[no-any-return]
            [stretch.text for stretch in group],
            [stretch.schema for stretch in group],
            batch_size=len(group),
            threshold=threshold,
            format_results=False,
            include_confidence=True,
            include_spans=True,
            overlap_policy="allow",
        )

    longest_first = sorted(read, key=lambda stretch: -len(stretch))
    for group, answers in reader.portions.answer(longest_first, len, say):
        for stretch, spans in zip(group, answers, strict=True):
            for name, found in chain.from_iterable(asked.items() for asked in spans.get("entities", ())):
                for span in found:
                    if place := stretch.place(span):
                        said[stretch.sentence].append((span["confidence"], Entity(*place, named[name])))
    cut = {stretch.sentence for stretch in read if stretch.cut}
    return [
        Prediction(sentence.id, choose(found), cut=(Cut.PROMPT,) if n in cut else ())
        for n, (sentence, found) in enumerate(zip(sentences, said, strict=True))
    ]


def choose(found: Sequence[tuple[float, Entity]]) -> tuple[Entity, ...]:
    """Of entities with their probabilities, those that overlap with no more probable one that was chosen, in order."""
    chosen: list[Entity] = []
    for _, entity in sorted(found, key=lambda pair: (-pair[0], pair[1])):
        if all(entity.end <= other.start or other.end <= entity.start for other in chosen):
            chosen.append(entity)
    return tuple(sorted(chosen))


def _tell_limits(corpus: Corpus, pool: Sequence[Stretch], network: Any, run: RunContext) -> None:
    """Tell the user which sentences are read in parts, and which entities are too long for a `span` checkpoint."""
    parts = Counter(stretch.sentence for stretch in pool)
    beyond = [count > 1 for count in parts.values()]
    tell_long(run, f"{corpus.name} train", beyond, "are read in stretches that overlap")
    width = getattr(network, "max_width", None)
    lengths = [e.end - e.start for s in corpus.train for e in s.entities]
    if width is not None and (lost := sum(length > width for length in lengths)):
        said = f"{lost:,} of {len(lengths):,} entities have more words than a span of this backbone, {width}"
        run.note(f"{corpus.name} train: {said}")
