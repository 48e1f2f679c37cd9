"""Which gold sentences somebody's predictions are about: a benchmark's, those of a file, or a column beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...data import SPLITS, Benchmark, readers
from ...errors import OptionError, PredictionError, did_you_mean
from ...io import sha256
from ...types import Prediction, Reason, Sentence
from .. import text2text
from .matching import Split, check_ids, has_ids, match_ids, match_order

_Part = tuple[Split, Sequence[Prediction]]


@dataclass(frozen=True)
class Judged:
    """Gold splits with the predictions for their sentences, and what they are, in words: `gold`, and `cited` for who
    names them elsewhere. `splits` are the names of the parts, where they are a benchmark's; `renamed` are the types of
    predictions that were called otherwise.
    """

    gold: str
    parts: Sequence[_Part]
    cited: str = ""
    splits: Sequence[str] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def types(self) -> list[str]:
        """The types of all domains."""
        return sorted({kind for (_, types), _ in self.parts for kind in types})


def judge_by_column(file: readers.LabelledFile) -> Judged:
    """The predictions of a file by the gold tags beside them. Raises `PredictionError` for illegal gold tags."""
    if file.illegal_gold:
        raise PredictionError(
            f"{file.illegal_gold}, in the gold column", hint="name the benchmark's domain: --target ai"
        )
    sentences = [Sentence(f"gold/{n}", item.tokens or (), item.gold or ()) for n, item in enumerate(file.items)]
    cited = f"the gold column of {_cite(Path(file.name))}"
    return _judge_by(file, sentences, "the gold column of the same file", cited)


def judge_by_file(file: readers.LabelledFile, gold: Path) -> Judged:
    """The predictions of a file by another that has gold for the same sentences: by their ids, where gold has one for
    each and the file has any, else in the same order. Raises `PredictionError` for an id that stands twice.
    """
    found = readers.read_file(gold)
    sentences = readers.make_sentences(found, "gold")
    name = f"{gold}, {len(sentences):,} sentences"
    if not all(item.id for item in found.items) or not any(item.id for item in file.items):
        return _judge_by(file, sentences, name, _cite(gold))
    check_ids(found)
    named = [replace(sentence, id=item.id or "") for sentence, item in zip(sentences, found.items, strict=True)]
    split = named, _list_gold_types(named)
    return Judged(name, match_ids(file, lambda _: split), _cite(gold))


def judge_by_benchmark(file: readers.LabelledFile, data: Benchmark, target: str | None, split: str | None) -> Judged:
    """The predictions of a file by a benchmark: by the ids of their sentences, or as those of a domain's split.

    Raises `OptionError` where neither is known, `PredictionError` for sentences that are not the benchmark's.
    """
    name = f"{data.name} version {data.version}"
    cited = f"{data.title} (benchmark {name})"
    splits = _Splits(data)
    if target is None and split and has_ids(file):
        raise OptionError(
            f"the sentence ids of {file.name} say which split they are of, not --split {split}",
            hint=f"leave out --split, or name the domain, too: --target {_pick_target(data)}",
        )
    if target is None and has_ids(file):
        parts = match_ids(file, splits.of)
        return Judged(f"{name}, {', '.join(splits.found)}", splits.relabel(parts), cited, list(splits.found))
    if target is None:
        raise OptionError(
            f"{file.name} has no sentence ids such as {_pick_target(data)}/test/0, so it needs --target",
            hint=f"add --target {_pick_target(data)}, or --gold FILE",
        )
    split = split or "test"
    if split not in SPLITS:
        raise OptionError(f"unknown split {split!r}", hint=did_you_mean(split, SPLITS))
    place = f"{data.domain(target).name}/{split}"
    if has_ids(file):
        parts = match_ids(file, splits.only(place))
    else:
        chosen = splits.of(f"{place}/0")
        parts = [(chosen, match_order(file, chosen))]
    return Judged(f"{name}, {place}", splits.relabel(parts), cited, [place])


def rename_types(judged: Judged, renamed: Mapping[str, str]) -> Judged:
    """Predictions with gold's names of the types that they call otherwise. A text that they were read out of is read
    once more, with their names, and then left out: what a protocol reads out of it would be of the old types.

    Raises `OptionError` for a type that nothing is predicted of, and for one that no domain has.
    """
    predicted = sorted({kind for _, said in judged.parts for prediction in said for kind in list_types(prediction)})
    for old, new in renamed.items():
        if old not in predicted:
            raise OptionError(f"--map: nothing is predicted of the type {old!r}", hint=did_you_mean(old, predicted))
        if new not in judged.types:
            raise OptionError(f"--map: there is no type {new!r}", hint=did_you_mean(new, judged.types))

    def read(prediction: Prediction, sentence: Sentence, types: Collection[str]) -> Prediction:
        again = text2text.read_again(prediction, sentence, dict.fromkeys([*types, *renamed]))
        return replace(_rename(again, renamed), raw=None, read=None)

    parts = [
        ((gold, types), [read(p, sentence, types) for sentence, p in zip(gold, said, strict=True)])
        for (gold, types), said in judged.parts
    ]
    return replace(judged, parts=parts, renamed=dict(renamed))


def list_types(prediction: Prediction) -> list[str]:
    """The types of what was predicted, those that the domain does not have included."""
    unknown = [r.type for r in prediction.rejected if r.reason is Reason.UNKNOWN_TYPE]
    return [*(e.type for e in prediction.entities), *unknown]


def _pick_target(data: Benchmark) -> str:
    """A domain that predictions may be about, for an example."""
    return next((target for setting in data.settings.values() for target in setting.targets), next(iter(data.domains)))


def _cite(path: Path) -> str:
    """A file by its name and, where it can be read again, the beginning of its hash; the text that it is about, too."""
    place = path.expanduser()
    if not place.is_file():
        return readers.show_name(path)
    return " and ".join(f"{part.name} (SHA-256 {sha256(part)[:12]})" for part in readers.list_parts(place))


def _list_gold_types(sentences: Sequence[Sentence]) -> list[str]:
    return sorted({entity.type for sentence in sentences for entity in sentence.entities})


def _judge_by(file: readers.LabelledFile, sentences: Sequence[Sentence], name: str, cited: str) -> Judged:
    split = sentences, _list_gold_types(sentences)
    return Judged(name, [(split, match_order(file, split))], cited)


def _rename(prediction: Prediction, labels: Mapping[str, str]) -> Prediction:
    if not labels:
        return prediction
    named = tuple(replace(e, type=labels.get(e.type, e.type)) for e in prediction.entities)
    rejected = tuple(replace(r, type=labels.get(r.type, r.type)) for r in prediction.rejected)
    tags = prediction.tags and tuple(tag[:2] + labels.get(tag[2:], tag[2:]) for tag in prediction.tags)
    return replace(prediction, entities=named, rejected=rejected, tags=tags)


class _Splits:
    """The splits of a benchmark by the ids of their sentences; those that were asked for are `found`."""

    def __init__(self, data: Benchmark) -> None:
        self.data = data
        self.found: dict[str, Split] = {}

    def of(self, sentence_id: str) -> Split:
        """The split of a sentence. Raises `PredictionError` for an id that is none."""
        domain, _, rest = sentence_id.partition("/")
        name = rest.partition("/")[0]
        if domain not in self.data.domains or name not in SPLITS:
            hint = f"an id is domain/split/number, such as {_pick_target(self.data)}/test/0"
            raise PredictionError(f"unknown sentence {sentence_id!r}", hint=hint)
        if f"{domain}/{name}" not in self.found:
            corpus = self.data.corpus(domain)
            self.found[f"{domain}/{name}"] = (getattr(corpus, name), corpus.types)
        return self.found[f"{domain}/{name}"]

    def relabel(self, parts: Sequence[_Part]) -> list[_Part]:
        """Predictions whose types are those of the domain's files, with the words that the benchmark has for them."""
        return [
            (split, [_rename(prediction, self._find_labels(split)) for prediction in said]) for split, said in parts
        ]

    def _find_labels(self, split: Split) -> Mapping[str, str]:
        domain = next(place for place, found in self.found.items() if found is split).partition("/")[0]
        return self.data.domain(domain).labels

    def only(self, split: str) -> Callable[[str], Split]:
        """As `of`, for the sentences of one split."""

        def of(sentence_id: str) -> Split:
            if not sentence_id.startswith(f"{split}/"):
                hint = "leave out --target, or choose another"
                raise PredictionError(f"{sentence_id!r} is not of {split}", hint=hint)
            return self.of(sentence_id)

        return of
