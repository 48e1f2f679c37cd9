"""`mccl`: target and sources are learnt at once, through the cells of their types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cdner_bench import Corpus, Method, Prediction, RunContext, Sentence
from cdner_torch import weights
from cdner_torch.batches import blocks
from cdner_torch.judge import Judge
from cdner_torch.loop import train
from cdner_torch.tagging.encoding import Reader
from cdner_torch.tagging.model import build_encoder, load_encoder, load_reader
from cdner_torch.tagging.sources import draw
from cdner_torch.tagging.training import Tagging

from .encoding import encode
from .model import MultiCellTagger, Pupil, decode
from .options import McclOptions
from .training import Alternating, make_schedule
from .vectors import read_vectors

ABOUT = "about.json"


class Mccl(Method):
    """The multi-cell compositional LSTM (Jia and Zhang, ACL 2020)."""

    Options = McclOptions
    options: McclOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """One stage: batches of the target and of the sources alternate."""
        o = self.options
        place = run.backbone(o.backbone)
        self._open(load_reader(place), run)
        drawn = draw(sources, o.source.sentences, run.seed)
        self.reader.tell_lengths([*drawn, target], run)
        self.types = [target.types, *(source.types for source in drawn)]
        self.rows, vectors = read_vectors(o.words.vectors) if o.words.vectors else ({}, torch.empty(1, 0))
        folder = run.stage("target", lambda folder: self._learn(place, vectors, target, drawn, folder, run))
        self.network = self._build(load_encoder(place), vectors)
        pupil = Pupil(self.network, self.compute)
        pupil.load(weights.restore(folder))
        trained = sum(p.numel() for _, p in pupil.learnt())
        total = sum(p.numel() for p in self.network.parameters())
        run.describe(backbone=o.backbone, trained=trained, total=total, precision=self.compute.resolved)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """In float32, so that a sentence's tags do not depend on its neighbours in a batch."""
        exact = replace(self.compute, precision="fp32")
        for block in blocks(sentences, 256):
            yield from self._decode(self.network, block, exact)

    def save(self, folder: Path) -> None:
        """The network with its encoder, its tokenizer and the words that have vectors."""
        about = {"types": self.types, "words": list(self.rows)}
        (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        self.network.encoder.config.save_pretrained(folder)
        self.reader.tokenizer.save_pretrained(folder)
        weights.keep(self.network.state_dict(), folder / weights.NAME)

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        self._open(load_reader(str(folder)), run)
        about, state = json.loads((folder / ABOUT).read_text(encoding="utf-8")), weights.restore(folder)
        self.types, self.rows = about["types"], {word: n for n, word in enumerate(about["words"], start=1)}
        self.network = self._build(build_encoder(folder), torch.empty_like(state["vectors"]))
        self.network.load_state_dict(state)

    def _open(self, reader: Reader, run: RunContext) -> None:
        self.reader = reader
        self.compute = Tagging(run.device, self.options.network.precision, reader.tokenizer.pad_token_id or 0)

    def _build(self, encoder: Any, vectors: Tensor) -> MultiCellTagger:
        return MultiCellTagger(encoder, self.types, self.options, vectors)

    def _learn(
        self, backbone: str, vectors: Tensor, target: Corpus, sources: Sequence[Corpus], place: Path, run: RunContext
    ) -> None:
        o = self.options
        torch.manual_seed(run.seed)
        network = self._build(load_encoder(backbone), vectors)
        if o.words.encoder_dropout is not None:
            for module in network.encoder.modules():
                if isinstance(module, nn.Dropout):
                    module.p = o.words.encoder_dropout
        pools = [
            encode(corpus.train, self.reader, self.rows, network.domains[n], n)
            for n, corpus in enumerate([target, *sources])
        ]
        judge = Judge(target.dev[: o.dev.sentences], lambda dev: self._decode(network, dev, self.compute))
        schedule = make_schedule(o.target, o.dev.every, list(network.encoder.parameters()))
        data = Alternating(pools[0], pools[1:], o.source, o.target, run.seed)
        train(Pupil(network, self.compute), data, schedule, "target", run, place, judge)

    def _decode(self, network: MultiCellTagger, sentences: Sequence[Sentence], compute: Tagging) -> list[Prediction]:
        return decode(network, sentences, encode(sentences, self.reader, self.rows), compute)
