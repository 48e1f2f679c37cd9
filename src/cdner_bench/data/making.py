"""`data new`: a benchmark of one's own out of labelled files, its splits drawn where they are not given."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import DataError, OptionError
from ..io import write_atomic
from ..names import check_domain
from ..types import Sentence
from .benchmark import SPLITS, Benchmark, list_shipped
from .readers import LabelledFile, check_types, make_sentences

SHARE = 0.2
"""The share of the sentences that a split gets which is drawn, where it is not said how many are to be learnt from."""

Splits = Mapping[str, Sequence[Sentence]]


def create(
    name: str, files: Mapping[str, LabelledFile], base: Benchmark, folder: Path, sample: int | None, seed: int
) -> Path:
    """Write `folder/name.toml`, a benchmark with one domain, learnt from those of `base`, and the domain's splits below
    `folder/name`; the path of the former. Of `files`, by split, train must be there; `draw_splits` makes the others.

    Raises `OptionError` for a name that is taken or cannot be one, and for a sample that is not there; `DataError` for
    files that are no gold.
    """
    _check_name(name, base, folder)
    given = {split: make_sentences(file, f"{name}/{split}") for split, file in files.items()}
    labels = {e.type: files[split].name for split, part in given.items() for s in part for e in s.entities}
    check_types(labels, None)
    for kind, where in labels.items():
        if not kind.isprintable():
            raise DataError(f"{where}: a type is called {kind!a}", hint="leave out what cannot be seen")
    splits = draw_splits(given, sample, seed)
    for split in SPLITS:
        write_atomic(folder / name / f"{split}.jsonl", "".join(map(_write_sentence, splits[split])))
    path = folder / f"{name}.toml"
    extends = base.given if base.given in list_shipped() else str(Path(base.given).resolve())
    lines = [
        f"name = {_quote(name)}",
        f"extends = {_quote(extends)}  # its domains are learnt from; single and multi need not be written",
        "",
        f"[domains.{_quote(name) if '.' in name else name}]",
        f"types = [{', '.join(_quote(kind) for kind in sorted(labels))}]",
        *(f"{split} = {_quote(f'{name}/{split}.jsonl')}" for split in SPLITS),
    ]
    write_atomic(path, "\n".join(lines) + "\n")
    return path


def _check_name(name: str, base: Benchmark, folder: Path) -> None:
    check_domain(name, "a benchmark", OptionError)
    if name in base.domains or name in list_shipped():
        raise OptionError(f"there is a domain or a benchmark {name!r} already", hint="choose another name")
    for place in (folder / f"{name}.toml", folder / name):
        if place.exists():
            raise OptionError(f"{place} is there already", hint="choose another name, or another folder: --out FOLDER")


def draw_splits(given: Splits, sample: int | None, seed: int) -> Splits:
    """Train, dev and test: those that are given, and those that are not out of train, drawn by `seed`. `sample` is how
    many sentences remain to be learnt from; without it, a split that is drawn gets a fifth. The rest goes to what is
    drawn, half and half, and nowhere if all is given. What stands in train twice stands in one split only, so that
    `sample` may not be met exactly; no split stays empty.

    Raises `OptionError` or `DataError` where there are too few sentences.
    """
    drawn = [split for split in SPLITS if split not in given]
    train = given["train"]
    groups: dict[tuple[str, ...], list[int]] = {}
    for n, sentence in enumerate(train):
        groups.setdefault(sentence.tokens, []).append(n)
    if len(groups) <= len(drawn):
        raise DataError(
            f"there are {len(groups)} different sentences: too few to draw {' and '.join(drawn)} from",
            hint="name a file for each split: --dev FILE --test FILE",
        )
    most = len(train) - len(drawn)
    if sample is not None and not 1 <= sample <= most:
        raise OptionError(f"--sample {sample}: it can be 1 to {most:,}, of {len(train):,} sentences")
    wanted = sample or len(train) - max(1, round(SHARE * len(train))) * len(drawn)
    order = list(groups.values())
    random.Random(seed).shuffle(order)
    parts: dict[str, list[int]] = {"train": [], **{split: [] for split in drawn}}
    for n, group in enumerate(order):
        empty = [split for split, places in parts.items() if not places]
        fits = len(parts["train"]) + len(group) <= wanted
        split = "train" if fits else min(drawn, key=lambda name: len(parts[name]), default=None)
        if len(order) - n <= len(empty):
            split = empty[0]
        if split:
            parts[split] += group
    return {**given, **{split: [train[n] for n in sorted(places)] for split, places in parts.items()}}


def _write_sentence(sentence: Sentence) -> str:
    entities = [[e.start, e.end, e.type] for e in sentence.entities]
    return json.dumps({"tokens": sentence.tokens, "entities": entities}, ensure_ascii=False) + "\n"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
