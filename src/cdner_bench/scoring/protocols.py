"""What counts. Gold sentences and predictions in, counts per entity type out, under named protocols.

The headline is `span-f1`, strict span micro-F1: a prediction is right when its start, end and type all match. It is
the only protocol that ranks. The others exist to compare with papers that scored differently; every run carries all
of them, computed from the same predictions.

Two rules make `span-f1` fair to every kind of method. Gold comes from the harness, never from a model's view of it.
And nothing predicted is dropped: what could not be placed in its sentence (`Rejected`) is a false positive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from seqeval.scheme import IOB2, Entities

from ..data import conll
from ..errors import PredictionError
from ..types import Entity, Prediction, Sentence
from . import text2text

HEADLINE = "span-f1"
OUTSIDE = "?"
"""The type under which predictions of unknown types are counted."""


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives, false negatives. Counts add; ratios (in percent, 0 if undefined) derive.

    `fn` is negative where a protocol finds more than there is, which `topt-released` can.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float:
        """Share of the predicted that is right."""
        return _percent(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """Share of the gold that was found."""
        return _percent(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _percent(2 * self.tp, 2 * self.tp + self.fp + self.fn)


PerType = Mapping[str, Counts]
Pairs = Sequence[tuple[Sentence, Prediction]]


def total(counts: Iterable[Counts]) -> Counts:
    """The micro sum."""
    return sum(counts, Counts())


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts per protocol and type, and the headline's counts per sentence (for paired tests)."""

    protocols: Mapping[str, PerType]
    sentences: Sequence[Counts]

    def counts(self, protocol: str = HEADLINE) -> Counts:
        """Micro counts under a protocol; `.f1` is the score."""
        return total(self.protocols[protocol].values())


def together(parts: Sequence[Scores]) -> Scores:
    """The scores of several corpora as one: counts add."""
    protocols = {
        name: {
            kind: total(part.protocols[name].get(kind, Counts()) for part in parts)
            for kind in sorted({kind for part in parts for kind in part.protocols[name]})
        }
        for name in PROTOCOLS
    }
    return Scores(protocols, [counts for part in parts for counts in part.sentences])


def score(gold: Sequence[Sentence], predictions: Sequence[Prediction], types: Collection[str]) -> Scores:
    """Score predictions under every protocol.

    `predictions` answer `gold` one to one and in order; `types` are the entity types of the domain.
    Raises `PredictionError` if they do not pair up or a span lies outside its sentence.
    """
    pairs = pair(gold, predictions)
    protocols = {name: protocol(pairs, types) for name, protocol in PROTOCOLS.items()}
    sentences = [sentence_counts(sentence, prediction) for sentence, prediction in pairs]
    if total(sentences) != total(protocols[HEADLINE].values()):
        raise AssertionError("the per-sentence counter disagrees with seqeval: please report this as a bug")
    return Scores(protocols, sentences)


def pair(gold: Sequence[Sentence], predictions: Sequence[Prediction]) -> list[tuple[Sentence, Prediction]]:
    """Check that predictions answer the gold sentences one to one, in order, inside their sentences."""
    if len(gold) != len(predictions):
        raise PredictionError(f"{len(predictions)} predictions for {len(gold)} sentences")
    for sentence, prediction in zip(gold, predictions, strict=True):
        if sentence.id != prediction.sentence_id:
            raise PredictionError(f"expected a prediction for {sentence.id}, found one for {prediction.sentence_id}")
        for entity in prediction.entities:
            if entity.end > len(sentence.tokens):
                raise PredictionError(
                    f"{sentence.id}: {entity} ends outside the sentence, which has {len(sentence.tokens)} tokens"
                )
        if prediction.tags is not None and len(prediction.tags) != len(sentence.tokens):
            raise PredictionError(f"{sentence.id}: {len(prediction.tags)} tags for {len(sentence.tokens)} tokens")
    return list(zip(gold, predictions, strict=True))


# --- the headline ----------------------------------------------------------------------------------------------------


