"""Two-column BIO files: `token<TAB>tag` lines, a blank line between sentences.

The reader is strict (IOB2, known types, UTF-8, two columns) and says file:line. Windows line ends and a missing
final newline are accepted, and the last sentence is kept whether or not a blank line follows it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ...errors import DataError, did_you_mean
from ...types import Entity, Sentence

TaggedSentence = tuple[tuple[str, ...], tuple[str, ...]]


def read(path: Path, prefix: str, types: Collection[str] | None = None) -> list[Sentence]:
    """The sentences of a gold file; their ids are `prefix/0`, `prefix/1` and so on.

    Raises `DataError` naming file:line for anything that is not legal IOB2 over `types` (any types, if None).
    """
    return [
        Sentence(f"{prefix}/{n}", tokens, chunks(tags))
        for n, (tokens, tags) in enumerate(_read_rows(path, types, strict=True))
    ]


def read_tags(path: Path) -> list[TaggedSentence]:
    """Tokens and tags of a prediction file: as `read`, but illegal transitions and any type are allowed."""
    return list(_read_rows(path, None, strict=False))


def write(path: Path, sentences: Iterable[Sentence]) -> None:
    """Write sentences as `read` reads them."""
    blocks = (
        "".join(f"{token}\t{tag}\n" for token, tag in zip(s.tokens, tags(s.entities, len(s.tokens)), strict=True))
        for s in sentences
    )
    path.write_text("\n".join(blocks) + "\n", encoding="utf-8")


def tags(entities: Iterable[Entity], length: int) -> list[str]:
    """The IOB2 tags of non-overlapping `entities` over `length` tokens."""
    out = ["O"] * length
    for entity in entities:
        out[entity.start] = f"B-{entity.type}"
        for i in range(entity.start + 1, entity.end):
            out[i] = f"I-{entity.type}"
    return out


def chunks(tags: Sequence[str]) -> tuple[Entity, ...]:
    """The entities of BIO tags, legal or not, by conlleval's rule: an `I-x` that continues nothing begins an `x`.

    On legal IOB2 this is the only reading; on a tagger's output it is the usual repair (and seqeval's default mode).
    """
    entities: list[Entity] = []
    start, current = 0, ""
    for i, tag in enumerate((*tags, "O")):
        prefix, _, kind = tag.partition("-")
        if current and (prefix != "I" or kind != current):
            entities.append(Entity(start, i, current))
            current = ""
        if prefix in ("B", "I") and not current:
            start, current = i, kind
    return tuple(entities)


def _read_rows(path: Path, types: Collection[str] | None, *, strict: bool) -> Iterable[TaggedSentence]:
    tokens: list[str] = []
    labels: list[str] = []
    for number, line in enumerate(_read_lines(path), start=1):
        if not line:
            if tokens:
                yield tuple(tokens), tuple(labels)
                tokens, labels = [], []
            continue
        columns = line.split("\t")
        where = f"{path}:{number}"
        if len(columns) != 2 or not columns[0].strip() or not columns[1]:
            raise DataError(
                f"{where}: expected 'token<TAB>tag', found {len(columns)} column"
                f"{'s' * (len(columns) != 1)}: {line[:60]!r}",
                hint="separate the token and its tag by one tab, and sentences by an empty line",
            )
        token, tag = columns
        if tag != "O":
            _check(where, tag, labels[-1] if labels else "O", types, strict=strict)
        tokens.append(token)
        labels.append(tag)
    if tokens:
        yield tuple(tokens), tuple(labels)


def _check(where: str, tag: str, before: str, types: Collection[str] | None, *, strict: bool) -> None:
    prefix, _, kind = tag.partition("-")
    if prefix not in ("B", "I") or not kind:
        raise DataError(f"{where}: {tag!r} is not a BIO tag", hint="tags are O, B-type and I-type")
    if types is not None and kind not in types:
        raise DataError(f"{where}: unknown entity type {kind!r}", hint=did_you_mean(kind, types))
    if strict and prefix == "I" and before[2:] != kind:
        raise DataError(f"{where}: {tag!r} cannot follow {before!r}", hint=f"an entity begins with B-{kind}")


def _read_lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8", hint="save the file as UTF-8"
        ) from None
    # Not str.splitlines: tokens may hold characters it takes for line ends.
    return [line.removesuffix("\r") for line in text.split("\n")]
