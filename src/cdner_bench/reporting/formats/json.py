"""The numbers behind a page as JSON."""

from __future__ import annotations

import json
import re

from ...foreign import is_seen, redact_all
from ..table import Page

_NOT_PLAIN = re.compile(r"[^\n -~]")


def write_json(page: Page) -> str:
    """The records of a page as a list: its texts as they are, what is not seen of them escaped."""
    text = json.dumps(redact_all(list(page.records())), indent=1, ensure_ascii=False) + "\n"
    return _NOT_PLAIN.sub(lambda found: found[0] if is_seen(found[0]) else json.dumps(found[0])[1:-1], text)
