"""The numbers behind a page as JSON."""

from __future__ import annotations

import json

from ...foreign import is_seen, redact_all
from ..table import Page


def write_json(page: Page) -> str:
    """The records of a page as a list: its texts as they are, what is not seen of them escaped."""
    text = json.dumps(redact_all(list(page.records())), indent=1, ensure_ascii=False) + "\n"
    return "".join(c if c == "\n" or is_seen(c) else json.dumps(c)[1:-1] for c in text)
