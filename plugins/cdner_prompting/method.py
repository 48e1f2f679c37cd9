"""`gpt4`: ask a language model for the entities of each sentence, read what it says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le

from cdner_bench import (
    Corpus,
    Cut,
    Entity,
    Method,
    OptionError,
    Prediction,
    RunContext,
    Sentence,
    backbone,
    llm,
    operational,
    text2text,
)

from . import reading
from .demonstrations import Fixed, Nearest

Positive = Annotated[int, Gt(0)]
Dollars = Annotated[float, Ge(0)]


@dataclass(frozen=True)
class PromptingOptions:
    """The paper's prompt without examples, at temperature 0; the paper names neither snapshot nor temperature. The
    options after `served_by` say how to ask, not what.
    """

    model: Annotated[str, backbone] = "gpt-4o"
    """The model to ask: a name that the server knows, or one of `cdner-bench models list` with `base_url=local`."""
    format: Literal["text", "json"] = "text"
    """The form of an answer: the text of the other methods, or `json` in a schema."""
    shots: Annotated[int, Ge(0)] = 0
    """How many examples from the target's train split go before the question."""
    demonstrations: Literal["fixed", "nearest"] = "fixed"
    """Which examples: the same for all sentences, or the nearest to each by BM25."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.0
    """How freely answers are drawn; none leaves it to the server."""
    max_tokens: Positive = 512
    """How many tokens an answer has at most."""
    votes: Positive = 1
    """How many answers are asked for, at a temperature above 0; what more than half of them say counts."""
    served_by: str | None = None
    """The name under which the server counts: the same model at another is another run, unless it is given the same
    name. By default its host, and none for OpenAI's.
    """
    base_url: Annotated[str | None, operational] = None
    """Where the server is; `local` starts one, none is OpenAI's or that of `OPENAI_BASE_URL`."""
    key_variable: Annotated[str, operational] = "OPENAI_API_KEY"
    """The variable of the environment that holds the key."""
    price_in: Annotated[Dollars | None, operational] = None
    """US dollars for a million tokens of prompts; none: as in the list of prices."""
    price_out: Annotated[Dollars | None, operational] = None
    """US dollars for a million tokens of answers; none: as in the list of prices."""
    max_cost: Annotated[Dollars | None, operational] = None
    """For how many US dollars at most is asked, however often the run is resumed."""
    max_requests: Annotated[Annotated[int, Ge(0)] | None, operational] = None
    """How many requests are sent at most, attempts included, however often the run is resumed; not what the client
    itself sends again after a dropped connection.
    """
    concurrency: Annotated[Positive, operational] = 4
    """How many questions are under way at a time."""
    timeout: Annotated[Annotated[float, Gt(0)] | None, operational] = None
    """How many seconds each try may take; none: 120, and an hour if the server is started here."""
    retries: Annotated[Annotated[int, Ge(0)], operational] = 5
    """How often a request that failed is sent again."""
    attempts: Annotated[Positive, operational] = 3
    """How often an answer is asked for that is worth keeping."""
    store: Annotated[Path | None, operational] = None
    """The folder where answers are kept, and looked for first; none: that of the output folder."""
    replay: Annotated[Literal["first", "only"], operational] = "first"
    """Whether what no store holds is asked for (`first`), or the network is never touched (`only`)."""

    def settle(self) -> Self:
        """These options with the name of the server that they lead to, here and now."""
        return replace(self, served_by=llm.name_server(self.base_url, self.served_by))


