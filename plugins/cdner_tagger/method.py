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
from cdner_torch.batches import blocks, sample
from cdner_torch.judge import Judge
from cdner_torch.lengths import tell_long
from cdner_torch.loop import train
from cdner_torch.schedule import Schedule

from . import mlm
from .encoding import Window, find_longer, windows
from .model import Tagger, bio_labels, length_limit, load_config, load_encoder, load_tagger, load_tokenizer, save_tagger
from .options import TaggerOptions
from .training import Pupil, Tagging, decode, draw_from


class BertTagger(Method):
    """Token classification with first-sub-word labels (CrossNER's BertTagger; TOPT's Table 9 with GTOK)."""

    Options = TaggerOptions
    options: TaggerOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """See the options. The source model is kept and shared by every target that starts from the same point."""
        o = self.options
        self.backbone = run.backbone(o.backbone)
        self.tokenizer = load_tokenizer(self.backbone)
        self.compute = Tagging(run.device, o.network.precision, self.tokenizer.pad_token_id or 0)
        drawn = self._draw(sources, run)
        self._tell_lengths([*drawn, target], run)
        encoder, origin = self._encoder(target, run)
        if o.finetuning.transfer == "pretrain-finetune" and sources:
            corpora = [corpus.fingerprint() for corpus in sources]
            key = {**origin, "finetuning": o.finetuning, "source": o.source, "corpora": corpora}
            folder = run.stage("source", lambda place: self._learn_sources(encoder(), drawn, place, run), key)
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
        self.tokenizer.save_pretrained(folder)

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        self.tokenizer = load_tokenizer(str(folder))
        self.compute = Tagging(run.device, self.options.network.precision, self.tokenizer.pad_token_id or 0)
        self.tagger = load_tagger(folder)

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
            lambda place: mlm.pretrain(self.backbone, self.tokenizer, texts, o.mlm, place, run, self.compute),
            {**origin, "gtok": digest(texts)},
        )
        return partial(load_encoder, str(folder)), {**origin, "start": folder.name}

    def _learn_sources(self, encoder: Any, sources: Sequence[Corpus], place: Path, run: RunContext) -> None:
        o = self.options
        torch.manual_seed(run.seed)
        types = sorted({kind for corpus in sources for kind in corpus.types})
        tagger = Tagger(encoder, bio_labels(types), [bio_labels(c.types) for c in sources])
        pools = [self._windows(corpus.train, tagger, n) for n, corpus in enumerate(sources)]
        tagger.set_dropout(o.finetuning.dropout)
        data = draw_from(pools, o.finetuning.batch_size, run.seed, sqrt=o.source.sampling == "sqrt")
        schedule = Schedule(o.source.epochs, o.finetuning.batch_size, o.source.learning_rate, decay=False)
        train(Pupil(tagger, self.compute), data, schedule, "source", run, place)

    def _learn_target(
        self, start: Tagger, target: Corpus, joint: Sequence[Corpus], place: Path, run: RunContext
    ) -> None:
        o = self.options
        torch.manual_seed(run.seed)
        domains = [target, *joint]
        if joint:
            labels = bio_labels(sorted({kind for corpus in domains for kind in corpus.types}))
            tagger = Tagger(start.encoder, labels, [bio_labels(c.types) for c in domains])
        else:
            tagger = start.relabelled(bio_labels(target.types))
        pool = self._windows(target.train, tagger, 0) * (o.target.joint_repeats if joint else 1)
        for domain, corpus in enumerate(joint, start=1):
            pool += self._windows(corpus.train, tagger, domain)

        judge = Judge(target.dev[: o.dev.sentences], lambda dev: self._decode(tagger, dev, self.compute))
        tagger.set_dropout(o.finetuning.dropout)
        data = draw_from([pool], o.finetuning.batch_size, run.seed, sqrt=False)
        group, decay = o.target, o.target.schedule == "linear"
        schedule = Schedule(
            group.epochs, o.finetuning.batch_size, group.learning_rate, o.dev.every, group.patience, decay
        )
        train(Pupil(tagger, self.compute), data, schedule, "target", run, place, judge)

    def _draw(self, sources: Sequence[Corpus], run: RunContext) -> list[Corpus]:
        """What is learnt of the source domains."""
        generator = torch.Generator().manual_seed(run.seed)
        return [replace(s, train=tuple(sample(s.train, self.options.source.sentences, generator))) for s in sources]

    def _tell_lengths(self, corpora: Sequence[Corpus], run: RunContext) -> None:
        limit = length_limit(load_config(self.backbone))
        for corpus in corpora:
            splits = {"train": corpus.train, "dev": corpus.dev if corpus is corpora[-1] else ()}
            for split, sentences in splits.items():
                beyond = find_longer(sentences, self.tokenizer, limit)
                tell_long(
                    run, f"{corpus.name} {split}", beyond, f"are read in stretches of {limit} sub-words that overlap"
                )

    def _windows(self, sentences: Sequence[Sentence], tagger: Tagger, domain: int) -> list[Window]:
        labels = {label: n for n, label in enumerate(tagger.labels)}
        return windows(sentences, self.tokenizer, length_limit(tagger.encoder.config), labels, domain)

    def _decode(self, tagger: Tagger, sentences: Sequence[Sentence], compute: Tagging) -> list[Prediction]:
        inputs = windows(sentences, self.tokenizer, length_limit(tagger.encoder.config))
        return decode(tagger, sentences, inputs, compute)


def _untrained(encoder: Callable[[], Any]) -> Tagger:
    return Tagger(encoder(), ["O"], [["O"]])
