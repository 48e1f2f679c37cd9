"""`annotate-then-tag`: what a language model says of unlabelled sentences is one more source domain of a tagger."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Self

from pydantic import FilePath

from cdner_bench import (
    CdnerError,
    Corpus,
    Cut,
    Entity,
    NotRunError,
    OptionError,
    Prediction,
    RunContext,
    Sentence,
    digest,
    supplies,
)
from cdner_prompting.method import Prompting, PromptingOptions
from cdner_tagger.method import BertTagger
from cdner_tagger.options import TaggerOptions
from cdner_torch.options import Positive

from . import sentences


@dataclass(frozen=True)
class Text:
    """The unlabelled sentences of the target's domain."""

    file: Annotated[FilePath | None, supplies("dapt")] = None
    """A text to take instead of the target's `dapt` text: a sentence or a paragraph a line."""
    sentences: Positive = 1000
    """How many of its sentences are labelled at most, drawn by the seed."""
    keep_empty: bool = False
    """Whether sentences are learnt in which the language model found nothing."""


@dataclass(frozen=True)
class AnnotatingOptions(TaggerOptions):
    """The tagger's options, those of the language model that labels (`annotator`), and what it labels (`text`)."""

    annotator: PromptingOptions = field(default_factory=lambda: PromptingOptions(shots=16, demonstrations="nearest"))
    text: Text = Text()

    def settle(self) -> Self:
        """These options with the name of the server that labels."""
        return replace(self, annotator=self.annotator.settle())


class AnnotateThenTag(BertTagger):
    """The tagger of `bert-tagger`. It learns the source domains together with the sentences that a language model has
    labelled, in the target's types, and then the target.
    """

    Options = AnnotatingOptions
    options: AnnotatingOptions

    def gather(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> Sequence[Corpus]:
        """The source domains and what is labelled. Raises `NotRunError` without a text, and `CdnerError` if nothing in
        it can be learnt, or would not be.
        """
        if self.options.finetuning.transfer == "direct":
            raise OptionError(
                "finetuning.transfer=direct learns nothing but the target, and so nothing that is labelled",
                hint="leave it out, or run --method bert-tagger",
            )
        return [*sources, self._annotate(target, run)]

    def _annotate(self, target: Corpus, run: RunContext) -> Corpus:
        """A corpus of the target's types that has only a train split. Answers are kept, so that none is asked for
        again.
        """
        o = self.options
        path = o.text.file or target.resources.get("dapt")
        if path is None:
            raise NotRunError(f"there is no unlabelled text of {target.name}", hint="name one: -o text.file=FILE")
        own = {s.text for s in (*target.train, *target.dev)}
        found = [s for s in sentences.read(path) if s.text not in own and digest(s.text) not in target.withheld]
        asked = random.Random(run.seed).sample(found, min(o.text.sentences, len(found)))
        if not asked:
            raise CdnerError(f"{path} has no sentence to label", hint="name another text: -o text.file=FILE")
        said = self._label(asked, target, run)
        labelled = [taken for pair in zip(asked, said, strict=True) for taken in self._take(*pair)]
        cut, entities = sum(Cut.ANSWER in p.cut for p in said), sum(len(s.entities) for s in labelled)
        left_out = f"{cut} answers were cut at annotator.max_tokens={o.annotator.max_tokens}, and are left out"
        learnt = f"{len(labelled)} of {len(asked)} sentences are learnt as labelled, with {entities} entities"
        run.note(f"{learnt}; {left_out}" if cut else learnt)
        if not labelled:
            why = left_out if cut else "it found nothing"
            raise CdnerError(
                f"{o.annotator.model} has labelled none of {len(asked)} sentences: {why}",
                hint="allow longer answers: -o annotator.max_tokens=N" if cut else "ask another model",
            )
        return Corpus(f"{target.name}-annotated", target.types, train=tuple(labelled))

    def _label(self, asked: Sequence[Sentence], target: Corpus, run: RunContext) -> list[Prediction]:
        """What the language model says of sentences, one prediction each in order."""
        annotator = Prompting(self.options.annotator)
        annotator.fit([], target, run)
        said: list[Prediction] = []
        with run.phase("annotate") as phase:
            for prediction in annotator.predict(asked, run):
                said.append(prediction)
                phase.sentences = len(said)
                run.progress(len(said), len(asked))
            phase.epochs = 1  # its seconds are the price of the training
        return said

    def _take(self, sentence: Sentence, said: Prediction) -> list[Sentence]:
        """The sentence with what was said, if that is whole, of the target's types and worth learning."""
        if Cut.ANSWER in said.cut or not (said.entities or self.options.text.keep_empty):
            return []
        chosen: list[Entity] = []
        for entity in sorted(said.entities):
            if not chosen or chosen[-1].end <= entity.start:
                chosen.append(entity)
        return [replace(sentence, entities=tuple(chosen))]
