"""Making a GTOK corpus: a language model is asked why each entity of a train split has its type (TOPT, section 3.1)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from ..llm import TRUNCATED, WITHOUT_CONTENT, Answer, Client, Endpoint, Question, drop_thoughts
from ..types import Corpus, Entity, Sentence
from .gtok import Explanation, Record

WORDINGS = {
    "released": (
        'Instruction: Take the text below and give an explanation of why the text span "{span}" can be labeled as '
        '"{type}".\n{text}'
    ),
    "paper": (
        "Take the text {text} and give an explanation of why the text span {span} can be labeled as {type} "
        "in the domain {domain}."
    ),
}
"""The prompts: that of the code which made the released corpora, without Llama-2's chat brackets, which a server adds;
and that of the paper's section 3.1.
"""


@dataclass(frozen=True)
class Sampling:
    """How to ask; the defaults are the paper's. `max_tokens` is the length of an explanation. Without `temperature` or
    `top_p` the server takes its own. Without a temperature no seed is sent either, because a server that takes no
    temperature may take no seed.
    """

    wording: str = "released"
    temperature: float | None = 0.1
    top_p: float | None = 0.95
    max_tokens: int = 512
    seed: int = 0


def make_questions(corpus: Corpus, endpoint: Endpoint, sampling: Sampling) -> Iterator[Question]:
    """One question an entity of the train split, in order; of one that its sentence repeats, each with another seed."""
    for sentence in corpus.train:
        seen: Counter[tuple[str, str]] = Counter()
        for entity in sentence.entities:
            span = (sentence.surface(entity), entity.type)
            yield Question(
                model=endpoint.model,
                messages=(("user", _word_question(sentence, entity, corpus.name, sampling.wording)),),
                max_tokens=sampling.max_tokens,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                seed=None if sampling.temperature is None else sampling.seed + seen[span],
                sample=seen[span],
                served_by=endpoint.served_by,
            )
            seen[span] += 1


def generate(corpus: Corpus, client: Client, sampling: Sampling) -> Iterator[Record]:
    """The records of a corpus, a sentence at a time, nothing cleaned.

    What the model refused or left empty is left out, and so is what it thought before it answered; an explanation that
    was cut off ends with its last whole sentence.
    Raises `IncompleteError` if answers are missing; those that came are kept, so the next call goes on there.
    """
    with closing(client.answers(make_questions(corpus, client.endpoint, sampling))) as answers:
        for sentence in corpus.train:
            said = islice(answers, len(sentence.entities))
            yield Record(sentence.text, tuple(_explain(sentence, said)))


def _explain(sentence: Sentence, answers: Iterable[Answer]) -> Iterator[Explanation]:
    for entity, answer in zip(sentence.entities, answers, strict=True):
        text = "" if answer.state in WITHOUT_CONTENT else drop_thoughts(answer.text).strip()
        if text:
            whole = keep_whole_sentences(text) if answer.state == TRUNCATED else text
            yield Explanation(sentence.text, sentence.surface(entity), entity.type, whole.strip())


def _word_question(sentence: Sentence, entity: Entity, domain: str, wording: str) -> str:
    return WORDINGS[wording].format(span=sentence.surface(entity), type=entity.type, text=sentence.text, domain=domain)


def keep_whole_sentences(text: str) -> str:
    """A cut-off text up to the end of its last whole sentence; all of it if it has none."""
    whole = re.match(r".*[.!?](?=\s|$)", text, re.DOTALL)
    return whole[0] if whole else text
