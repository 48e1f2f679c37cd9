"""Names of corpora: a split or a resource of a domain, with or without explanations of other domains mixed in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .gtok import MixedUnit

_MIXED = re.compile(r"(?P<name>[\w-]+)\+(?P<count>\d+)(?:-(?P<unit>sentences))?")


@dataclass(frozen=True)
class CorpusName:
    """`gtok`; `gtok+50`, with 50 explanations of other domains; `gtok+50-sentences`, with those of 50 sentences."""

    name: str
    mixed: int | None = None
    unit: MixedUnit = "explanations"

    @classmethod
    def parse(cls, text: str) -> CorpusName:
        """The value that a name stands for; a text of another form is a name as it is."""
        match = _MIXED.fullmatch(text)
        if match is None:
            return cls(text)
        return cls(match["name"], int(match["count"]), "sentences" if match["unit"] else "explanations")

    def __str__(self) -> str:
        if self.mixed is None:
            return self.name
        return f"{self.name}+{self.mixed}{'-sentences' if self.unit == 'sentences' else ''}"
