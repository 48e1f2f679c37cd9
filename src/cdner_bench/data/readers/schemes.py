"""Tag schemes: which one a file uses, told from its tags, and the entities that its tags name.

| scheme | an entity of three tokens, one of one | known also as |
|---|---|---|
| IO | `I-x I-x I-x`, `I-x` or `x x x`, `x` | |
| IOB1 | as IO, but `B-x` begins an entity right behind another `x` | the original CoNLL 2003 |
| IOB2 | `B-x I-x I-x`, `B-x` | BIO |
| IOBES | `B-x I-x E-x`, `S-x` | BIOES |
| BILOU | `B-x I-x L-x`, `U-x` | BILUO |
| BMEWO | `B-x M-x E-x`, `W-x` | BMES, with `S-x` |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import chain, pairwise

from ...errors import DataError, did_you_mean
from ...types import Entity

OUTSIDE = "O"
_PREFIXED = re.compile(r"([BIESLUMW])[-_](.+)", re.DOTALL)
_SUFFIXED = re.compile(r"(.+)[-_]([BIESLUMW])", re.DOTALL)
_NO_ENTITY = frozenset({"o", "0", "_", "-", "none", "null", "out", "outside"})


class Scheme(StrEnum):
    """How tags say where an entity begins and ends."""

    IO = "IO"
    IOB1 = "IOB1"
    IOB2 = "IOB2"
    IOBES = "IOBES"
    BILOU = "BILOU"
    BMEWO = "BMEWO"


LETTERS = {
    Scheme.IO: "I",
    Scheme.IOB1: "BI",
    Scheme.IOB2: "BI",
    Scheme.IOBES: "BIES",
    Scheme.BILOU: "BILU",
    Scheme.BMEWO: "BMEWS",
}
_TO_IOBES = {**{letter: letter for letter in "BIES"}, "L": "E", "U": "S", "W": "S", "M": "I"}

Part = tuple[str, str]
"""What a tag says: one of B, I, E, S or O, and the type."""

make_entity = lru_cache(1 << 16)(Entity)
"""An entity out of whole numbers and a type, for what is read of files: equal ones, which these have many of, are made
once. No method may be given one, because it could change those of others.
"""


class SchemeError(DataError):
    """Tags that follow no scheme. `tag` is the first that does not, None if it is their mixture."""

    def __init__(self, message: str, tag: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.tag = tag


def is_tag(text: str) -> bool:
    """Whether a text is `O` or a type behind a letter of a scheme."""
    return text == OUTSIDE or _PREFIXED.fullmatch(text) is not None


def parse(name: str) -> Scheme:
    """A scheme by one of its names. Raises `DataError` with the nearest."""
    aliases = {"BIO": "IOB2", "BIOES": "IOBES", "BILUO": "BILOU", "BMES": "BMEWO", "BMESO": "BMEWO", "IOB": "IOB1"}
    known = aliases.get(name.upper(), name.upper())
    if known not in list(Scheme):
        raise DataError(f"there is no scheme {name!r}", hint=did_you_mean(known, [*Scheme, *aliases]))
    return Scheme(known)


class Tagging:
    """The tags of a file: the scheme they follow and what each of them says.

    Raises `SchemeError` for tags that follow none, or more than one.
    """

    def __init__(self, sentences: Sequence[Sequence[str]], scheme: Scheme | None = None) -> None:
        self._pairs = set(pairwise([OUTSIDE, *chain.from_iterable((*tags, OUTSIDE) for tags in sentences)]))
        distinct = list(dict.fromkeys(chain.from_iterable(sentences)))
        letters = _read_letters(distinct, scheme)
        self.parts: Mapping[str, Part] = {tag: _say(*letters[tag]) for tag in distinct}
        self._inside = {tag: part for tag, part in self.parts.items() if part[0] != OUTSIDE}
        self._plain = all(tag == OUTSIDE or tag == "-".join(part) for tag, part in self.parts.items())
        used = {letter for letter, _ in letters.values() if letter} - {OUTSIDE}
        bare = any(not letter for letter, _ in letters.values())
        self.scheme = scheme or self._find_scheme(used, sentences, bare=bare)
        foreign = next((tag for tag in distinct if letters[tag][0] not in ("", OUTSIDE, *LETTERS[self.scheme])), None)
        if foreign is not None:
            hint = "leave out --scheme, and it is told from the tags"
            raise SchemeError(f"{foreign!r} is no tag of the scheme {self.scheme}", foreign, hint)

    def _find_scheme(self, used: Collection[str], sentences: Sequence[Sequence[str]], *, bare: bool) -> Scheme:
        if bare or used == {"I"}:
            return Scheme.IO
        if set(used) <= {"B", "I"}:
            follows_one = self.find_illegal(sentences, Scheme.IOB2) is None
            return Scheme.IOB2 if follows_one or self.find_illegal(sentences, Scheme.IOB1) else Scheme.IOB1
        fitting = [s for s in (Scheme.IOBES, Scheme.BILOU, Scheme.BMEWO) if set(used) <= set(LETTERS[s])]
        if not fitting:
            raise SchemeError(
                f"the tags begin with {', '.join(sorted(used))}, which no scheme has together",
                hint=f"one of {', '.join(Scheme)}; name it: --scheme IOBES",
            )
        return fitting[0]

    def find_illegal(self, sentences: Sequence[Sequence[str]], scheme: Scheme | None = None) -> tuple[int, int] | None:
        """The first sentence, of all or of some of them, and position in it, whose tag cannot follow the one before it;
        the position behind the last tag where that cannot end a sentence. None if all can.
        """
        chosen = scheme or self.scheme
        if chosen is Scheme.IO:
            return None
        follows = _FOLLOWS.get(chosen, _follows_in_iobes)
        wrong = {(one, other) for one, other in self._pairs if not follows(self._part(one), self._part(other))}
        if not wrong:
            return None
        places = (
            (n, i) for n, tags in enumerate(sentences) for i, pair in enumerate(_list_pairs(tags)) if pair in wrong
        )
        return next(places, None)

    def explain(self, tags: Sequence[str], position: int) -> str:
        """Why a tag cannot stand where it does, or the last one not at the end."""
        if position == len(tags):
            return f"{tags[-1]!r} cannot end a sentence in {self.scheme}"
        return f"{tags[position]!r} cannot follow {tags[position - 1] if position else OUTSIDE!r} in {self.scheme}"

    def entities(self, tags: Sequence[str]) -> tuple[Entity, ...]:
        """The entities that tags name, legal or not, by conlleval's rule: what continues nothing begins an entity."""
        inside = self._inside
        return join_parts([(n, inside[tag]) for n, tag in enumerate(tags) if tag in inside], make_entity)

    def as_iob2(self, tags: Sequence[str]) -> tuple[str, ...]:
        """The tags of IOB2 as they are, legal or not; of another scheme, those of its entities."""
        if self.scheme is not Scheme.IOB2:
            return tuple(write_tags(self.entities(tags), len(tags)))
        if self._plain:
            return tuple(tags)
        return tuple(OUTSIDE if p[0] == OUTSIDE else f"{p[0]}-{p[1]}" for p in map(self._part, tags))

    def _part(self, tag: str) -> Part:
        return self.parts.get(tag, (OUTSIDE, ""))


