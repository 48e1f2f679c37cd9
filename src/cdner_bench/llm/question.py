"""What is asked of a model and what it answered: plain values with a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cached_property
from typing import Any

from ..hashing import digest

CLIENT = "openai 3"
"""The major version of the client that asks. It is part of a question's key, because it shapes the request."""
LIMIT, OLDER_LIMIT = "max_completion_tokens", "max_tokens"
"""What servers call the limit of tokens, today and before."""
_UNNAMED = ("served_by", "")  # left out of the key: answers of before the field was there keep theirs


@dataclass(frozen=True)
class Question:
    """One request. `messages` are (role, content); None leaves a parameter to the server; `sample` tells apart the
    repetitions of one question. `served_by` names the server under whose name the model counts (`name_server`), "" for
    OpenAI's and for servers of one's own.
    """

    model: str
    messages: Sequence[tuple[str, str]]
    max_tokens: int
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    schema: Mapping[str, Any] | None = None
    sample: int = 0
    served_by: str = ""

    @cached_property
    def key(self) -> str:
        """SHA-256 of everything that determines the answer."""
        return digest([CLIENT, {name: value for name, value in asdict(self).items() if (name, value) != _UNNAMED}])

    @property
    def length(self) -> int:
        """How many characters all messages have together."""
        return sum(len(content) for _, content in self.messages)

    @property
    def most(self) -> tuple[int, int]:
        """The most tokens that one attempt reads and writes: no tokenizer makes more of a prompt than a token for two
        letters and for a byte of what is beyond ASCII.
        """
        read = sum(len(content) // 2 + len(content.encode()) - len(content) + 16 for _, content in self.messages)
        return read, self.max_tokens

    def body(self, served_as: str, limit: str = LIMIT) -> dict[str, Any]:
        """The arguments with which the openai client is to ask it (of `chat.completions.create`), of a server that
        calls the model and the limit of tokens so.
        """
        body: dict[str, Any] = {
            "model": served_as,
            "messages": [{"role": role, "content": content} for role, content in self.messages],
            limit: self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
        }
        if self.schema is not None:
            named = {"name": "answer", "strict": True, "schema": dict(self.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        return {name: value for name, value in body.items() if value is not None}


@dataclass(frozen=True)
class Answer:
    """What came back. `model` and `fingerprint` are what the server says that it answered with, `server` its host,
    `seconds` the time from asking to the end of the answer, `asked` the UTC time, `again` how many answers before this
    one were none worth keeping (refusals, other shapes, nothing), `again_in` and `again_out` their tokens.
    """

    text: str
    state: str
    model: str
    tokens_in: int
    tokens_out: int
    seconds: float
    asked: str
    again: int = 0
    again_in: int = 0
    again_out: int = 0
    server: str = ""
    fingerprint: str = ""


def is_answer(answer: object) -> bool:
    """Whether a table holds what an answer is made of, and nothing else."""
    if not isinstance(answer, dict):
        return False
    named = {field.name: field for field in fields(Answer)}
    needed = {name for name, field in named.items() if field.default is MISSING}
    return needed <= answer.keys() <= named.keys() and all(
        isinstance(value, str) if named[name].type == "str" else _counts(value, named[name].type == "int")
        for name, value in answer.items()
    )


def _counts(value: object, whole: bool) -> bool:
    return isinstance(value, int if whole else int | float) and not isinstance(value, bool) and value >= 0
