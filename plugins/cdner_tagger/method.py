"""`bert-tagger` and `bert-gtok`: pre-train on the source domains, fine-tune on the target, keep the best on dev."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from cdner_bench import (
    Corpus,
    Method,
    NotRunError,
    Prediction,
    RunContext,
    Sentence,
    digest,
    gtok,
)
from cdner_torch.batches import blocks
from cdner_torch.judge import Judge
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule
from cdner_torch.tagging.encoding import Reader
from cdner_torch.tagging.model import Tagger, bio_labels, load_encoder, load_reader, load_tagger, save_tagger
from cdner_torch.tagging.sources import Sources, draw, unite_types
from cdner_torch.tagging.training import Pupil, Tagging, decode, draw_from

from . import mlm
from .options import TaggerOptions


class BertTagger(Method):
    """Token classification with first-sub-word labels (CrossNER's BertTagger; TOPT's Table 9 with GTOK)."""

    Options = TaggerOptions
    options: TaggerOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """See the options. The source model is kept and shared by every target that starts from the same point."""
        o = self.options
        self.backbone = run.backbone(o.backbone)
        self._open(load_reader(self.backbone), run)
        drawn = draw(sources, o.source.sentences, run.seed)
        self.reader.tell_lengths([*drawn, target], run)
        encoder, origin = self._encoder(target, run)
        if o.finetuning.transfer == "pretrain-finetune" and sources:
            corpora = [corpus.fingerprint() for corpus in sources]
            key = {**origin, "finetuning": o.finetuning, "source": o.source, "corpora": corpora}
            pooled = Sources(drawn, o.source, o.finetuning, self.reader)
            folder = run.stage("source", lambda place: pooled.learn(encoder(), self.compute, place, run), key)
            start = partial(load_tagger, folder)
        else:
            start = partial(_untrained, encoder)
        joint = drawn if o.finetuning.transfer == "joint" else ()
        place = run.stage("target", lambda place: self._learn_target(start(), target, joint, place, run))
        self.tagger = load_tagger(place).relabelled(bio_labels(target.types))
        size = sum(p.numel() for p in self.tagger.parameters())
        run.describe(backbone=o.backbone, trained=size, total=size, precision=self.compute.resolved)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """In float32, so that a sentence's tags do not depend on its neighbours in a batch."""
        exact = replace(self.compute, precision="fp32")
        for block in blocks(sentences, 256):
            yield from self._decode(self.tagger, block, exact)

    def save(self, folder: Path) -> None:
        """The tagger and its tokenizer: nothing of the backbone is needed any more."""
        save_tagger(self.tagger, folder)
        self.reader.tokenizer.save_pretrained(folder)

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        self._open(load_reader(str(folder)), run)
        self.tagger = load_tagger(folder)

    def _open(self, reader: Reader, run: RunContext) -> None:
        self.reader = reader
        self.compute = Tagging(run.device, self.options.network.precision, reader.tokenizer.pad_token_id or 0)

    def _encoder(self, target: Corpus, run: RunContext) -> tuple[Callable[[], Any], dict[str, object]]:
        """What makes the encoder to start from, and what identifies it."""
        o = self.options
        origin: dict[str, object] = {
            "pretraining": o.pretraining,
            "network": o.network,
            "precision": self.compute.resolved,
            "mlm": o.mlm,
        }
        if o.pretraining == "none":
            return partial(load_encoder, self.backbone), origin
        corpus = target.resources.get("gtok")
        if corpus is None:
            raise NotRunError("pretraining=gtok needs a GTOK corpus", hint="run --method bert-gtok, which asks for one")
        texts = [e.text for e in gtok.read(corpus, target)]
        run.learn_from("gtok")
        folder = run.stage(
            "mlm",
            lambda place: mlm.pretrain(self.backbone, self.reader.tokenizer, texts, o.mlm, place, run, self.compute),
            {**origin, "gtok": digest(texts)},
        )
        return partial(load_encoder, str(folder)), {**origin, "start": folder.name}

    def _learn_target(
        self, start: Tagger, target: Corpus, joint: Sequence[Corpus], place: Path, run: RunContext
    ) -> None:
        o = self.options
        torch.manual_seed(run.seed)
        domains = [target, *joint]
        if joint:
            labels = bio_labels(unite_types(domains))
            tagger = Tagger(start.encoder, labels, [bio_labels(c.types) for c in domains])
        else:
            tagger = start.relabelled(bio_labels(target.types))
        pool = self.reader.read(target.train, tagger.labels) * (o.target.joint_repeats if joint else 1)
        for domain, corpus in enumerate(joint, start=1):
            pool += self.reader.read(corpus.train, tagger.labels, domain)

        judge = Judge(target.dev[: o.dev.sentences], lambda dev: self._decode(tagger, dev, self.compute))
        tagger.set_dropout(o.finetuning.dropout)
        data = draw_from([pool], o.finetuning.batch_size, run.seed, sqrt=False)
        group, decay = o.target, o.target.schedule == "linear"
        schedule = Schedule(
            group.epochs, o.finetuning.batch_size, group.learning_rate, o.dev.every, group.patience, decay
        )
        train(Pupil(tagger, self.compute), data, schedule, "target", run, place, judge)

    def _decode(self, tagger: Tagger, sentences: Sequence[Sentence], compute: Tagging) -> list[Prediction]:
        return decode(tagger, sentences, self.reader.read(sentences), compute)


def _untrained(encoder: Callable[[], Any]) -> Tagger:
    return Tagger(encoder(), ["O"], [["O"]])
