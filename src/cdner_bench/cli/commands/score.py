"""`cdner-bench score` and `cdner-bench rescore`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError, PredictionError, did_you_mean
from ..common import HERE, BenchmarkName, Disabled, Out, PluginFiles, choose_benchmark, make_table, show

if TYPE_CHECKING:
    from ...data import Benchmark
    from ...scoring import Counts, Split
    from ...types import Prediction

COUNTED = ("precision", "recall", "F1", "tp", "fp", "fn")


def score(
    file: Annotated[Path, typer.Argument(help="JSONL with spans or generated text, or two-column BIO.")],
    benchmark: BenchmarkName = None,
    target: Annotated[str | None, typer.Option(help="The domain of a BIO file.")] = None,
    split: Annotated[str, typer.Option(help="The split of a BIO file.")] = "test",
) -> None:
    """Score anyone's predictions under every protocol. The format is told by the first character: { is JSONL."""
    from ... import scoring
    from ...scoring import diagnosis

    data = choose_benchmark(benchmark)
    parts = _read(file, data, target, split)
    scores = scoring.add_scores([scoring.score(gold, said, types) for (gold, types), said in parts])
    pairs = [pair for (gold, _), said in parts for pair in scoring.pair(gold, said)]

    protocols = make_table("protocol", *COUNTED, title=f"{len(pairs)} sentences", right=6)
    for name in scores.protocols:
        protocols.add_row(name, *_format_counts(scores.counts(name)))
    for name, value in diagnosis.lenient_f1(pairs).items():
        protocols.add_row(f"({name})", "", "", f"{value:.2f}", "", "", "")
    per_type = make_table("type", *COUNTED, title=f"{scoring.HEADLINE} per type", right=6)
    for kind, counts in scores.protocols[scoring.HEADLINE].items():
        per_type.add_row("(unknown type)" if kind == scoring.OUTSIDE else kind, *_format_counts(counts))
    errors = make_table("error", "count", title="Errors", right=1)
    for kind, count in diagnosis.count_errors(pairs).items():
        errors.add_row(kind, str(count))
    show(protocols, per_type, errors)


def rescore(
    out: Out = HERE,
    benchmark: Annotated[list[str], typer.Option(help="Only these; .toml files for your own.", metavar="NAME")] = [],
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> None:
    """Bring results to today's scorer and protocols, from the predictions that are kept beside them; trains nothing."""
    from ...data import benchmark as benchmarks
    from ...errors import ResultError
    from ...plugins import discover
    from ...running import Change
    from ...running import rescore as bring_to_today

    folder = out / "leaderboards" / "results"
    names = benchmark or [p.name for p in sorted(folder.glob("*")) if p.name in benchmarks.list_shipped()]
    if not names:
        raise ResultError(
            f"there are no results of shipped benchmarks in {folder}", hint="name yours: --benchmark FILE.toml"
        )
    registry = discover(plugin, no_plugin)
    changes: Counter[Change] = Counter()
    for name in names:
        for rescored in bring_to_today(out, benchmarks.load(name), registry):
            changes[rescored.change] += 1
            if rescored.change is not Change.NOTHING:
                print(f"{rescored.path}: {rescored.change}", flush=True)
    print("; ".join(f"{changes[change]} {change}" for change in Change if changes[change]) or "there are no results")


def _format_counts(counts: Counts) -> list[str]:
    ratios = (counts.precision, counts.recall, counts.f1)
    return [*(f"{value:.2f}" for value in ratios), str(counts.tp), str(counts.fp), str(counts.fn)]


def _read(file: Path, data: Benchmark, target: str | None, split: str) -> list[tuple[Split, list[Prediction]]]:
    from ...data import SPLITS
    from ...scoring import predictions

    splits: dict[str, Split] = {}

    def split_of(sentence_id: str) -> Split:
        domain, _, rest = sentence_id.partition("/")
        name = rest.partition("/")[0]
        if domain not in data.domains or name not in SPLITS:
            hint = "an id is domain/split/number, such as ai/test/0"
            raise PredictionError(f"unknown sentence {sentence_id!r}", hint=hint)
        corpus = data.corpus(domain)
        return splits.setdefault(f"{domain}/{name}", (getattr(corpus, name), corpus.types))

    if _is_jsonl(file):
        return predictions.read_jsonl(file, split_of)
    if target is None:
        raise OptionError(f"{file} is not JSONL; as a BIO file it needs --target", hint="add --target ai")
    if split not in SPLITS:
        raise OptionError(f"unknown split {split!r}", hint=did_you_mean(split, SPLITS))
    chosen_split = split_of(f"{data.domain(target).name}/{split}/0")
    return [(chosen_split, predictions.read_bio(file, chosen_split[0]))]


def _is_jsonl(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            return stream.read(4096).lstrip().startswith("{")
    except OSError as error:
        raise PredictionError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PredictionError(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from None