def span_f1(pairs: Pairs, types: Collection[str]) -> PerType:
    """Strict span micro-F1, counted by seqeval (IOB2, strict).

    BIO has room for neither text that is not in the sentence nor overlapping spans, so each of those gets a position
    of its own after the sentence: gold `O`, prediction `B-type`. That makes seqeval's count exact for all methods.
    """
    true, predicted = [], []
    for sentence, prediction in pairs:
        placed, extra = _layers(sentence, prediction, frozenset(types))
        true.append(conll.tags(sentence.entities, len(sentence.tokens)) + ["O"] * len(extra))
        predicted.append(conll.tags(placed, len(sentence.tokens)) + [f"B-{kind}" for kind in extra])
    return _seqeval(true, predicted)


def sentence_counts(sentence: Sentence, prediction: Prediction) -> Counts:
    """The headline's counts of one sentence, by comparing sets of spans."""
    said, gold = frozenset(prediction.entities), frozenset(sentence.entities)
    right = len(said & gold)
    return Counts(right, len(said) - right + len(unplaced(sentence, prediction)), len(gold) - right)


def _layers(sentence: Sentence, prediction: Prediction, types: frozenset[str]) -> tuple[list[Entity], list[str]]:
    gold = frozenset(sentence.entities)
    placed: list[Entity] = []
    extra = [kind for kind, _ in unplaced(sentence, prediction)]
    # Right ones first: they never overlap one another, so no right prediction is ever moved out of its sentence.
    for entity in sorted(frozenset(prediction.entities), key=lambda e: (e not in gold, e)):
        clash = any(entity.start < other.end and other.start < entity.end for other in placed)
        if clash or entity.type not in types:
            extra.append(entity.type)
        else:
            placed.append(entity)
    return placed, [kind if kind in types else OUTSIDE for kind in extra]


def unplaced(sentence: Sentence, prediction: Prediction) -> list[tuple[str, str]]:
    """The distinct (type, text) of what could not be placed; to repeat what was placed is no second claim."""
    placed = frozenset((e.type, sentence.surface(e)) for e in prediction.entities)
    said = dict.fromkeys((r.type, r.text, r.reason) for r in prediction.rejected)
    claims = [(kind, text) for kind, text, reason in said if reason != "repeat" or (kind, text) not in placed]
    return list(dict.fromkeys(claims))


def _seqeval(true: list[list[str]], predicted: list[list[str]]) -> PerType:
    gold, said = Entities(true, scheme=IOB2), Entities(predicted, scheme=IOB2)
    counts = {}
    for kind in sorted(gold.unique_tags | said.unique_tags):
        of_gold, of_said = gold.filter(kind), said.filter(kind)
        right = len(of_gold & of_said)
        counts[kind] = Counts(right, len(of_said) - right, len(of_gold) - right)
    return counts


# --- the protocols of other papers -----------------------------------------------------------------------------------


def topt_released(pairs: Pairs, types: Collection[str]) -> PerType:
    """TOPT's released eval.py, from the generated text where there is one.

    A found entity counts its words, a missed one counts 1; a pair is matched as often as it is said; strings that
    are not in the sentence and unknown types cost nothing; entities with ", " or ") " inside are cut by its parser.
    It reads 7 to 9 points above `span-f1` and can exceed 100.
    """
    correct: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    true: Counter[str] = Counter()
    for sentence, prediction in pairs:
        gold = dict.fromkeys((e.type, sentence.surface(e)) for e in sentence.entities)
        true.update(kind for kind, _ in gold)
        for kind, text in parse_as_released(_said_as_text(sentence, prediction)):
            words = len(text.split(" "))
            if (kind, text) in gold:
                correct[kind] += words
                predicted[kind] += words
                true[kind] += words - 1
            elif kind in types and text in sentence.text:
                predicted[kind] += words
    kinds = sorted(true.keys() | predicted.keys())
    return {k: Counts(correct[k], predicted[k] - correct[k], true[k] - correct[k]) for k in kinds}


