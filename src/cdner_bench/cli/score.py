"""`cdner-bench score`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import OptionError, PredictionError, did_you_mean
from .common import BenchmarkName, chosen, show, table

if TYPE_CHECKING:
    from ..benchmark import Benchmark
    from ..types import Prediction, Sentence


def score(
    file: Annotated[Path, typer.Argument(help="JSONL with spans or generated text, or two-column BIO.")],
    benchmark: BenchmarkName = None,
    target: Annotated[str | None, typer.Option(help="The domain of a BIO file.")] = None,
    split: Annotated[str, typer.Option(help="The split of a BIO file.")] = "test",
) -> None:
    """Score anyone's predictions under every protocol. The format is told by the first character: { is JSONL."""
    from .. import diagnosis, scoring

    data = chosen(benchmark)
    gold, predictions, types = _read(file, data, target, split)
    scores = scoring.score(gold, predictions, types)
    pairs = scoring.pair(gold, predictions)

    protocols = table(
        "protocol", "precision", "recall", "F1", "tp", "fp", "fn", title=f"{len(gold)} sentences", right=6
    )
    for name in scores.protocols:
        protocols.add_row(name, *_numbers(scores.counts(name)))
    for name, value in diagnosis.lenient_f1(pairs).items():
        protocols.add_row(f"({name})", "", "", f"{value:.2f}", "", "", "")
    per_type = table(
        "type", "precision", "recall", "F1", "tp", "fp", "fn", title=f"{scoring.HEADLINE} per type", right=6
    )
    for kind, counts in scores.protocols[scoring.HEADLINE].items():
        per_type.add_row("(unknown type)" if kind == scoring.OUTSIDE else kind, *_numbers(counts))
    errors = table("error", "count", title="Errors", right=1)
    for kind, count in diagnosis.error_classes(pairs).items():
        errors.add_row(kind, str(count))
    show(protocols, per_type, errors)


def _numbers(counts: object) -> list[str]:
    from ..scoring import Counts

    assert isinstance(counts, Counts)
    ratios = (counts.precision, counts.recall, counts.f1)
    return [*(f"{value:.2f}" for value in ratios), str(counts.tp), str(counts.fp), str(counts.fn)]


def _read(
    file: Path, data: Benchmark, target: str | None, split: str
) -> tuple[Sequence[Sentence], Sequence[Prediction], Collection[str]]:
    from .. import predictions
    from ..benchmark import SPLITS

    def split_of(sentence_id: str) -> tuple[Sequence[Sentence], Collection[str]]:
        domain, _, rest = sentence_id.partition("/")
        name = rest.partition("/")[0]
        if domain not in data.domains or name not in SPLITS:
            raise PredictionError(
                f"unknown sentence {sentence_id!r}", hint="an id is domain/split/number, such as ai/test/0"
            )
        corpus = data.corpus(domain)
        return getattr(corpus, name), corpus.types

    if not _is_jsonl(file):
        if target is None:
            raise OptionError(f"{file} is not JSONL; as a BIO file it needs --target", hint="add --target ai")
        if split not in SPLITS:
            raise OptionError(f"unknown split {split!r}", hint=did_you_mean(split, SPLITS))
        corpus = data.corpus(target)
        gold: Sequence[Sentence] = getattr(corpus, split)
        return gold, predictions.read_bio(file, gold, corpus.types), corpus.types
    found = predictions.read_jsonl(file, split_of)
    places = list(dict.fromkeys(p.sentence_id.rpartition("/")[0] for p in found))
    gold = [s for place in places for s in split_of(f"{place}/0")[0]]
    return gold, found, sorted({kind for place in places for kind in split_of(f"{place}/0")[1]})


def _is_jsonl(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            return stream.read(4096).lstrip().startswith("{")
    except OSError as error:
        raise PredictionError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PredictionError(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from None
