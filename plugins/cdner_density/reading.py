"""A text's tokens: as the white space has them, or cut by a pattern or by any tokenizer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from cdner_bench import CdnerError, DataError, OptionError, PluginError, RunContext, Text

from . import bigrams
from .bigrams import Bigrams, Tokens
from .words import WORD


@dataclass(frozen=True)
class Reading:
    """What a unit is, and what a token: "whitespace" (`str.split`), "word" (runs of letters and digits, and every
    other character alone), or a tokenizer, by a folder's or a hub's name.
    """

    unit: str
    tokens: str
    lowercase: bool

    def tokenise(self, text: Text, run: RunContext) -> Iterator[bytes]:
        """The text's blocks, with white space between tokens."""
        if self.tokens == "whitespace" and not self.lowercase:
            yield from text.blocks(self.unit)
            return
        split = _make_splitter(self.tokens, run)
        for block in text.blocks(self.unit):
            lines = block.decode("utf-8").removesuffix("\n").split("\n")
            yield "".join(
                f"{line}\n" for line in split([s.lower() for s in lines] if self.lowercase else lines)
            ).encode()


_counted: WeakKeyDictionary[Text, dict[Reading, Bigrams]] = WeakKeyDictionary()
"""A text is read once, by whichever analysis comes first."""


def count_pairs(text: Text, reading: Reading, run: RunContext) -> Bigrams:
    """The pairs of a text's tokens. Raises `DataError` if there is no token."""
    kept = _counted.setdefault(text, {})
    if reading not in kept:
        kept[reading] = Bigrams(_read(text, reading, run))
    return kept[reading]


def _read(text: Text, reading: Reading, run: RunContext) -> Tokens:
    start, done = time.perf_counter(), 0

    def advance(tokens: int) -> None:
        nonlocal done
        done += tokens
        run.progress(text.read, text.size, **{"Mtokens/s": done / (time.perf_counter() - start) / 1e6})

    with run.phase("read"):
        tokens = bigrams.read(reading.tokenise(text, run), advance)
    if not tokens.tokens:
        raise DataError(f"{text.name} has no tokens, only white space", hint="name a text with words")
    return tokens


def _make_splitter(name: str, run: RunContext) -> Callable[[list[str]], list[str]]:
    """A function that puts spaces between the tokens of each line."""
    if name == "whitespace":
        return lambda lines: lines
    if name == "word":
        return lambda lines: [" ".join(WORD.findall(line)) for line in lines]
    tokenizer = _load_tokenizer(name, run)

    def to_numbers(lines: list[str]) -> list[str]:
        rows = tokenizer(lines, add_special_tokens=False, verbose=False)["input_ids"]
        return [" ".join(map(str, ids)) for ids in rows]  # pieces may hold white space, numbers do not

    return to_numbers


def _load_tokenizer(name: str, run: RunContext) -> Any:
    try:
        from cdner_torch import hub
    except ImportError as error:
        raise PluginError(
            f"the tokenizer {name!r} cannot be loaded: {error}", hint="pip install 'cdner-bench[torch]'"
        ) from None
    place = run.backbone(name)
    try:
        return hub.load_tokenizer(place)
    except CdnerError as error:
        hint = "-o tokens=whitespace, word, or a tokenizer: minit5, smollm2, a folder, a hub's name"
        raise OptionError(f"option tokens={name}: {error}", hint=hint) from error