def parse_as_released(text: str) -> list[tuple[str, str]]:
    """The (type, text) pairs that the released scorer reads; it loses entities with a comma or a bracket in them."""
    pieces = text.replace(") ", "\n").removesuffix(")").split("\n")
    columns = [piece[1:].split(", ") for piece in pieces if ", " in piece]
    return [(c[0], c[1]) for c in columns if len(c) > 1]


def _said_as_text(sentence: Sentence, prediction: Prediction) -> str:
    if prediction.raw is not None:
        return prediction.raw
    rejected = (f"({r.type}, {r.text})" for r in prediction.rejected)
    return " ".join(filter(None, (text2text.answer(sentence, prediction.entities), *rejected)))


def string_multiset(pairs: Pairs, types: Collection[str]) -> PerType:
    """(type, string) pairs as a multiset per sentence, positions ignored: UIE, DeepKE, CP-NER."""
    counts: Counter[tuple[str, str]] = Counter()
    for sentence, prediction in pairs:
        gold = Counter((e.type, sentence.surface(e)) for e in sentence.entities)
        said = Counter((e.type, sentence.surface(e)) for e in frozenset(prediction.entities))
        said.update((r.type, r.text) for r in prediction.rejected)
        for verdict, items in (("tp", gold & said), ("fp", said - gold), ("fn", gold - said)):
            for (kind, _), n in items.items():
                counts[kind if kind in types else OUTSIDE, verdict] += n
    return {
        kind: Counts(counts[kind, "tp"], counts[kind, "fp"], counts[kind, "fn"])
        for kind in sorted({kind for kind, _ in counts})
    }


def bio_projected(pairs: Pairs, types: Collection[str]) -> PerType:
    """As `span_f1`, but what was not placed is forgotten: what most generative-NER code does. Flatters."""
    placed = [(s, _layers(s, p, frozenset(types))[0]) for s, p in pairs]
    return _seqeval(
        [conll.tags(s.entities, len(s.tokens)) for s, _ in placed],
        [conll.tags(entities, len(s.tokens)) for s, entities in placed],
    )


def seqeval_default(pairs: Pairs, types: Collection[str]) -> PerType:
    """Seqeval's lenient mode on a tagger's own tags: an `I-x` that continues nothing begins an `x`."""
    gold: set[tuple[int, Entity]] = set()
    said: set[tuple[int, Entity]] = set()
    for n, (sentence, prediction) in enumerate(pairs):
        gold.update((n, e) for e in sentence.entities)
        said.update((n, e) for e in conll.chunks(_said_as_tags(sentence, prediction, types)))
    return _set_counts(gold, said)


def conlleval_stream(pairs: Pairs, types: Collection[str]) -> PerType:
    """Conlleval over all sentences as one stream of tags, as CrossNER and LANER call it: no sentence boundaries."""
    true: list[str] = []
    predicted: list[str] = []
    for sentence, prediction in pairs:
        true += conll.tags(sentence.entities, len(sentence.tokens))
        predicted += _said_as_tags(sentence, prediction, types)
    return _set_counts({(0, e) for e in conll.chunks(true)}, {(0, e) for e in conll.chunks(predicted)})


def _said_as_tags(sentence: Sentence, prediction: Prediction, types: Collection[str]) -> Sequence[str]:
    if prediction.tags is not None:
        return prediction.tags
    return conll.tags(_layers(sentence, prediction, frozenset(types))[0], len(sentence.tokens))


def _set_counts(gold: set[tuple[int, Entity]], said: set[tuple[int, Entity]]) -> PerType:
    right, wrong, missed = (Counter(e.type for _, e in s) for s in (gold & said, said - gold, gold - said))
    return {k: Counts(right[k], wrong[k], missed[k]) for k in sorted(right.keys() | wrong.keys() | missed.keys())}


PROTOCOLS: Mapping[str, Callable[[Pairs, Collection[str]], PerType]] = {
    HEADLINE: span_f1,
    "topt-released": topt_released,
    "string-multiset": string_multiset,
    "bio-projected": bio_projected,
    "seqeval-default": seqeval_default,
    "conlleval-stream": conlleval_stream,
}


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
