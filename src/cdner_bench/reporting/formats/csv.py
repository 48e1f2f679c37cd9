"""The numbers behind a page as CSV: one line a number, unrounded, with what it is a number of."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache

from ...foreign import show_line
from ..table import Page

_FORMULA = re.compile(r"[=+\-@|\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)(e[+-]?\d+)?%?", re.IGNORECASE)


def write_csv(page: Page) -> str:
    """The records of a page, what has parts (their options) as JSON in one field."""
    records = page.records()
    return write_lines([list(records[0]) if records else [], *(map(_flatten, r.values()) for r in records)])


def _flatten(value: object) -> object:
    return json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else value


def write_lines(rows: Iterable[Iterable[object]]) -> str:
    """Rows of values as CSV, each text escaped."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    escape = cache(escape_csv)  # most texts stand in many rows
    writer.writerows([escape(value) if isinstance(value, str) else value for value in row] for row in rows)
    return stream.getvalue()


def escape_csv(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = show_line(text)
    formula = _FORMULA.match(text.lstrip()) and not _NUMBER.fullmatch(text)
    return f"'{text}" if formula else text
