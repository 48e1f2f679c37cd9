"""What models put around an answer: special tokens, thinking, fences, list marks, emphasis, quotes, outer brackets."""

from __future__ import annotations

import re

_SPECIAL = re.compile(
    r"<\|[^<>|\s]{1,40}\|>|</?s>|</?(?:pad|eos|bos|end_of_turn|start_of_turn|eot_id|im_end|im_start)>"
    r"|\[/?(?:PAD|SEP|CLS|EOS|INST)\]"
)
_THINKING = r"think|thinking|thought|reasoning|scratchpad"
_THOUGHT = re.compile(rf"<({_THINKING})>.*?</\1>", re.DOTALL | re.IGNORECASE)
_THOUGHT_BEFORE = re.compile(rf"\A.*?</(?:{_THINKING})>", re.DOTALL | re.IGNORECASE)
_UNENDED_THOUGHT = re.compile(rf"<(?:{_THINKING})>.*\Z", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[\w-]*[ \t]*$|```(?:json|text|plaintext)?", re.MULTILINE)
_LIST_MARK = re.compile(r"^[ \t]*(?:[-*•+>–·]|\(?\d{1,3}[.):])[ \t]+(?=\S)", re.MULTILINE)
_EMPHASIS = re.compile(r"\*{1,3}|_{2}|`")
_QUOTES = "\"'“”‘’"
_BEFORE_ITEM = re.compile(rf"[{_QUOTES}\[]+[ \t]*(?=\(\s*[^\s,()])")
_AFTER_ITEM = re.compile(rf"\)[ \t]*[{_QUOTES}\]]+(?=[\s,;.]*(?:\Z|\n|[({_QUOTES}]))")


def unwrap(text: str, sentence: str) -> tuple[str, str]:
    """An answer without special tokens, closed thinking and fences, unless its sentence has the like; and thinking that
    was begun and not ended, which is left over.
    """
    if "<" not in text and "`" not in text and "[" not in text and "~" not in text:
        return text, ""
    text = _THOUGHT.sub(" ", text)
    text = _THOUGHT_BEFORE.sub(" ", text)
    unended = _UNENDED_THOUGHT.search(text)
    if unended:
        text = text[: unended.start()]
    for pattern in (_SPECIAL, _FENCE):
        if not pattern.search(sentence):
            text = pattern.sub(" ", text)
    return text, unended[0] if unended else ""


def strip_marks(text: str, sentence: str) -> str:
    """An answer without the marks of lists and of emphasis, and without quotes and brackets around its items."""
    text = _LIST_MARK.sub("", text)
    if not _EMPHASIS.search(sentence):
        text = _EMPHASIS.sub("", text)
    text = _LIST_MARK.sub("", text)
    return _AFTER_ITEM.sub(")", _BEFORE_ITEM.sub("", text))


def strip_quotes(text: str) -> str:
    """A text without the quotes or marks of emphasis around it."""
    bare = text.strip(f"{_QUOTES}*_`")
    return bare or text
