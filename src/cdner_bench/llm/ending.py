"""What is an answer, decided here and nowhere else: how what came back from a server ended."""

from __future__ import annotations

import re
from collections.abc import Callable

ANSWERED, TRUNCATED, REFUSED, FILTERED, MALFORMED = "answered", "truncated", "refused", "filtered", "malformed"
STATES = (ANSWERED, TRUNCATED, REFUSED, FILTERED, MALFORMED)
"""How an answer ended: by itself, at the limit of tokens, with a refusal, stopped by the provider's content filter,
or in another shape than was asked for. All five are the model's own doing and are scored: refused and filtered ones as
naming nothing, the others by what they say.
"""
WITHOUT_CONTENT = (REFUSED, FILTERED)
"""States in which the text, if there is any, is not about what was asked."""

EMPTY, SPENT, BROKEN, GARBLED, OVERLONG = (
    "empty", "empty at the length limit", "broken off", "garbled", "longer than was asked for",
)  # fmt: skip
NOTHING = (EMPTY, SPENT, BROKEN, GARBLED, OVERLONG)
"""What arrived and is no answer: without a word, though nobody says that the model ended so; without a word when the
limit of tokens was reached; given up by the server; of no shape that is known; beyond all that was asked for.
"""

_STOPPED = "stopped"
_WORDS = {
    _STOPPED: "stop stop_sequence end end_turn eos eos_token complete completed done finished",
    TRUNCATED: "length max_length max_tokens max_output_tokens model_length model_context_window_exceeded error_limit",
    FILTERED: (
        "content_filter content_filtered guardrail_intervened safety image_safety sensitive recitation blocklist "
        "prohibited_content spii error_toxic"
    ),
    REFUSED: "refusal",
    BROKEN: (
        "error abort aborted cancelled canceled timeout network_error insufficient_system_resource overloaded "
        "malformed_function_call"
    ),
}
"""Finish reasons of OpenAI, llama.cpp, vLLM, TGI, Anthropic, Gemini, Mistral, Cohere, DeepSeek, Bedrock and GLM."""
_MEANINGS = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}

_THOUGHTS = re.compile(r"<(think|thinking|thought|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_END_OF_THOUGHT = re.compile(r"\A.*</(?:think|thinking|thought|reasoning)>", re.DOTALL | re.IGNORECASE)


def judge(
    content: object, refusal: object, finish: object, written: int | None, fits: Callable[[str], bool] | None = None
) -> tuple[str, str]:
    """How it ended, one of `STATES` or of `NOTHING`, and the text of it. `written` are the tokens that the server says
    it wrote, None if it does not say; `fits` tells whether a text has the shape that was asked for.

    Text whose finish reason is unknown stands. Without text, only a model that is said to have ended by itself, and
    not to have written nothing at all, has answered; and not at all if a shape was asked for.
    """
    text, ended = read_text(content), read_finish(finish)
    if isinstance(refusal, str) and refusal.strip():
        return REFUSED, refusal
    if text is None or ended == BROKEN:
        return (GARBLED if text is None else BROKEN), ""
    if ended in (FILTERED, REFUSED):
        return ended, text
    if not drop_thoughts(text).strip():
        return _judge_blank(text, ended, written, fits is not None)
    if ended == TRUNCATED:
        return TRUNCATED, text
    return (ANSWERED if fits is None or fits(text) else MALFORMED), text


def _judge_blank(text: str, ended: str, written: int | None, shaped: bool) -> tuple[str, str]:
    if ended == TRUNCATED:
        return SPENT, ""
    return (ANSWERED, text) if ended == _STOPPED and written != 0 and not shaped else (EMPTY, "")


def read_finish(reason: object) -> str:
    """What a finish reason means: "stopped", a state, or "" where nobody knows. Some servers give the token that the
    model stopped at, such as `</s>`.
    """
    word = reason.strip().lower().replace("-", "_").removeprefix("finish_reason_") if isinstance(reason, str) else ""
    return _STOPPED if re.fullmatch(r"<.+>", word) else _MEANINGS.get(word, "")


def read_text(content: object) -> str | None:
    """The text of a message's content, which may be missing or come in parts; None for what is no content."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else "" if content is None else None


def drop_thoughts(text: str) -> str:
    """A text without the blocks in which a model thinks before it answers; one that is not closed goes to the end, and
    one that only ends began with the text.
    """
    return _END_OF_THOUGHT.sub("", _THOUGHTS.sub("", text))