class Prompting(Method):
    """Nothing is learnt: the target's types, and its train split for examples, go into the prompt."""

    Options = PromptingOptions
    options: PromptingOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """Choose the examples, find the server, open the store; nothing is asked yet.

        Raises `OptionError` for options that do not go together.
        """
        for remark in text2text.check([target]) if self.options.format == "text" else ():
            run.note(remark)
        answers = [text2text.answer(s) for s in target.train]
        self.characters = sum(map(len, answers)) / max(1, len(answers))
        self._prepare(target.types, target.train, run)

    def save(self, folder: Path) -> None:
        """The sentences that the examples of a prompt are chosen from, if it has some. The model is asked again."""
        pool = [[s.id, s.tokens, [[e.start, e.end, e.type] for e in s.entities]] for s in self.pool]
        text = json.dumps({"characters": self.characters, "pool": pool}, ensure_ascii=False)
        (folder / "prompt.json").write_text(text, encoding="utf-8")

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """See `save`."""
        said = json.loads((folder / "prompt.json").read_text(encoding="utf-8"))
        self.characters = said["characters"]
        pool = [
            Sentence(id_, tuple(tokens), tuple(Entity(*entity) for entity in entities))
            for id_, tokens, entities in said["pool"]
        ]
        self._prepare(types, pool, run)

    def _prepare(self, types: Sequence[str], pool: Sequence[Sentence], run: RunContext) -> None:
        o = self.options
        if o.votes > 1 and o.temperature == 0:
            raise OptionError("votes of equal answers say nothing", hint="add -o temperature=0.7")
        self.types, self.pool = tuple(types), pool if o.shots else ()
        self.schema = reading.schema(types) if o.format == "json" else None
        nearest = o.shots and o.demonstrations == "nearest"
        self.examples = Nearest(pool, o.shots) if nearest else Fixed(pool, o.shots, run.seed)
        where = llm.find_endpoint(o.model, o.base_url, o.key_variable, o.concurrency, o.served_by)
        if self.schema and not where.schemas:
            raise OptionError(f"the server of {o.model} knows no JSON schemas", hint="ask for text: -o format=text")
        self.client = llm.Client(
            where,
            llm.Store(o.store or run.answers),
            llm.Limits(o.concurrency, o.retries, o.timeout, o.attempts, o.max_requests, o.max_cost, o.replay),
            ledger=run.workdir / "requests.txt",
            price=llm.make_price(o.price_in, o.price_out),
            fits=reading.fits if self.schema else None,
        )
        self._account(run)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """In order, as answers come. Raises `IncompleteError` where some are missing."""
        run.note(str(self.client.estimate(self._questions(sentences, run.seed), self.characters)))
        try:
            with closing(self.client.answers(self._questions(sentences, run.seed))) as answers:
                for sentence in sentences:
                    several = islice(answers, self.options.votes)
                    yield reading.vote([self._read(answer, sentence) for answer in several])
        finally:
            usage = self._account(run)
        if usage.mixed:
            states = f" (states {usage.fingerprint})" if usage.fingerprint else ""
            run.note(f"the answers do not come from one model in one state, but from {usage.model}{states}")

    def _account(self, run: RunContext) -> llm.Usage:
        usage = self.client.usage(self._wording())
        run.describe(backbone=usage.model or self.client.endpoint.model, trained=0, total=0)
        run.asked(usage, self.client.waiting)
        return usage

    def _questions(self, sentences: Sequence[Sentence], seed: int) -> Iterator[llm.Question]:
        o = self.options
        model, served_by = self.client.endpoint.model, self.client.endpoint.served_by
        for sentence in sentences:
            messages = tuple(self.messages(sentence, self.types))
            for n in range(o.votes):
                drawn = 0 if o.temperature == 0 else seed * 1000 + n  # at temperature 0 all seeds share one answer
                sent = drawn if o.temperature else None  # who takes no temperature may take no seed
                yield llm.Question(
                    model, messages, o.max_tokens, o.temperature, None, sent, self.schema, drawn, served_by
                )

    def messages(self, sentence: Sentence, types: Sequence[str]) -> Iterator[tuple[str, str]]:
        """The conversation (role, text) that asks about a sentence, with the demonstrations before it."""
        for example in self.examples.of(sentence):
            yield "user", self._prompt(example, types)
            yield "assistant", self._answer(example)
        yield "user", self._prompt(sentence, types)

    def _prompt(self, sentence: Sentence, types: Sequence[str]) -> str:
        text = text2text.prompt(sentence, types)
        return reading.in_json(text) if self.schema else text

    def _answer(self, example: Sentence) -> str:
        return reading.as_json(example) if self.schema else text2text.answer(example)

    def _read(self, answer: llm.Answer, sentence: Sentence) -> Prediction:
        if answer.state in llm.WITHOUT_CONTENT:
            return Prediction(sentence.id)  # without the text, which would be read for entities
        cut = (Cut.ANSWER,) if answer.state == llm.TRUNCATED else ()
        return replace(text2text.read(answer.text, sentence, self.types), cut=cut)

    def _wording(self) -> str:
        """Eight hex digits of the prompt without its sentence, types and examples."""
        template = self._prompt(Sentence("", ("SENTENCE",)), ["TYPES"])
        return hashlib.sha256(template.encode()).hexdigest()[:8]
