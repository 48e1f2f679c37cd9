"""The numbers behind a page as CSV: one line a number, unrounded, with what it is a number of."""

from __future__ import annotations

import csv
import io
import json

from ..page import Page


def write_csv(page: Page) -> str:
    """The records of a page, their options as JSON in one field."""
    records = page.records()
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**r, "options": json.dumps(r["options"], sort_keys=True)} for r in records)
    return stream.getvalue()
