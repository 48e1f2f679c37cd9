"""`lst-ner`: learn the sources, see in them how the target's labels lie to each other, learn the target by that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cdner_bench import Corpus, RunContext
from cdner_torch.judge import Judge
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule
from cdner_torch.tagging.encoding import Window
from cdner_torch.tagging.method import TaggerMethod
from cdner_torch.tagging.model import Make, Tagger, bio_labels, load_encoder, load_tagger
from cdner_torch.tagging.sources import Sources, draw
from cdner_torch.tagging.training import draw_from

from .model import GraphPupil, LabelGraphTagger, survey
from .options import LstOptions


class LstNer(TaggerMethod):
    """Label structure transfer (Zheng et al., Findings of ACL 2022)."""

    Options = LstOptions
    options: LstOptions

    @property
    def make(self) -> Make:
        """Makes the tagger that is trained."""
        return LabelGraphTagger

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """Two stages (source, target). The first is kept and shared by every target."""
        o = self.options
        place = run.backbone(o.backbone)
        self.open(place, run)
        drawn = draw(sources, o.source.sentences, run.seed)
        self.reader.tell_lengths([*drawn, target], run)
        learnt = None
        if sources:
            key = {
                "network": o.network,
                "precision": self.compute.resolved,
                "finetuning": o.finetuning,
                "source": o.source,
                "corpora": [corpus.fingerprint() for corpus in sources],
            }
            pooled = Sources(drawn, o.source, o.finetuning, self.reader)
            learnt = run.stage(
                "source", lambda folder: pooled.learn(load_encoder(place), self.compute, folder, run), key
            )
        else:
            run.note("no source domain: the target's labels have no graph, and none is matched")

        def learn(folder: Path) -> None:
            self._learn_target(load_tagger(learnt) if learnt else load_encoder(place), target, folder, run)

        self.tagger = load_tagger(run.stage("target", learn), self.make)
        self.describe(run)

    def _learn_target(self, start: Any, target: Corpus, place: Path, run: RunContext) -> None:
        """From the tagger that has learnt the sources, or from an encoder."""
        o = self.options
        torch.manual_seed(run.seed)
        labels = bio_labels(target.types)
        pool = self.reader.read(target.train, labels)
        if isinstance(start, Tagger):
            tagger = LabelGraphTagger(start.encoder, labels, [labels])
            tagger.connect(self._survey(start, pool, labels), o.graph.reach)
            tagger.head = start.relabelled(labels).head
        else:
            tagger = LabelGraphTagger(start, labels, [labels])
        tagger.nodes.data.copy_(self._survey(tagger, pool, labels))
        tagger.set_dropout(o.finetuning.dropout)
        judge = Judge(target.dev[: o.dev.sentences], lambda dev: self.decode(tagger, dev, self.compute))
        group, size = o.target, o.finetuning.batch_size
        schedule = Schedule(
            group.epochs,
            size,
            group.learning_rate,
            o.dev.every,
            group.patience,
            decay=group.schedule == "linear",
            warmup=group.warmup,
            max_norm=group.clip,
        )
        data = draw_from([pool], size, run.seed, sqrt=False)
        train(GraphPupil(tagger, self.compute, o.graph), data, schedule, "target", run, place, judge)

    def _survey(self, tagger: Tagger, pool: Sequence[Window], labels: Sequence[str]) -> Tensor:
        return survey(tagger, pool, len(labels), self.compute, self.options.graph.temperature)
