"""Texts that others wrote, such as servers, plugins and files, before they are kept or shown: without keys, and without
what a terminal or a page would obey rather than show.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any
from unicodedata import category

HIDDEN = "[key]"
"""What stands in place of a key."""
SHORTEST = 8
"""Characters of the shortest key that is hidden: what is shorter may be any word."""
_NAMES = re.compile(r"(^|[_.-])(api_?key|key|token|secret|password|passwd|passphrase|pat|credentials?)$", re.IGNORECASE)
_NUMBERS = re.compile(r"[\d\s./e+,±–%()-]*")
_LIKE_KEYS = re.compile(
    r"(?P<before>"
    r"\b(?:bearer|basic)(?:\s|%20|\+)+(?=\S*[\d=])"
    r"|(?:api|access|auth|secret|private)[-_ ]?(?:key|token)\\?[\"']?\s*[:=]\s*\\?[\"']?(?=[\w.~+/-]*\d)"
    r"|passw(?:or)?d\\?[\"']?\s*[:=]\s*\\?[\"']?)[\w.~+/=*-]{8,}"
    r"|(?P<scheme>:\\?/\\?/)[^\s/?#@\"'<>]*:[^\s/?#\"'<>]*@"
    r"|(?<![a-z0-9])(?:"
    r"sk-(?=[\w*-]*(?:\d|(?-i:[A-Z])|\*))[\w*-]{6,}"
    r"|(?:pk|rk|key|api)[-_](?=\w*\d)\w{16,}"
    r"|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[a-z0-9]{20,}|gsk_\w{20,}|xox[abeoprs]-[\w-]{10,}"
    r"|(?-i:AKIA|ASIA)[0-9A-Z]{16}|(?-i:AIza)[\w-]{30,}|(?-i:eyJ)[\w-]{10,}\.[\w-]{10,}\.[\w-]+"
    r")",
    re.IGNORECASE,
)
"""What looks like a key, whoever's it is, after what says that it is one."""
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that are not seen."""
_LINE_ENDS = re.compile(r"\r\n|[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]")
_hidden: set[str] = set()


def hide(key: str) -> None:
    """Let a text be a key from now on, wherever it came from: an environment variable or an option of any name."""
    if len(key) >= SHORTEST:
        _hidden.add(key)


@cache
def names_key(name: str) -> bool:
    """Whether a variable or an option of this name holds a key."""
    return bool(_NAMES.search(name))


def redact(text: str) -> str:
    """A text without keys: those of the environment and those that were told to be hidden, however they are quoted or
    encoded, what looks like one, and passwords in addresses.
    """
    return text if _holds_none(text) else _redact(text, _list_keys())


def redact_all(value: Any) -> Any:
    """The same for every text in a value that JSON can hold."""
    keys = _list_keys()
    return _redact_all(value, cache(lambda text: text if _holds_none(text) else _redact(text, keys)))


def _holds_none(text: str) -> bool:
    """Whether a text is a number or a short name, as most of what tables show, in which no key is."""
    return _NUMBERS.fullmatch(text) is not None or (len(text) < SHORTEST and ":" not in text)


def _redact(text: str, keys: Sequence[str]) -> str:
    for key in keys:
        text = _compile(key).sub(HIDDEN, text)
    return _LIKE_KEYS.sub(_keep_rest, text)


def _redact_all(value: Any, redacted: Callable[[str], str]) -> Any:
    match value:
        case str():
            return plain if (plain := redacted(value)) != value else value
        case Mapping():
            return {_redact_all(name, redacted): _redact_all(inner, redacted) for name, inner in value.items()}
        case list() | tuple():
            return [_redact_all(inner, redacted) for inner in value]
    return value


def show(text: str) -> str:
    """A text for a reader: without keys, and a sign in place of each character that is an order or is not seen."""
    text = redact(text)
    if text.isprintable() and not _INVISIBLE.intersection(text):
        return text
    return "".join(c if c in "\n\t" or is_seen(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def show_line(text: str) -> str:
    """The same on one line, as a cell of a table, a title or a name."""
    return show(_LINE_ENDS.sub(" ", text))


def is_seen(character: str) -> bool:
    """Whether a character is shown, and is no order to whoever shows it."""
    if character.isprintable():
        return character not in _INVISIBLE and not "\U000e0100" <= character <= "\U000e01ef"
    return category(character) == "Zs"


def _keep_rest(found: re.Match[str]) -> str:
    """The key hidden, what says that it is one left."""
    if scheme := found["scheme"]:
        return f"{scheme}{HIDDEN}@"
    return f"{found['before'] or ''}{HIDDEN}"


def _list_keys() -> list[str]:
    """Every key that is known, long ones first."""
    named = {os.environ[name].strip() for name in os.environ if names_key(name)}
    return sorted(
        _hidden | {key for key in named if _is_secret(key) and not os.path.exists(key)}, key=len, reverse=True
    )


def _is_secret(key: str) -> bool:
    """Whether a text may be a key, and no plain word that stands for one where none is needed."""
    return len(key) >= 12 or (len(key) >= SHORTEST and not re.fullmatch(r"[a-z]+|[A-Z]+|\d+", key))


@lru_cache(maxsize=64)
def _compile(key: str) -> re.Pattern[str]:
    """What finds a key: whole, or the most of it from its beginning or to its end, in base 64 and in hexadecimal."""
    most = min(len(key), max(12, 2 * len(key) // 3))
    rest = "".join(f"(?:{_BETWEEN}{_spell(c)}" for c in key[most:]) + ")?" * (len(key) - most)
    forms = [
        _spell_all(key[:most]) + rest,
        _spell_all(key[-most:]),
        *map(_spell_all, _encode(key.encode("utf-8", "replace"))),
    ]
    return re.compile("|".join(dict.fromkeys(forms)), re.IGNORECASE)


_BETWEEN = r"(?:[\\\"'`+\s\xad\u200b-\u200f\u2060\ufeff]|\\+[nrt]|%0[ad]){0,6}?"
"""What quoting and wrapping may put between two characters of a key."""


def _spell_all(key: str) -> str:
    return _BETWEEN.join(map(_spell, key))


def _spell(character: str) -> str:
    """A character, or one of the escapes that stand for it."""
    code = ord(character)
    escapes = [re.escape(character), rf"\\+u{{?0*{code:x}}}?", rf"\\+x{code:02x}", rf"&#(?:x0*{code:x}|0*{code});"]
    encoded = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode("utf-8", "replace"))
    return f"(?:{'|'.join([*escapes, encoded])})"


def _encode(key: bytes) -> Iterator[str]:
    """A key in hexadecimal, and in both alphabets of base 64, wherever in the encoded text it begins."""
    yield key.hex()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + key).decode().rstrip("=")
        sure = coded[-(-before * 8 // 6) : (before + len(key)) * 8 // 6]
        yield sure
        yield sure.translate({ord("+"): "-", ord("/"): "_"})