def write_tags(entities: Iterable[Entity], length: int) -> list[str]:
    """The IOB2 tags of non-overlapping `entities` over `length` tokens."""
    out = [OUTSIDE] * length
    for entity in entities:
        out[entity.start] = f"B-{entity.type}"
        for i in range(entity.start + 1, entity.end):
            out[i] = f"I-{entity.type}"
    return out


def join_parts(
    parts: Sequence[tuple[int, Part]], make: Callable[[int, int, str], Entity] = Entity
) -> tuple[Entity, ...]:
    """The entities of what the tags of a sentence say, by conlleval's rule: for each token the part, in order; those
    outside of entities may be left out.
    """
    if not parts:
        return ()
    found: list[Entity] = []
    start = end = 0  # of the entity that is open, if end is not 0
    open_kind, before = "", OUTSIDE
    for n, (letter, kind) in parts:
        if letter == OUTSIDE:
            continue
        if n != end or letter in "BS" or before in "ES" or kind != open_kind:
            if end:
                found.append(make(start, end, open_kind))
            start, open_kind = n, kind
        before, end = letter, n + 1
    if end:
        found.append(make(start, end, open_kind))
    return tuple(found)


def _list_pairs(tags: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each tag with the one before it; the end of the sentence is outside."""
    return zip((OUTSIDE, *tags), (*tags, OUTSIDE), strict=True)


def _read_letters(distinct: Sequence[str], scheme: Scheme | None) -> dict[str, Part]:
    """Letter and type of each tag; no letter where the types stand alone."""
    named = [tag for tag in distinct if tag != OUTSIDE]
    prefixed = {tag: (m[1], m[2]) for tag in named if (m := _PREFIXED.fullmatch(tag))}
    suffixed = {tag: (m[2], m[1]) for tag in named if (m := _SUFFIXED.fullmatch(tag))}
    letters: dict[str, Part]
    if len(prefixed) == len(named):
        letters = dict(prefixed)
    elif len(suffixed) == len(named):
        letters = dict(suffixed)
    elif scheme is Scheme.IO or (not prefixed and scheme is None):
        letters = {tag: ("", tag) for tag in named}
        _check_bare(named, distinct, scheme)
    else:
        wrong = next(tag for tag in named if tag not in prefixed)
        raise SchemeError(f"{wrong!r} is not a tag", wrong, hint=_explain(wrong, scheme))
    return letters | {OUTSIDE: (OUTSIDE, "")}


def _check_bare(named: Sequence[str], distinct: Sequence[str], scheme: Scheme | None) -> None:
    for tag in named:
        lower = tag.lower()
        if lower in _NO_ENTITY or not tag.strip():
            raise SchemeError(f"{tag!r} is not a tag", tag, hint="the tag outside of entities is the letter O")
        if re.match(r"[bieslumw]-.|[BIESLUMW][-_]?$", tag):
            raise SchemeError(
                f"{tag!r} is not a tag", tag, hint="write a capital letter and a type: B-person, I-person"
            )
    if scheme is None and OUTSIDE not in distinct and named:
        raise SchemeError(
            f"{named[0]!r} is not a tag: none begins with B- or I-, and none is O",
            named[0],
            hint="types that stand alone are read with --scheme IO",
        )


def _explain(tag: str, scheme: Scheme | None) -> str:
    if tag.lower() in _NO_ENTITY:
        return "the tag outside of entities is the letter O"
    letters = LETTERS[scheme or Scheme.IOB2]
    return f"tags are O and, before a type, {', '.join(f'{letter}-' for letter in letters)}"


def _say(letter: str, kind: str) -> Part:
    return (OUTSIDE, "") if letter == OUTSIDE else (_TO_IOBES.get(letter, "I"), kind)


def _follows_in_iob2(before: Part, part: Part) -> bool:
    return part[0] != "I" or before[1] == part[1]


def _follows_in_iob1(before: Part, part: Part) -> bool:
    return part[0] != "B" or before[1] == part[1]


def _follows_in_iobes(before: Part, part: Part) -> bool:
    inside = before[0] in "BI"
    return inside == (part[0] in "IE") and (not inside or before[1] == part[1])


_FOLLOWS = {Scheme.IOB2: _follows_in_iob2, Scheme.IOB1: _follows_in_iob1}
