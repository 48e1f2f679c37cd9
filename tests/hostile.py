"""Texts with which others may try to do more than to be read."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from cdner_bench.foreign import is_seen

KEY = "sk-test-PLANTED-0123456789"

TEXTS = (
    "\x1b[31mred\x1b[0m", "\x1b[2J\x1b[H", "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "\x1b]0;title\x07",
    "a\rb",
    "a\nb", "a\r\nb", "a\tb", "a\x00b", "a\x08b", "\x7f", "\x9b31m", "\x85next", "a\u2028b", "a\u202etxt.exe",
    "a\u2066b\u2069",
    "zero\u200bwidth", "\ufeffmark", "soft\xadhyphen", "tag\U000e0041", "\ud800", "\udcff", "\u3164", "private\ue000",
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='x", "</td></table>", "<!-- x",
    "--> x", "&lt;b>",
    "![x](http://evil.example/x.png)", "[x](javascript:x)", "[x][y]", "[x]: http://evil.example",
    "<http://evil.example>",
    "http://evil.example", "www.evil.example", "`code`", "```", "a|b", "| a | b |", "**b** _i_ ~~s~~", "# heading",
    "> quote",
    "- item", "1. item", "---", "\\", "\\|", "a\\\nb", "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1",
    " =1+1", "\uff1d1",
    "=HYPERLINK(\"http://evil.example\")", "a,b\n=1", '"', "\\input{/etc/passwd}", "\\end{tabular}", "$x$ % #_^{}~&",
    "[1em]", "*",
    "[bold]x[/bold]", "[link=http://evil.example]x[/link]", ":smile:", "[/]", "%s %d {0}", "x" * 3000,
)  # fmt: skip


def _split(key: str) -> str:
    return f'{key[:7]}" "{key[7:]}'


KEYS = (
    KEY, json.dumps(KEY), json.dumps(json.dumps(f'"{KEY}"')), quote(KEY, safe=""), KEY.lower(), KEY[:-1],
    KEY[1:], repr(KEY),
    "".join(f"%{ord(c):02X}" for c in KEY), "".join(f"\\u{ord(c):04x}" for c in KEY),
    "".join(f"&#{ord(c)};" for c in KEY),
    base64.b64encode(KEY.encode()).decode(), base64.urlsafe_b64encode(f"user:{KEY}".encode()).decode(),
    KEY.encode().hex(),
    _split(KEY), KEY[:5] + "\\\n" + KEY[5:],
    "\u200b".join(KEY), f"Bearer {KEY}", f"http://user:{KEY}@host/", f"?key={KEY}&x",
    base64.b64encode(f"ab{KEY}c".encode()).decode(),
)  # fmt: skip
"""A key in the ways in which a server may repeat it."""

_HALVES = (KEY[8:20], KEY[8:20].lower(), KEY.encode()[8:20].hex())


def find_harm(shown: str) -> list[str]:
    """Characters of what is shown that are not seen, and what is left of the key."""
    bad = [ascii(c) for c in shown if c != "\n" and not is_seen(c)]
    return bad + [half for half in _HALVES if half in shown]
