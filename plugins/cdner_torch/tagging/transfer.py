"""Taggers that learn the source domains, then the target: what `bert-tagger` and its kin do, whatever their heads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from cdner_bench import Corpus, NotRunError, RunContext, digest, gtok, sha256

from ..judge import Judge
from ..lengths import tell_text
from ..loop import train
from ..schedule import Schedule
from ..tokens import read_lines
from . import mlm
from .method import TaggerMethod
from .model import Tagger, bio_labels, load_encoder, load_tagger
from .options import Dapt, TransferOptions
from .sources import Sources, draw, unite_types
from .training import Pupil, draw_from


class Transfer(TaggerMethod):
    """Masked-LM on text of the target if asked for, then the sources, then the target; the best on dev is kept."""

    Options: ClassVar[type] = TransferOptions
    options: TransferOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """See the options. The source model is kept and shared by every target that starts from the same point."""
        o = self.options
        self.backbone = run.backbone(o.backbone)
        self.open(self.backbone, run)
        sources = self.gather(sources, target, run)
        drawn = draw(sources, o.source.sentences, run.seed)
        self.reader.tell_lengths([*drawn, target], run)
        encoder, origin = self._encoder(target, run)
        folder = None
        if o.finetuning.transfer == "pretrain-finetune" and sources:
            corpora = [corpus.fingerprint() for corpus in sources]
            key = {**origin, "finetuning": o.finetuning, "source": o.source, "corpora": corpora}
            pooled = Sources(drawn, o.source, o.finetuning, self.reader, self.make)
            folder = run.stage(
                "source", lambda place: pooled.learn(load_encoder(encoder), self.compute, place, run), key
            )
        joint = drawn if o.finetuning.transfer == "joint" else ()

        def learn(place: Path) -> None:
            start = load_tagger(folder, self.make) if folder else load_encoder(encoder)
            self._learn_target(start, target, joint, place, run)

        place = run.stage("target", learn)
        self.tagger = load_tagger(place, self.make).relabelled(bio_labels(target.types))
        self.describe(run)

    def gather(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> Sequence[Corpus]:
        """What is learnt before the target: the source domains."""
        return sources

    def _encoder(self, target: Corpus, run: RunContext) -> tuple[str, dict[str, object]]:
        """Where the encoder to start from is, and what identifies it."""
        o = self.options
        origin: dict[str, object] = {
            "pretraining": o.pretraining,
            "network": o.network,
            "precision": self.compute.resolved,
            "mlm": o.mlm,
        }
        if o.pretraining == "none":
            return self.backbone, origin
        texts, read = self._explanations(target, run) if o.pretraining == "gtok" else self._text(target, run)
        folder = run.stage(
            "mlm",
            lambda place: mlm.pretrain(self.backbone, self.reader.tokenizer, texts, o.mlm, place, run, self.compute),
            {**origin, **read},
        )
        return str(folder), {**origin, "start": folder.name}

    def _explanations(self, target: Corpus, run: RunContext) -> tuple[Iterable[str], Mapping[str, object]]:
        """What masked-LM reads, and what identifies it."""
        texts = [e.text for e in gtok.read(_find_resource(target, "gtok", "explanations"), target)]
        run.learn_from("gtok")
        return texts, {"gtok": digest(texts)}

    def _text(self, target: Corpus, run: RunContext) -> tuple[Iterable[str], Mapping[str, object]]:
        """The same of unlabelled text of the domain, which is streamed, and not read where it was learnt before."""
        path = _find_resource(target, "dapt", "unlabelled text")
        budget = self.options.mlm.dapt_tokens if isinstance(self.options.mlm, Dapt) else None

        def read() -> Iterator[str]:
            tell_text(path, budget, "mlm.dapt_tokens", self.options.mlm.epochs, run)
            yield from map(" ".join, read_lines(path, budget))

        return read(), {"dapt": sha256(path)}

    def _learn_target(self, start: Any, target: Corpus, joint: Sequence[Corpus], place: Path, run: RunContext) -> None:
        """From the tagger that has learnt the sources, or from an encoder."""
        o = self.options
        torch.manual_seed(run.seed)
        domains = [target, *joint]
        labels = bio_labels(unite_types(domains) if joint else target.types)
        if isinstance(start, Tagger):
            tagger = start.relabelled(labels)
        else:
            tagger = self.make(start, labels, [bio_labels(c.types) for c in domains])
        pool = self.reader.read(target.train, tagger.labels) * (o.target.joint_repeats if joint else 1)
        for domain, corpus in enumerate(joint, start=1):
            pool += self.reader.read(corpus.train, tagger.labels, domain)

        judge = Judge(target.dev[: o.dev.sentences], lambda dev: self.decode(tagger, dev, self.compute))
        tagger.set_dropout(o.finetuning.dropout)
        data = draw_from([pool], o.finetuning.batch_size, run.seed, sqrt=False)
        group, decay = o.target, o.target.schedule == "linear"
        schedule = Schedule(
            group.epochs, o.finetuning.batch_size, group.learning_rate, o.dev.every, group.patience, decay
        )
        train(Pupil(tagger, self.compute), data, schedule, "target", run, place, judge)


def _find_resource(target: Corpus, name: str, what: str) -> Path:
    """The file about the target that masked-LM reads. Raises `NotRunError` if the benchmark has none."""
    if name not in target.resources:
        raise NotRunError(
            f"pretraining={name} needs {what} of {target.name}",
            hint=f'name a file in the benchmark, resources.{name} = {{ path = "…" }}, or set -o pretraining=none',
        )
    return target.resources[name]
