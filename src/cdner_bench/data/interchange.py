"""A `Corpus` as a Hugging Face `datasets.DatasetDict`, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import CdnerError, DataError
from ..types import Corpus, Sentence
from .readers import conll
from .readers.schemes import Scheme, Tagging, parse

if TYPE_CHECKING:
    from datasets import DatasetDict

SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def import_package(name: str) -> Any:
    """A package that an extra of the same name installs. Raises `CdnerError` where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        hint = f"pip install 'cdner-bench[{name}]'"
        raise CdnerError(f"the package {name!r} is not installed", hint=hint) from None


def to_datasets(corpus: Corpus) -> DatasetDict:
    """Columns id (string), tokens (strings), ner_tags (IOB2 class labels); `dev` becomes `validation`."""
    hf = import_package("datasets")
    names = ["O", *(f"{prefix}-{kind}" for kind in corpus.types for prefix in "BI")]
    features = hf.Features(
        {
            "id": hf.Value("string"),
            "tokens": hf.List(hf.Value("string")),
            "ner_tags": hf.List(hf.ClassLabel(names=names)),
        }
    )

    def to_dataset(sentences: Sequence[Sentence]) -> Any:
        columns = {
            "id": [s.id for s in sentences],
            "tokens": [list(s.tokens) for s in sentences],
            "ner_tags": [conll.tags(s.entities, len(s.tokens)) for s in sentences],
        }
        return hf.Dataset.from_dict(columns, features=features)

    return hf.DatasetDict({theirs: to_dataset(getattr(corpus, ours)) for ours, theirs in SPLITS.items()})


def from_datasets(name: str, splits: DatasetDict, scheme: str | None = None) -> Corpus:
    """The inverse of `to_datasets`, for tables in any tag scheme, which is told from the tags (`find_scheme`) unless it
    is named. `ner_tags` has class labels or texts; ids are made up (`name/split/n`) where there is no `id` column.

    Raises `DataError` naming split and row for a table without such columns, a label without a name, tags of no scheme
    or of several, and tags that their scheme does not allow where they stand.
    """
    tables = {ours: _Table(name, ours, rows) for ours, rows in _find_splits(splits).items()}
    tagging = _read_tagging(tables.values(), scheme)
    named = _read_names(tables.values(), tagging.scheme)
    sentences = {ours: table.read(tagging) for ours, table in tables.items()}
    found = (e.type for part in sentences.values() for s in part for e in s.entities)
    types = tuple(dict.fromkeys([*named, *found]))
    return Corpus(name, types, sentences.get("train", ()), sentences.get("dev", ()), sentences.get("test", ()))


def _find_splits(splits: DatasetDict) -> dict[str, Any]:
    """The splits of a table by our names; `dev` may be called so there, too."""
    if {"dev", "validation"} <= set(splits):
        raise DataError("the splits 'dev' and 'validation' are both there", hint="remove one of them")
    names = {ours: theirs if theirs in splits else ours for ours, theirs in SPLITS.items()}
    return {ours: splits[name] for ours, name in names.items() if name in splits}


def find_scheme(splits: DatasetDict) -> Scheme:
    """The scheme of the tags of a table. Raises `DataError` as `from_datasets` does."""
    tables = [_Table("", ours, rows) for ours, rows in _find_splits(splits).items()]
    return _read_tagging(tables, None).scheme


class _Table:
    """The rows of one split, their tags as texts."""

    def __init__(self, domain: str, split: str, rows: Any) -> None:
        self.domain, self.split, self.rows = domain, split, rows
        if not {"tokens", "ner_tags"} <= set(rows.features):
            raise DataError(f"split {split!r} has no columns 'tokens' and 'ner_tags'", hint="rename yours")
        self.names: list[str] | None = getattr(getattr(rows.features["ner_tags"], "feature", None), "names", None)
        self.tags = [self._read_tags(n, tags) for n, tags in enumerate(rows["ner_tags"])]

    def _read_tags(self, row: int, tags: Sequence[object]) -> list[str]:
        if not isinstance(tags, list):
            raise DataError(f"split {self.split!r}, row {row}: 'ner_tags' is no list of tags")
        return [self._read_tag(row, tag) for tag in tags]

    def _read_tag(self, row: int, tag: object) -> str:
        if isinstance(tag, str):
            return tag
        if self.names is None:
            raise DataError(
                f"split {self.split!r} has numbers without names in 'ner_tags'",
                hint="make them class labels: datasets.ClassLabel(names=[…])",
            )
        if not isinstance(tag, int) or not 0 <= tag < len(self.names):
            raise DataError(
                f"split {self.split!r}, row {row}: the label {tag} has no name",
                hint="give whole words, without marks such as -100 that belong to a tokenizer",
            )
        return self.names[tag]

    def read(self, tagging: Tagging) -> tuple[Sentence, ...]:
        """The sentences. Raises `DataError` for a tag that cannot stand where it does."""
        if illegal := tagging.find_illegal(self.tags):
            row, position = illegal
            raise DataError(f"split {self.split!r}, row {row}: {tagging.explain(self.tags[row], position)}")
        count = len(self.tags)
        ids = (
            self.rows["id"] if "id" in self.rows.features else [f"{self.domain}/{self.split}/{n}" for n in range(count)]
        )
        return tuple(self._make(row, id_, tagging) for row, id_ in enumerate(ids))

    def _make(self, row: int, id_: object, tagging: Tagging) -> Sentence:
        tokens, tags = self.rows[row]["tokens"], self.tags[row]
        if len(tokens) != len(tags):
            raise DataError(f"split {self.split!r}, row {row}: {len(tags)} tags for {len(tokens)} tokens")
        return Sentence(str(id_), tuple(tokens), tagging.entities(tags))


def _read_tagging(tables: Iterable[_Table], scheme: str | None) -> Tagging:
    chosen = None if scheme is None else parse(scheme)
    return Tagging([tags for table in tables for tags in table.tags], chosen)


def _read_names(tables: Iterable[_Table], scheme: Scheme) -> list[str]:
    """The types of the class labels, used or not, in their order."""
    names = list(dict.fromkeys(name for table in tables for name in table.names or ()))
    return [kind for _, kind in Tagging([names], scheme).parts.values() if kind]
