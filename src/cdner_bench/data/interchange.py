"""A `Corpus` as a Hugging Face `datasets.DatasetDict`, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import CdnerError, DataError
from ..types import Corpus, Sentence
from .readers import conll

if TYPE_CHECKING:
    from datasets import DatasetDict

SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def _import_datasets() -> Any:
    try:
        import datasets
    except ImportError:
        raise CdnerError(
            "the package 'datasets' is not installed", hint="pip install 'cdner-bench[datasets]'"
        ) from None
    return datasets


def to_datasets(corpus: Corpus) -> DatasetDict:
    """Columns id (string), tokens (strings), ner_tags (IOB2 class labels); `dev` becomes `validation`."""
    hf = _import_datasets()
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


def from_datasets(name: str, splits: DatasetDict) -> Corpus:
    """The inverse of `to_datasets`; ids are made up (`name/split/n`) where there is no `id` column.

    Raises `DataError` if `ner_tags` is not a list of class labels.
    """
    types: dict[str, None] = {}
    sentences: dict[str, tuple[Sentence, ...]] = {}
    for ours, theirs in SPLITS.items():
        if theirs not in splits:
            continue
        rows = splits[theirs]
        try:
            names = rows.features["ner_tags"].feature.names
        except (KeyError, AttributeError):
            raise DataError(f"split {theirs!r} has no column 'ner_tags' with class labels") from None
        types.update(dict.fromkeys(tag[2:] for tag in names if tag != "O"))
        ids = rows["id"] if "id" in rows.features else [f"{name}/{ours}/{n}" for n in range(len(rows))]
        sentences[ours] = tuple(
            Sentence(id_, tuple(tokens), conll.chunks([names[tag] for tag in tags]))
            for id_, tokens, tags in zip(ids, rows["tokens"], rows["ner_tags"], strict=True)
        )
    return Corpus(name, tuple(types), sentences.get("train", ()), sentences.get("dev", ()), sentences.get("test", ()))
