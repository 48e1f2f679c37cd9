"""The metamorphic list of SCORING: what a trustworthy scorer survives."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nervaluate import Evaluator
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as lenient_ratios
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_ratios
from seqeval.scheme import IOB2
from seqscore.scoring import score_label_sequences
from sklearn.metrics import precision_recall_fscore_support

from cdner_bench import Counts, Cut, Entity, Prediction, Rejected, Sentence, conll, sentence_counts, text2text, total
from cdner_bench.data import Benchmark
from cdner_bench.errors import PredictionError
from cdner_bench.scoring import HEADLINE, PROTOCOLS, Scores, add_scores, score, tell_left_out
from cdner_bench.scoring.diagnosis import ERROR_CLASSES, count_errors, lenient_f1, list_errors
from cdner_bench.scoring.predictions import decode, encode
from cdner_bench.scoring.protocols.plain import count_by_spans
from cdner_bench.scoring.protocols.span_f1 import count_as_sets, count_with_seqeval, place_spans
from strategies import TYPES, pairs

Pairs = list[tuple[Sentence, Prediction]]


def of(found: Pairs, types: tuple[str, ...] = TYPES) -> Scores:
    return score([s for s, _ in found], [p for _, p in found], types)


def f1(found: Pairs, protocol: str = HEADLINE, types: tuple[str, ...] = TYPES) -> float:
    return of(found, types).counts(protocol).f1


def perfect(sentence: Sentence) -> Prediction:
    return Prediction(sentence.id, sentence.entities, tags=tuple(conll.tags(sentence.entities, len(sentence.tokens))))


# --- gold against gold -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("benchmark_name", ["mini", "crossner"])
def test_gold_against_gold_is_exactly_100(benchmark_name: str, request: pytest.FixtureRequest) -> None:
    data: Benchmark = request.getfixturevalue(benchmark_name)
    for name in data.domains:
        corpus = data.corpus(name)
        scores = score(corpus.test, [perfect(s) for s in corpus.test], corpus.types)
        for protocol in PROTOCOLS:
            if protocol != "topt-released":
                assert scores.counts(protocol).f1 == 100.0, (name, protocol)


def test_the_released_scorer_on_gold(crossner: Benchmark) -> None:
    """The gold entities its parser loses, and the one domain where it exceeds 100 (METHODS 1.3)."""
    from cdner_bench.scoring.protocols.released import parse_as_released

    lost = {}
    for name in crossner.setting("single").targets:
        corpus = crossner.corpus(name)
        lost[name] = sum(
            (e.type, s.surface(e)) not in found
            for s in corpus.test
            for found in [parse_as_released(text2text.answer(s))]
            for e in s.entities
        )
        read = score(corpus.test, [perfect(s) for s in corpus.test], corpus.types).counts("topt-released").f1
        assert (read > 100) == (name == "politics")
        if name == "politics":
            assert f"{read:.2f}" == "100.16"
    assert lost == {"ai": 5, "literature": 12, "music": 14, "politics": 7, "science": 14}


def test_the_released_scorer_joins_a_sentence_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many of its predictions are wrong."""
    joined: list[str] = []

    def join(sentence: Sentence) -> str:
        joined.append(sentence.id)
        return " ".join(sentence.tokens)

    monkeypatch.setattr(Sentence, "text", property(join))
    for size in (2, 50):
        sentence = Sentence(str(size), tuple(map(str, range(size))))
        said = Prediction(sentence.id, tuple(Entity(n, n + 1, "person") for n in range(size)))
        assert PROTOCOLS["topt-released"]([(sentence, said)], TYPES) == {"person": Counts(0, size, 0)}
    assert joined.count("50") == joined.count("2") <= 2


# --- the released scorer's worked examples (METHODS 1.3) -------------------------------------------------------------

ADA = "John Smith met Ada at the Massachusetts Institute of Technology in Paris ."
GOLD = "(person, John Smith) (person, Ada) (organisation, Massachusetts Institute of Technology) (location, Paris)"
MIT = "Massachusetts Institute of Technology"


def worked(text: str, gold: str, said: str, *, fold: bool = False) -> tuple[float, float]:
    types = ("person", "organisation", "location", "misc")
    bare = Sentence("s", tuple(text.split()))
    sentence = replace(bare, entities=text2text.read(gold, bare, types).entities)
    scores = score([sentence], [text2text.read(said, sentence, types, fold=fold)], types)
    return round(scores.counts().f1, 1), round(scores.counts("topt-released").f1, 1)


