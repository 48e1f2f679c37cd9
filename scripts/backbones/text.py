"""English to train a small backbone on: sentences of free dictionaries, and WordNet's nouns with their hypernyms.

Source: the Debian packages wordnet-base, dict-gcide, dict-foldoc, dict-jargon and dict-elements, unpacked with
`dpkg-deb -x` into one folder.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WORD = re.compile(r"[A-Za-zÀ-ÿ0-9]+(?:['’.\-][A-Za-zÀ-ÿ0-9]+)*|[^\sA-Za-zÀ-ÿ0-9]")
_NOISE = re.compile(r"\[[^\]\n]{0,40}\]|\{|\}|\\[^\\\n]*\\|<[^>\n]{0,40}>|\([0-9-]{8,10}\)|--")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[A-Z0-9(“\"])")
# The top of WordNet's noun hierarchy says nothing about a name.
_ABSTRACT = {
    "entity", "physicalentity", "abstraction", "abstractentity", "object", "physicalobject", "whole", "unit",
    "thing", "matter", "cause", "causalagent", "causalagency", "psychologicalfeature", "attribute", "group",
    "grouping", "relation", "measure", "quantity", "amount", "organism", "being", "livingthing", "animatething",
    "artifact", "artefact", "instrumentality", "instrumentation", "state", "act", "deed", "humanaction",
    "humanactivity", "physicalphenomenon", "process", "physicalprocess", "content", "cognition", "knowledge",
}  # fmt: skip


@dataclass(frozen=True)
class Noun:
    """A noun of WordNet: its words, its types from the nearest hypernym up, its gloss; whether it names one thing, and
    whether it has one sense only.
    """

    words: tuple[str, ...]
    types: tuple[str, ...]
    gloss: tuple[str, ...]
    instance: bool
    plain: bool


def words(text: str) -> list[str]:
    """Words and punctuation marks, as CrossNER's tokens are."""
    return WORD.findall(text)


def sentences(root: Path) -> Iterator[list[str]]:
    """The sentences of the dictionaries, tokenised, of 6 to 60 tokens."""
    for name in ("gcide", "foldoc", "jargon", "elements"):
        with gzip.open(root / f"usr/share/dictd/{name}.dict.dz", "rt", encoding="utf-8", errors="replace") as stream:
            for entry in stream.read().split("\n\n"):
                text = " ".join(_NOISE.sub(" ", entry).split())
                for sentence in _SENTENCE.split(text):
                    tokens = words(sentence)
                    if 6 <= len(tokens) <= 60 and "�" not in sentence:
                        yield tokens


def nouns(root: Path) -> list[Noun]:
    """WordNet's nouns, one for each lemma in the synset where it is most frequent (its first sense)."""
    synsets = {}
    for line in (root / "usr/share/wordnet/data.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            continue
        data, gloss = line.split(" | ", 1)
        fields = data.split()
        size = int(fields[3], 16)
        lemmas = [fields[4 + 2 * i] for i in range(size)]
        pointers = fields[5 + 2 * size :]
        up = [pointers[i + 1] for i in range(0, len(pointers) - 1, 4) if pointers[i] in ("@", "@i")]
        synsets[fields[0]] = (lemmas, up, gloss, "@i" in pointers)
    first, senses = {}, {}
    for line in (root / "usr/share/wordnet/index.noun").read_text(encoding="utf-8").splitlines():
        if not line.startswith("  "):
            fields = line.split()
            first[fields[0]], senses[fields[0]] = fields[-int(fields[2])], int(fields[2])
    kept = []
    for offset, (lemmas, up, gloss, instance) in synsets.items():
        chain = _chain(synsets, up)
        for lemma in lemmas:
            if first.get(lemma.lower()) == offset and chain and len(lemma) > 2:
                spelt = tuple(words(lemma.replace("_", " ")))
                kept.append(Noun(spelt, chain, tuple(words(gloss)), instance, senses[lemma.lower()] == 1))
    return kept


def _chain(synsets: dict[str, tuple[list[str], list[str], str, bool]], up: list[str]) -> tuple[str, ...]:
    chain: list[str] = []
    queue = list(up)
    while queue and len(chain) < 12:
        lemmas, further, _, _ = synsets[queue.pop(0)]
        name = re.sub(r"[^a-z]", "", lemmas[0].lower())
        if name not in _ABSTRACT and name not in chain and 2 < len(name) <= 20:
            chain.append(name)
        queue += further
    return tuple(chain)
