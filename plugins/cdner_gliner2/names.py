"""What types are called when a model is asked for them."""

from __future__ import annotations

import re

from cdner_bench import Corpus, DataError

WORDS = {
    "academicjournal": "academic journal",
    "astronomicalobject": "astronomical object",
    "chemicalcompound": "chemical compound",
    "chemicalelement": "chemical element",
    "literarygenre": "literary genre",
    "misc": "miscellaneous",
    "musicalartist": "musical artist",
    "musicalinstrument": "musical instrument",
    "musicgenre": "music genre",
    "politicalparty": "political party",
    "programlang": "programming language",
}
"""CrossNER's types that are no words as they stand."""


def put_into_words(kind: str) -> str:
    """A type as words: blanks for `_`, `-` and brackets, which are the prompt's own, and before capitals in a word."""
    parted = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])", " ", WORDS.get(kind, kind))
    return " ".join(re.sub(r"[_\-\[\](){}|]", " ", parted).split())


def name_types(domain: Corpus) -> dict[str, str]:
    """The types of a domain by their names in words. Raises `DataError` for a name without a letter, and for one that
    two types have.
    """
    named: dict[str, str] = {}
    for kind in domain.types:
        name = put_into_words(kind)
        if not any(map(str.isalpha, name)):
            raise _cannot_be_asked(kind, domain.name, "its name has no letter")
        if name in named:
            raise _cannot_be_asked(kind, domain.name, f"it is {name!r} in words, and so is {named[name]!r}")
        named[name] = kind
    return named


def _cannot_be_asked(kind: str, domain: str, why: str) -> DataError:
    return DataError(
        f"the type {kind!r} of {domain} cannot be asked for: {why}",
        hint=f"give it a word in the benchmark file: [domains.{domain}.labels] '{kind}' = \"…\"",
    )