@pytest.mark.parametrize(
    ("said", "strict", "released"),
    [
        (GOLD, 100, 100),
        (GOLD.replace("(person, Ada) ", ""), 85.7, 93.3),
        (GOLD.replace(f"(organisation, {MIT}) ", ""), 85.7, 88.9),
        (GOLD.replace("(person, Ada) ", "").replace(" (location, Paris)", ""), 66.7, 85.7),
        (GOLD.replace("(person, Ada)", "(organisation, Ada)"), 75.0, 87.5),
        (GOLD.replace(f"(organisation, {MIT})", f"(location, {MIT})"), 75.0, 61.5),
        (GOLD.replace(MIT, "Institute of Technology"), 75.0, 66.7),
        (f"{GOLD} (person, Alan Turing)", 88.9, 100),
        (f"{GOLD} (person, as)", 88.9, 94.1),
        (GOLD.replace("(location, Paris)", "(city, Paris)"), 75.0, 93.3),
    ],
)
def test_the_released_scorer_reads_as_described(said: str, strict: float, released: float) -> None:
    assert worked(ADA, GOLD, said) == (strict, released)
    assert worked(ADA, GOLD, said.lower(), fold=True) == (strict, released)


def test_the_released_scorer_minds_the_case_of_a_model_that_knows_it() -> None:
    said = GOLD.replace("Ada", "ada")
    assert worked(ADA, GOLD, said) == (75.0, 93.3)  # "ada" is not in the sentence, which costs nothing there
    assert worked("it is in Paris , paris", "(location, Paris)", "(location, paris)") == (0.0, 0.0)


def test_the_released_scorer_exceeds_100() -> None:
    gold = "(person, Ada) (person, Ada) (person, Ada) (location, Paris)"
    assert worked("Ada met Ada and Ada in Paris", gold, gold) == (100, 133.3)
    assert worked("Ada met Ada and Ada in Paris", gold, "(person, Ada) (location, Paris)") == (66.7, 100)
    said = "(person, Ada) (person, Ada) (person, Ada)"
    assert worked("Ada lives in Paris", "(person, Ada) (location, Paris)", said) == (66.7, 120.0)


def test_the_released_parser_loses_commas_and_brackets() -> None:
    text = "The ACL ( 2020 ) meeting was in Paris , France"
    gold = "(misc, ACL ( 2020 ) meeting) (location, Paris , France)"
    assert worked(text, gold, gold) == (100, 0)


# --- other scorers agree ---------------------------------------------------------------------------------------------


@given(pairs(overlapping=False, unplaced=False))
def test_equals_seqeval_on_legal_bio(found: Pairs) -> None:
    true = [conll.tags(s.entities, len(s.tokens)) for s, _ in found]
    said = [conll.tags(p.entities, len(s.tokens)) for s, p in found]
    strict = f1_score(true, said, mode="strict", scheme=IOB2, zero_division=0)
    assert f1(found) == pytest.approx(100 * strict)
    assert f1(found, "bio-projected") == pytest.approx(100 * strict)
    assert f1(found, "seqeval-default") == pytest.approx(100 * f1_score(true, said, zero_division=0))


@given(pairs(overlapping=False, unplaced=False))
def test_equals_nervaluate_and_seqscore_on_legal_bio(found: Pairs) -> None:
    true = [conll.tags(s.entities, len(s.tokens)) for s, _ in found]
    said = [conll.tags(p.entities, len(s.tokens)) for s, p in found]
    strict = Evaluator(true, said, tags=list(TYPES), loader="list").evaluate()["overall"]["strict"]
    counts = of(found).counts()
    assert (counts.tp, counts.tp + counts.fp, counts.tp + counts.fn) == (
        strict.correct,
        strict.actual,
        strict.possible,
    )
    assert counts.f1 == pytest.approx(100 * strict.f1)
    theirs, _ = score_label_sequences(said, true, "BIO", repair=None)
    assert (counts.tp, counts.fp, counts.fn) == (theirs.true_pos, theirs.false_pos, theirs.false_neg)


