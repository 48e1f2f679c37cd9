"""What models put around an answer: packaging costs nothing in the lenient reading, claims count in both."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdner_bench import Entity, Prediction, Sentence, sentence_counts, text2text
from cdner_bench.data import Benchmark
from cdner_bench.scoring import score
from strategies import TYPES, sentences

SENTENCE = Sentence(
    "x/0",
    ("Ada", "Lovelace", "met", "Alan", "Turing", "in", "New", "York", "."),
    (Entity(0, 2, "person"), Entity(3, 5, "person"), Entity(6, 8, "programming language")),
)
KINDS = ("person", "programming language", "location", "product")
ITEMS = ("(person, Ada Lovelace)", "(person, Alan Turing)", "(programming language, New York)")
RIGHT = " ".join(ITEMS)
PAIRS = [("person", "Ada Lovelace"), ("person", "Alan Turing"), ("programming language", "New York")]
OBJECTS = [{"type": kind, "text": text} for kind, text in PAIRS]


def f1(text: str, *, strict: bool = False) -> float:
    return sentence_counts(SENTENCE, text2text.read(text, SENTENCE, KINDS, strict=strict)).f1


WRAPPED = {
    "nothing": RIGHT,
    "a line each": "\n".join(ITEMS),
    "commas": ", ".join(ITEMS),
    "semicolons": "; ".join(ITEMS) + ".",
    "and": " and ".join(ITEMS),
    "dashes": "\n".join(f"- {item}" for item in ITEMS),
    "bullets": "\n".join(f"• {item}" for item in ITEMS),
    "stars": "\n".join(f"* {item}" for item in ITEMS),
    "numbers": "\n".join(f"{n}. {item}" for n, item in enumerate(ITEMS, start=1)),
    "numbers in brackets": "\n".join(f"({n}) {item}" for n, item in enumerate(ITEMS, start=1)),
    "numbers with a bracket": "\n".join(f"{n}) {item}" for n, item in enumerate(ITEMS, start=1)),
    "numbers with indent": "\n".join(f"   {n}. {item}" for n, item in enumerate(ITEMS, start=1)),
    "bold": "\n".join(f"**{item}**" for item in ITEMS),
    "bold in a line": ", ".join(f"**{item}**" for item in ITEMS),
    "bold bullets": "\n".join(f"- **{item}**" for item in ITEMS),
    "code": "\n".join(f"`{item}`" for item in ITEMS),
    "a fence": f"```\n{RIGHT}\n```",
    "a named fence": f"```text\n{RIGHT}\n```",
    "quotes": "\n".join(f'"{item}"' for item in ITEMS),
    "quotes in a line": ", ".join(f'"{item}"' for item in ITEMS),
    "single quotes": ", ".join(f"'{item}'" for item in ITEMS),
    "an outer bracket": f"[{', '.join(ITEMS)}]",
    "an outer bracket, a line each": "[\n" + ",\n".join(ITEMS) + "\n]",
    "a list of quoted items": "[" + ", ".join(f'"{item}"' for item in ITEMS) + "]",
    "a lead-in": f"Here are the entities:\n{RIGHT}",
    "a lead-in in the line": f"Here are the entities: {RIGHT}",
    "a lead-in and bullets": "Sure! Here are the named entities:\n\n" + "\n".join(f"- {i}" for i in ITEMS),
    "a closing line": f"{RIGHT}\nLet me know if you need anything else!",
    "a note": f"{RIGHT}\n\nNote: I was not sure about the last one (it may be a city).",
    "an end mark": f"{RIGHT}</s>",
    "padding": f"<pad> {RIGHT}</s><pad><pad>",
    "a chat's end mark": f"{RIGHT}<|im_end|>",
    "a chat's marks": f"<|assistant|>\n{RIGHT}<|end|>",
    "thinking": f"<think>Ada is a person, (location, Paris) is not there.</think>\n{RIGHT}",
    "thinking in lines": f"<think>\nfirst\n(product, met)\n</think>\n\n{RIGHT}",
    "thinking whose mark was in the prompt": f"Ada is a person.\n</think>\n{RIGHT}",
    "types in capitals": RIGHT.replace("person", "Person").replace("programming", "Programming"),
    "types in upper case": RIGHT.replace("person", "PERSON").replace("programming language", "PROGRAMMING LANGUAGE"),
    "an underscore": RIGHT.replace("programming language", "programming_language"),
    "no blank": RIGHT.replace("programming language", "ProgrammingLanguage"),
    "a hyphen": RIGHT.replace("programming language", "programming-language"),
    "quoted parts": ", ".join(f'("{kind}", "{text}")' for kind, text in PAIRS),
    "quoted mentions": ", ".join(f"({kind}, '{text}')" for kind, text in PAIRS),
    "bold mentions": ", ".join(f"({kind}, **{text}**)" for kind, text in PAIRS),
    "repeats": f"{RIGHT} {ITEMS[0]}",
    "type, colon, words": "\n".join(f"{kind}: {text}" for kind, text in PAIRS),
    "bullets with colons": "\n".join(f"- **{kind.title()}**: {text}" for kind, text in PAIRS),
    "brackets with colons": " ".join(f"({kind}: {text})" for kind, text in PAIRS),
    "words, colon, type": "\n".join(f"{text}: {kind}" for kind, text in PAIRS),
    "words and type in brackets": "\n".join(f"- {text} ({kind})" for kind, text in PAIRS),
    "an arrow": "\n".join(f"{text} → {kind}" for kind, text in PAIRS),
    "the sentence repeated": f"Sentence: {SENTENCE.text}\nEntities: {RIGHT}",
    "JSON": json.dumps({"entities": OBJECTS}),
    "JSON in a fence": f"```json\n{json.dumps({'entities': OBJECTS}, indent=1)}\n```",
    "JSON behind a lead-in": f"Here is the JSON:\n```json\n{json.dumps({'entities': OBJECTS})}\n```\nDone.",
    "JSON behind thinking": f"<think>hm</think>{json.dumps({'entities': OBJECTS})}",
    "an array": json.dumps(OBJECTS),
    "other keys": json.dumps([{"label": kind, "entity": text} for kind, text in PAIRS]),
    "entity and word": json.dumps([{"entity": kind, "word": text} for kind, text in PAIRS]),
    "keys in words": json.dumps([{"entity type": kind, "entity": text} for kind, text in PAIRS]),
    "pairs": json.dumps(PAIRS),
    "pairs the other way round": json.dumps([[text, kind] for kind, text in PAIRS]),
    "by type": json.dumps(
        {"person": ["Ada Lovelace", "Alan Turing"], "programming language": ["New York"], "product": []}
    ),
    "by words": json.dumps({text: kind for kind, text in PAIRS}),
    "objects a line": "\n".join(map(json.dumps, OBJECTS)),
    "JSON with types in capitals": json.dumps([{"type": kind.upper(), "text": text} for kind, text in PAIRS]),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_how_an_answer_is_wrapped_costs_nothing(name: str) -> None:
    assert f1(WRAPPED[name]) == 100, text2text.read(WRAPPED[name], SENTENCE, KINDS)


FORGIVEN_NOTHING = ("nothing", "a line each", "commas", "semicolons", "repeats", "JSON")


@pytest.mark.parametrize("name", WRAPPED)
def test_the_strict_reading_forgives_nothing(name: str) -> None:
    assert (f1(WRAPPED[name], strict=True) == 100) == (name in FORGIVEN_NOTHING)


NOTHING = [
    "",
    "None",
    "none.",
    "No entities",
    "There are no named entities in the given sentence.",
    "[]",
    "{}",
    "N/A",
    '{"entities": []}',
    '{"entities": null}',
    "(none)",
    "(none, none)",
    "(person, none)",
    "person: none",
    "null",
    "```json\n[]\n```",
    "<think>There are none.</think>",
    "<think>x</think>\nNone",
    "</s>",
    "-",
    '{"person": []}',
    "I could not find any entities of these types.",
]


@pytest.mark.parametrize("text", NOTHING)
def test_to_find_nothing_is_no_claim(text: str) -> None:
    found = text2text.read(text, SENTENCE, KINDS)
    assert found.entities == ()
    assert {r.reason for r in found.rejected} <= {"prose"}
    assert sentence_counts(SENTENCE, found).fp == 0


CLAIMS = {
    "an item that was begun": (f"{RIGHT} (person, Ala", "malformed"),
    "a type that was begun": (f"{RIGHT} (pers", "malformed"),
    "a bracket that was begun": (f"{RIGHT} (", None),
    "JSON that was begun": (json.dumps(OBJECTS)[:-1] + ', {"type": "person", "te', "malformed"),
    "thinking that did not end": (f"{RIGHT}\n<think>and then", "malformed"),
    "a type that is none": (f"{RIGHT} (city, Ada)", "unknown type"),
    "a type in JSON that is none": (json.dumps([*OBJECTS, {"type": "city", "text": "Ada"}]), "unknown type"),
    "a mention that is not there": (f"{RIGHT} (person, Bob)", "not in sentence"),
    "a second type": (f"{RIGHT} (location, New York)", "occupied"),
    "a mention without a type": (f"{RIGHT}\nAda Lovelace", "malformed"),
    "a mention in brackets": (f"{RIGHT}\n(New York)", "malformed"),
    "a line that claims": (f"{RIGHT}\nperson: Bob", "not in sentence"),
    "an object without words": (json.dumps([*OBJECTS, {"type": "person"}]), "malformed"),
    "a text in an array": (json.dumps([*OBJECTS, "Ada Lovelace"]), "malformed"),
    "mentions in another case": (f"{RIGHT} (person, ada lovelace)", "not in sentence"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_counts(name: str) -> None:
    text, reason = CLAIMS[name]
    found = text2text.read(text, SENTENCE, KINDS)
    assert [r.reason for r in found.rejected if r.reason != "prose"] == ([reason] if reason else [])
    assert sentence_counts(SENTENCE, found).fp == (reason is not None)
    assert sentence_counts(SENTENCE, found).tp == 3


def test_types_that_are_one_but_for_case_are_not_guessed() -> None:
    found = text2text.read("(PER, Ada Lovelace)", SENTENCE, ("per", "Per"))
    assert [r.reason for r in found.rejected] == ["unknown type"]


def test_marks_that_the_sentence_has_are_no_packaging() -> None:
    odd = Sentence("x", ("**", "Ada", "**", "`", "</s>"), (Entity(0, 3, "person"),))
    for text in ("(person, ** Ada **)", "Here: (person, ** Ada **)"):
        assert text2text.read(text, odd, KINDS).entities == odd.entities


@given(sentences())
def test_gold_survives_every_wrapping(sentence: Sentence) -> None:
    gold = text2text.answer(sentence)
    placed = text2text.read(gold, sentence, TYPES, strict=True).entities
    for wrapped in (gold, f"{gold}</s>", f"<think>hm</think>{gold}", f"```\n{gold}\n```"):
        found = text2text.read(wrapped, sentence, TYPES)
        assert (found.entities, [r for r in found.rejected if r.reason != "prose"]) == (placed, [])


@given(st.text(alphabet='(){}[]<>/|,:*`-"\n 1.aPpersonAdthink', max_size=60), sentences())
def test_any_text_is_read(text: str, sentence: Sentence) -> None:
    found = text2text.read(text, sentence, TYPES)
    assert not any(c.isalnum() for c in text) or found.entities or found.rejected or "<" in text


def test_both_readings_stand_side_by_side() -> None:
    said = [text2text.read(WRAPPED["bullets"], SENTENCE, KINDS)]
    scores = score([SENTENCE], said, KINDS)
    assert scores.counts().f1 == 100
    assert scores.counts("strict-reading").f1 == pytest.approx(600 / 7)
    assert scores.answers == {"read": 1}


def test_prose_is_counted_and_costs_nothing() -> None:
    said = [text2text.read(WRAPPED["a lead-in"], SENTENCE, KINDS)]
    assert score([SENTENCE], said, KINDS).answers == {"read": 1, "prose": 1}
    assert score([SENTENCE], said, KINDS).counts("string-multiset").f1 == 100


def test_what_was_read_before_is_read_again() -> None:
    before = text2text.read(WRAPPED["bullets"], SENTENCE, KINDS, strict=True)
    assert before.rejected
    for kept in (before, replace(before, read=None)):  # files of before the two readings do not say how they were read
        assert text2text.read_again(kept, SENTENCE, KINDS).entities == SENTENCE.entities
    assert text2text.read_again(replace(before, unseen=2), SENTENCE, KINDS).unseen == 2
    own = Prediction("x/0", SENTENCE.entities, raw="Ada Lovelace=PER")
    assert text2text.read_again(own, SENTENCE, KINDS) is own
    lower = text2text.read(RIGHT.lower(), SENTENCE, KINDS, fold=True)
    assert text2text.read_again(lower, SENTENCE, KINDS) == lower
    spans = Prediction("x/0", SENTENCE.entities)
    assert text2text.read_again(spans, SENTENCE, KINDS) is spans


def test_gold_answers_of_all_corpora_are_read_alike_in_both_readings(mini: Benchmark) -> None:
    for name in mini.domains:
        corpus = mini.corpus(name)
        for sentence in (*corpus.train, *corpus.dev, *corpus.test):
            text = text2text.answer(sentence)
            assert text2text.read(text, sentence, corpus.types).entities == sentence.entities
            assert text2text.read(text, sentence, corpus.types, strict=True).entities == sentence.entities
