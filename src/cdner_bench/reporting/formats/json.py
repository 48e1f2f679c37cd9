"""The numbers behind a page as JSON."""

from __future__ import annotations

import json

from ..page import Page


def write_json(page: Page) -> str:
    """The records of a page as a list."""
    return json.dumps(page.records(), indent=1, ensure_ascii=False) + "\n"