@given(st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"]), min_size=1, max_size=10))
def test_lenient_reading_equals_seqeval_on_illegal_bio(tags: list[str]) -> None:
    gold = Sentence("s", ("w",) * len(tags), (Entity(0, 1, "a"),))
    true = conll.tags(gold.entities, len(tags))
    found = [(gold, Prediction("s", conll.chunks(tags), tags=tuple(tags)))]
    _, _, f, _ = lenient_ratios([true], [tags], average="micro", zero_division=0)
    assert f1(found, "seqeval-default", ("a", "b")) == pytest.approx(100 * f)


ANY_TAGS = st.lists(st.sampled_from(["O", *(f"{letter}-{kind}" for letter in "BI" for kind in TYPES)]), min_size=1)


@given(st.lists(st.tuples(ANY_TAGS, ANY_TAGS), min_size=1, max_size=4))
def test_strict_reading_of_tags_equals_seqeval(both: list[tuple[list[str], list[str]]]) -> None:
    """Nothing is repaired: gold that is legal, and tags that need not be."""
    found: Pairs = []
    for n, (gold, tags) in enumerate(both):
        size = min(len(gold), len(tags))
        entities, said = conll.chunks(gold[:size]), tuple(tags[:size])
        found.append((Sentence(f"{n}", ("w",) * size, entities), Prediction(f"{n}", conll.chunks(said), tags=said)))
    true = [conll.tags(s.entities, len(s.tokens)) for s, _ in found]
    raw = [list(p.tags or ()) for _, p in found]
    precision, recall, f, _ = strict_ratios(true, raw, mode="strict", scheme=IOB2, average="micro", zero_division=0)
    counts = of(found).counts("seqeval-strict")
    assert (counts.precision, counts.recall, counts.f1) == pytest.approx((100 * precision, 100 * recall, 100 * f))


@pytest.mark.parametrize(
    ("tags", "strict", "span", "strays"),
    [
        ("B-a I-a O B-b", Counts(2, 0, 0), Counts(2, 0, 0), 0),
        ("I-a I-a O B-b", Counts(1, 0, 1), Counts(2, 0, 0), 2),
        ("B-a I-b O B-b", Counts(1, 1, 1), Counts(1, 2, 1), 1),
        ("O I-a O I-b", Counts(0, 0, 2), Counts(1, 1, 1), 2),
        ("B-a I-a I-b B-b", Counts(2, 0, 0), Counts(2, 1, 0), 1),
        ("B-a I-a I-b I-b", Counts(1, 0, 1), Counts(1, 1, 1), 2),
    ],
)
def test_an_illegal_tag_is_dropped_in_strict_mode_and_said(
    tags: str, strict: Counts, span: Counts, strays: int
) -> None:
    gold = Sentence("s", ("w",) * 4, (Entity(0, 2, "a"), Entity(3, 4, "b")))
    found = [(gold, Prediction("s", conll.chunks(tags.split()), tags=tuple(tags.split())))]
    scores = of(found, ("a", "b"))
    assert (scores.counts("seqeval-strict"), scores.counts()) == (strict, span)
    told = [f"{strays} tags I-x that continue nothing are left out by seqeval-strict"] if strays else []
    assert tell_left_out(found) == told


@given(pairs(overlapping=False, unplaced=False))
def test_token_f1_equals_scikit_learn_on_types_of_tokens(found: Pairs) -> None:
    def spell(entities: tuple[Entity, ...], size: int) -> list[str]:
        return [tag[2:] or "O" for tag in conll.tags(entities, size)]

    true = [kind for s, _ in found for kind in spell(s.entities, len(s.tokens))]
    said = [kind for s, p in found for kind in spell(p.entities, len(s.tokens))]
    ratios = precision_recall_fscore_support(true, said, labels=list(TYPES), average="micro", zero_division=0)
    counts = of(found).counts("token-f1")
    assert (counts.precision, counts.recall, counts.f1) == pytest.approx([100 * float(r) for r in ratios[:3]])


@pytest.mark.parametrize(
    ("said", "expected", "left_out"),
    [
        (Prediction("s", (Entity(0, 3, "a"), Entity(3, 5, "a"))), Counts(5, 0, 0), 0),
        (Prediction("s", (Entity(0, 5, "a"),)), Counts(5, 0, 0), 0),  # side by side is as good as one over both
        (Prediction("s", (Entity(0, 2, "a"), Entity(4, 6, "a"))), Counts(3, 1, 2), 0),
        (Prediction("s", (Entity(0, 5, "b"),)), Counts(0, 5, 5), 0),
        (Prediction("s", (Entity(0, 5, "a"), Entity(0, 2, "a"))), Counts(5, 0, 0), 0),  # the same type once
        (Prediction("s", (Entity(0, 5, "a"), Entity(0, 2, "b"))), Counts(5, 2, 0), 0),
        (Prediction("s", (Entity(0, 5, "a"),), (Rejected("a", "Vulcan", "not in sentence"),)), Counts(5, 0, 0), 1),
        (Prediction("s", tags=("I-a", "I-a", "I-a", "B-a", "I-a", "O")), Counts(5, 0, 0), 0),
    ],
)
def test_tokens_count_with_their_types_and_without_boundaries(
    said: Prediction, expected: Counts, left_out: int
) -> None:
    gold = Sentence("s", ("w",) * 6, (Entity(0, 3, "a"), Entity(3, 5, "a")))
    assert of([(gold, said)], ("a", "b")).counts("token-f1") == expected
    told = "1 predictions that are not in their sentence are left out by token-f1"
    assert (told in tell_left_out([(gold, said)])) == bool(left_out)


@given(pairs())
def test_sets_of_spans_are_counted_as_seqeval_counts_tags(found: Pairs) -> None:
    """Beyond `LARGEST` sentences seqeval is not asked; it says the same."""
    types = TYPES[:2]
    placed = [place_spans(s, p) for s, p in found]
    true = [
        (len(s.tokens), [e for e in s.entities if e.type in types], [None] * len(extra))
        for (s, _), (_, extra) in zip(found, placed, strict=True)
    ]
    said = [(len(s.tokens), spans, extra) for (s, _), (spans, extra) in zip(found, placed, strict=True)]
    assert count_as_sets(true, said, types) == count_with_seqeval(true, said, types)


@given(pairs(), st.data())
def test_plain_predictions_are_counted_as_each_protocol_counts_them(found: Pairs, data: st.DataObject) -> None:
    """Beyond `LARGEST` sentences what cannot differ is counted once: with and without tags, legal and not."""
    any_tag = st.sampled_from(["O", *(f"{letter}-{kind}" for letter in "BI" for kind in TYPES)])
    mixed: Pairs = []
    for n, (sentence, prediction) in enumerate(found):
        size = len(sentence.tokens)
        tags = data.draw(st.lists(any_tag, min_size=size, max_size=size))
        of_tags = Prediction(sentence.id, conll.chunks(tags), tags=tuple(tags))
        gold = replace(sentence, id=f"{sentence.id}/gold")
        mixed += [(sentence, of_tags if n % 2 else prediction), (gold, Prediction(gold.id)), (gold, perfect(gold))]
    counted = count_by_spans(mixed, TYPES[:2])
    assert PROTOCOLS.keys() - counted == {"topt-released", "string-multiset", "token-f1"}
    assert counted == {name: PROTOCOLS[name](mixed, TYPES[:2]) for name in counted}


@given(pairs())
def test_the_fast_counter_equals_seqeval(found: Pairs) -> None:
    assert total(sentence_counts(s, p) for s, p in found) == of(found).counts()


def test_conlleval_joins_across_sentences() -> None:
    """METHODS 1.5: 0 where boundaries would give 100 and 66.7."""
    one = Sentence("1", ("w", "w"), (Entity(1, 2, "person"),))
    two = Sentence("2", ("w", "w"), (Entity(0, 1, "person"),))
    none = Sentence("2", ("w", "w"))
    said = [
        Prediction("1", (Entity(1, 2, "person"),), tags=("O", "B-person")),
        Prediction("2", (Entity(0, 1, "person"),), tags=("I-person", "O")),
    ]
    assert f1(list(zip([one, two], said, strict=True)), "conlleval-stream") == 0
    assert f1(list(zip([one, two], said, strict=True))) == 100
    nothing = [said[0], Prediction("2", tags=("O", "O"))]
    assert f1(list(zip([one, none], nothing, strict=True)), "conlleval-stream") == 100
    assert f1(list(zip([one, none], said, strict=True)), "conlleval-stream") == 0
    assert round(f1(list(zip([one, none], said, strict=True))), 1) == 66.7


# --- metamorphic -----------------------------------------------------------------------------------------------------

BOUNDED = [name for name in PROTOCOLS if name != "topt-released"]


@given(pairs())
def test_never_above_100_nor_below_0(found: Pairs) -> None:
    scores = of(found)
    for protocol in BOUNDED:
        counts = scores.counts(protocol)
        assert 0 <= counts.f1 <= 100
        assert min(counts.tp, counts.fp, counts.fn) >= 0


@given(pairs())
def test_gold_is_never_shrunk(found: Pairs) -> None:
    entities = [e for s, _ in found for e in s.entities]
    empty = [(s, Prediction(s.id)) for s, _ in found]
    for protocol in BOUNDED:
        gold = sum(e.end - e.start for e in entities) if protocol == "token-f1" else len(entities)
        assert of(found).counts(protocol).tp + of(found).counts(protocol).fn == gold
        assert of(empty).counts(protocol) == Counts(0, 0, gold)


@given(pairs())
def test_duplicates_never_raise_f1(found: Pairs) -> None:
    doubled = [(s, replace(p, entities=p.entities * 2)) for s, p in found]
    for protocol in BOUNDED:
        assert f1(doubled, protocol) == f1(found, protocol)
    again = [(s, replace(p, rejected=p.rejected * 2)) for s, p in found]
    assert f1(again) == f1(found)


@given(pairs(), st.sampled_from(["unknown type", "not in sentence", "malformed"]))
def test_an_unplaceable_prediction_lowers_precision(found: Pairs, reason: str) -> None:
    sentence, prediction = found[0]
    worse = [
        (
            sentence,
            replace(prediction, rejected=(*prediction.rejected, Rejected("planet", "Vulcan", reason))),
        ),
        *found[1:],
    ]
    for protocol in (HEADLINE, "string-multiset"):
        before, after = of(found).counts(protocol), of(worse).counts(protocol)
        assert after.fp == before.fp + 1
        assert after.precision < before.precision or before.tp == 0


@given(pairs())
def test_dropping_a_right_prediction_lowers_f1(found: Pairs) -> None:
    for n, (sentence, prediction) in enumerate(found):
        for entity in set(prediction.entities) & set(sentence.entities):
            fewer = replace(prediction, entities=tuple(e for e in prediction.entities if e != entity))
            assert f1([*found[:n], (sentence, fewer), *found[n + 1 :]]) < f1(found)


@given(pairs(), st.randoms(use_true_random=False))
def test_order_of_sentences_changes_nothing(found: Pairs, rng: random.Random) -> None:
    shuffled = rng.sample(found, len(found))
    for protocol in PROTOCOLS:
        assert of(shuffled).protocols[protocol] == of(found).protocols[protocol]


@given(pairs(), st.integers(0, 5))
def test_parts_add_up(found: Pairs, cut: int) -> None:
    parts = [of(part) for part in (found[:cut], found[cut:]) if part]
    for protocol in PROTOCOLS:
        assert total(part.counts(protocol) for part in parts) == of(found).counts(protocol)


@given(pairs())
def test_renaming_types_changes_nothing(found: Pairs) -> None:
    names = {"person": "a b", "location": "B-x", "misc": "O"}

    def renamed(kind: str) -> str:
        return names.get(kind, kind)

    other = [
        (
            replace(s, entities=tuple(replace(e, type=renamed(e.type)) for e in s.entities)),
            replace(
                p,
                entities=tuple(replace(e, type=renamed(e.type)) for e in p.entities),
                rejected=tuple(replace(r, type=renamed(r.type)) for r in p.rejected),
            ),
        )
        for s, p in found
    ]
    for protocol in BOUNDED:
        assert of(other, tuple(names.values())).counts(protocol) == of(found).counts(protocol)


@given(pairs())
def test_strict_is_below_boundary_only_is_below_partial(found: Pairs) -> None:
    lenient = lenient_f1(found)
    assert f1(found) <= lenient["boundary-only"] + 1e-9
    assert lenient["boundary-only"] <= lenient["partial"] + 1e-9


@given(pairs())
def test_every_error_is_in_one_class(found: Pairs) -> None:
    errors, counts = count_errors(list_errors(found)), of(found).counts()
    both = sum(errors[kind] for kind in ERROR_CLASSES if kind.startswith("wrong"))
    assert both + errors["missed"] == counts.fn
    assert both + errors["spurious"] + errors["unplaced"] == counts.fp


def pair_off(found: Pairs) -> list[tuple[str, Entity, Entity]]:
    """Errors of two sides by comparing every gold entity with every span that is left: short, and slow."""
    tests: dict[str, Callable[[Entity, Entity], bool]] = {
        "wrong type": lambda one, other: (one.start, one.end) == (other.start, other.end),
        "wrong boundary": lambda one, other: one.type == other.type and one.start < other.end and other.start < one.end,
        "wrong type and boundary": lambda one, other: one.start < other.end and other.start < one.end,
    }
    errors = []
    for sentence, prediction in found:
        gold = [e for e in sentence.entities if e not in prediction.entities]
        said = sorted(set(prediction.entities) - set(sentence.entities))
        for kind, alike in tests.items():
            for entity in list(gold):
                partner = next((span for span in said if alike(entity, span)), None)
                if partner:
                    gold.remove(entity)
                    said.remove(partner)
                    errors.append((kind, entity, partner))
    return errors


@given(pairs())
def test_errors_of_two_sides_are_those_of_all_comparisons(found: Pairs) -> None:
    listed = [(m.kind, m.gold, m.said) for m in list_errors(found) if m.kind.startswith("wrong")]
    assert listed == pair_off(found)


def test_every_span_of_an_unknown_type_counts() -> None:
    gold = Sentence("s", ("w", "w", "w"), (Entity(0, 1, "a"),))
    said = Prediction("s", (Entity(0, 1, "a"), Entity(1, 2, "planet"), Entity(2, 3, "planet")))
    assert score([gold], [said], ("a",)).counts() == Counts(1, 2, 0)


def test_a_repeat_is_free_only_of_what_was_placed() -> None:
    gold = Sentence("s", ("Ada", "w"), (Entity(0, 1, "a"),))
    claims = (Rejected("a", "Ada", "repeat"), Rejected("x", "Vulcan", "repeat"), Rejected("a", "Vulcan", "repeat"))
    assert score([gold], [Prediction("s", gold.entities, claims)], ("a",)).counts() == Counts(1, 2, 0)


@given(pairs(), pairs())
def test_corpora_scored_apart_add_up(one: Pairs, other: Pairs) -> None:
    both = add_scores([of(one), of(other)])
    for protocol in PROTOCOLS:
        assert both.counts(protocol) == of(one).counts(protocol) + of(other).counts(protocol)
    assert len(both.sentences) == len(one) + len(other)


def test_error_classes() -> None:
    gold = Sentence("s", ("w",) * 12, tuple(Entity(i, i + 2, "a") for i in (0, 2, 4, 6)))
    said = (Entity(0, 2, "b"), Entity(2, 3, "a"), Entity(4, 5, "b"), Entity(9, 10, "a"))
    errors = count_errors(list_errors([(gold, Prediction("s", said, (Rejected("a", "x", "not in sentence"),)))]))
    assert errors == dict.fromkeys(ERROR_CLASSES, 1)


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        ([], "0 predictions for 1"),
        ([Prediction("b")], "expected a prediction for a, found one for b"),
        ([Prediction("a", (Entity(0, 9, "x"),))], "ends outside"),
        ([Prediction("a", tags=("O",))], "1 tags for 2 tokens"),
    ],
)
def test_predictions_must_pair_up(predictions: list[Prediction], message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        score([Sentence("a", ("v", "w"))], predictions, ("x",))


@settings(max_examples=20)
@given(pairs())
def test_no_protocol_minds_empty_corpora(found: Pairs) -> None:
    assert of([]).counts().f1 == 0
    assert of([(replace(s, entities=()), Prediction(s.id)) for s, _ in found]).counts().f1 == 0


def test_what_was_odd_about_generated_answers_is_counted() -> None:
    gold = [Sentence(f"s/{n}", ("Ada", "met", "Bo")) for n in range(3)]
    said = ["(task, Ada) (task, Ada)", "(task, Cy) (x, Bo) and", ""]
    read = [text2text.read(text, s, ["task"]) for text, s in zip(said, gold, strict=True)]
    read[1] = replace(read[1], cut=(Cut.PROMPT, Cut.ANSWER))
    assert score(gold, read, ["task"]).answers == {
        "read": 3, "repeat": 1, "not in sentence": 1, "unknown type": 1, "prose": 1,
        "prompt cut": 1, "answer cut": 1,
    }  # fmt: skip
    assert score(gold, [Prediction(s.id) for s in gold], ["task"]).answers == {}
    (line,) = [encode(p) for p in read if p.cut]
    assert decode(line, gold[1], ["task"]) == read[1]
    with pytest.raises(PredictionError, match='"answer"'):
        decode(line.replace('"prompt"', '"end"'), gold[1], ["task"])
