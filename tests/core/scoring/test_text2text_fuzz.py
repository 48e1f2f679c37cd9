"""Every piece of whatever a model says is accounted for. perf/linear.py measures how long the reading takes."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdner_bench import Prediction, Sentence, text2text
from cdner_bench.data import Benchmark
from cdner_bench.scoring.text2text import Mention, align, parse, read
from cdner_bench.scoring.text2text.packaging import unwrap
from strategies import TYPES, sentences

COMPLETIONS = 100_000
SYNTAX = str.maketrans("", "", "(),;.")
PIECES = (
    "(", ")", "((", "))", "()", "(,)", "(, )", ",", ", ", ";", ".", " ", "\n", "\t", "\r\n", "\x00", "\x07",
    "\x1b[31m", "\x1c", "\x85", "\u00a0", "\u200b", "\u2028", "\ufeff", "\ud800", "é", "e\u0301", "ﬁ", "ﷺ", "İ",
    "王", "🙂", "<unk>", "<unk><unk>", "</s>", "<extra_id_0>", "Sure! Here are the entities:",
    "I cannot help with that.", "```json\n", "```", '{"person": ["Ada"]}',
    '[{"type": "person", "text": "Ada"}]', "**", "- ", "1. ", "| person | Ada |", "(person, Ada",
    "person, Ada)", "(person: Ada)", "(person,Ada)", "(person , Ada)", "( person, Ada)", "(Person, Ada)",
    "(alien, Ada)", "(person, )", "(person, <unk>)", "[/INST]", "\\", "%s", "{}", "__import__('os')", "[bold]",
)  # fmt: skip
Mutation = Callable[[random.Random, str, Sentence], str]


def cut(rng: random.Random, text: str, _: Sentence) -> str:
    start = rng.randrange(len(text) + 1)
    return text[start:] if rng.random() < 0.5 else text[:start]


def repeat(rng: random.Random, text: str, _: Sentence) -> str:
    start, end = sorted(rng.choices(range(len(text) + 1), k=2))
    return text[:start] + text[start:end] * rng.randint(2, 4) + text[end:]


def swap(rng: random.Random, text: str, _: Sentence) -> str:
    return text.translate(str.maketrans("()", rng.choice([")(", "[]", "{}", "<>", "((", "))"])))


def insert(rng: random.Random, text: str, _: Sentence) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(PIECES) + text[at:]


def run_on(rng: random.Random, text: str, _: Sentence) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(PIECES) * rng.randint(20, 200) + text[at:]


def nest(rng: random.Random, text: str, _: Sentence) -> str:
    depth = rng.randint(1, 30)
    return "(" * depth + text + ")" * rng.randint(0, depth)


def retype(rng: random.Random, text: str, _: Sentence) -> str:
    return re.sub(r"\([^,()]*, ", lambda m: rng.choice([m[0], "(alien, ", "(<unk>, ", "(, ", "(a b , "]), text)


def unknown(rng: random.Random, text: str, _: Sentence) -> str:
    return "".join("<unk>" if c.isalnum() and rng.random() < 0.1 else c for c in text)


def copy(rng: random.Random, text: str, sentence: Sentence) -> str:
    start, end = sorted(rng.choices(range(len(sentence.tokens) + 1), k=2))
    return f"{text} (person, {' '.join(sentence.tokens[start:end])})"


def shuffle(rng: random.Random, text: str, _: Sentence) -> str:
    pieces = text.split(" ")
    rng.shuffle(pieces)
    return rng.choice(["", " ", "\n"]).join(pieces)


MUTATIONS: tuple[Mutation, ...] = (cut, repeat, swap, insert, insert, insert, nest, retype, unknown, copy, shuffle)


def completions(rng: random.Random, gold: Sequence[Sentence], count: int) -> Iterator[tuple[str, Sentence]]:
    """Gold answers, changed once to four times; one in fifty with a long run of something."""
    for _ in range(count):
        sentence = rng.choice(gold)
        text = text2text.answer(sentence)
        for mutation in rng.choices(MUTATIONS, k=rng.randint(1, 4)):
            text = mutation(rng, text, sentence)
        yield (run_on(rng, text, sentence) if rng.random() < 0.02 else text), sentence


def content(*texts: str) -> Counter[str]:
    """How often each character occurs that is neither white space nor one of `( ) , ; .`."""
    return Counter("".join("".join(texts).translate(SYNTAX).split()))


def account(text: str, sentence: Sentence, types: Sequence[str]) -> Prediction:
    """Read an answer strictly, and assert that nothing of it is lost, doubled or out of place. In the lenient reading
    no claim is lost, either.
    """
    mentions, fragments = parse(text)
    found = read(text, sentence, types, strict=True)
    assert content(text) == content(*(part for m in mentions for part in (m.type, m.text)), *fragments)
    assert all(fragment.strip() for fragment in fragments)
    assert len(found.entities) + len(found.rejected) == len(mentions) + len(fragments)
    said = Counter([m.type for m in mentions] + ["?"] * len(fragments))
    assert Counter([e.type for e in found.entities] + [r.type for r in found.rejected]) == said
    assert {e.type for e in found.entities} <= set(types)
    end = 0
    for entity in found.entities:
        assert end <= entity.start < entity.end <= len(sentence.tokens)
        end = entity.end
    assert found.raw == text
    lenient = read(text, sentence, types)
    if not fragments:
        assert len(lenient.entities) + len(lenient.rejected) >= len(mentions)
    said_something = any(c.isalpha() for c in unwrap(text, sentence.text)[0])
    assert not said_something or lenient.entities or lenient.rejected
    assert {e.type for e in lenient.entities} <= set(types)
    return found


@pytest.mark.slow
def test_a_hundred_thousand_malformed_answers_are_accounted_for(mini: Benchmark) -> None:
    rng = random.Random(2406)
    corpora = [mini.corpus(name) for name in mini.domains]
    kinds: Counter[str] = Counter()
    for n in range(COMPLETIONS // 1000):
        corpus = corpora[n % len(corpora)]
        for text, sentence in completions(rng, (*corpus.train, *corpus.dev, *corpus.test), 1000):
            found = account(text, sentence, corpus.types)
            kinds.update(r.reason for r in found.rejected)
            kinds["placed"] += len(found.entities)
    # The mutations reach every way in which an item can end.
    assert {kind for kind, count in kinds.items() if count >= 1000} == {
        "placed", "malformed", "unknown type", "not in sentence", "repeat", "occupied"
    }  # fmt: skip


def test_reading_is_deterministic(mini: Benchmark) -> None:
    corpus = mini.corpus("music")
    once, again = (list(completions(random.Random(7), corpus.test, 2000)) for _ in range(2))
    assert once == again
    backwards = [*reversed(corpus.types)]
    for text, sentence in once:
        assert read(text, sentence, corpus.types) == read(text, sentence, backwards)


@given(st.text(max_size=200), sentences())
def test_arbitrary_text_is_accounted_for(text: str, sentence: Sentence) -> None:
    account(text, sentence, TYPES)


@given(st.lists(st.sampled_from([*PIECES, *TYPES, "Ada", "New York", "’s", "of"]), max_size=40), sentences())
def test_arbitrary_pieces_are_accounted_for(pieces: list[str], sentence: Sentence) -> None:
    account("".join(pieces), sentence, TYPES)


# --- the same reading, said by expressions: short, and too slow for text of any length -------------------------------

TYPE = r"[^\s,()](?:[^,()]{0,58}[^\s,()])?"
ITEM = re.compile(rf"\(({TYPE}),[ ]?((?:(?!\({TYPE}, ).)+?)\)(?=[\s,;.]*\({TYPE}, |[\s,;.]*\Z)", re.DOTALL)


@given(
    st.lists(st.sampled_from(["(", "(a, ", "(a,", ")", ") ", ", ", ".", " ", "\n", "x", "Ada", "(b b, "]), max_size=16)
)
def test_items_are_those_of_the_defining_expression(pieces: list[str]) -> None:
    text = "".join(pieces)
    defined = [(m.start(), m.end(), Mention(m[1], " ".join(m[2].split()))) for m in ITEM.finditer(text)]
    assert list(text2text.find_items(text)) == defined


@given(
    st.lists(st.sampled_from(["Ada", "A", "d", "da", "é", "Adad"]), min_size=1, max_size=6),
    st.lists(st.sampled_from(["<unk>", "A", "d", "a", "é", " "]), max_size=6),
)
def test_characters_are_found_as_by_the_defining_expression(tokens: list[str], pieces: list[str]) -> None:
    text = "".join(pieces).replace(" ", "")
    parts = ("\x00?".join(map(re.escape, part)) for part in text.split("<unk>"))
    inside = "\x00?[^\x00]+\x00?".join(parts)
    chars = "\x00".join(tokens)
    defined = []
    for match in re.finditer(f"(?<![^\x00])(?=({inside})(?![^\x00]))", chars) if text.replace("<unk>", "") else ():
        start = chars.count("\x00", 0, match.start())
        defined.append((start, start + match[1].count("\x00") + 1))
    assert text2text.Searchable(tokens).find_characters(text) == defined


@pytest.mark.parametrize("unknowns", [2, 20, 45])
def test_many_unknown_symbols_are_no_search_without_end(unknowns: int) -> None:
    """One that tries every way of dividing the characters among the symbols would never come back."""
    tokens = ("a" * 50,) * 5
    assert align([Mention("person", "<unk>" * unknowns + "z")], tokens, TYPES)[1][0].reason == "not in sentence"
    assert align([Mention("person", "<unk>" * unknowns + "a")], tokens, TYPES)[0]
