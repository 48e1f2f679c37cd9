"""Making a GTOK corpus with a language model."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import Corpus, Entity, Sentence, gtok
from cdner_bench.data import Benchmark
from cdner_bench.errors import IncompleteError
from cdner_bench.knowledge import generation
from cdner_bench.llm import Client, Limits, Store, find_endpoint
from llm_server import Behaviour, FakeServer, completion, running
from support import Run


def client(fake: FakeServer, place: Path, **limits: Any) -> Client:
    chosen = Limits(**{"timeout": 0.5, "retries": 6, **limits})
    return Client(find_endpoint("fake", fake.url), Store(place / "store"), chosen, ledger=place / "asked")


M = find_endpoint("m", "http://somewhere/v1")


def test_the_released_prompt_and_the_paper_s(mini: Benchmark) -> None:
    corpus = mini.corpus("ai")
    sentence = corpus.train[0]
    released, paper = (
        next(generation.make_questions(corpus, M, generation.Sampling(wording))) for wording in ("released", "paper")
    )
    assert released.messages == (
        (
            "user",
            "Instruction: Take the text below and give an explanation of why the text span "
            f'"Geoffrey Hinton" can be labeled as "researcher".\n{sentence.text}',
        ),
    )
    assert paper.messages[0][1] == (
        f"Take the text {sentence.text} and give an explanation of why the text span Geoffrey Hinton "
        "can be labeled as researcher in the domain ai."
    )
    assert (released.temperature, released.top_p) == (0.1, 0.95)


def test_every_entity_is_asked_about_once_and_repeats_get_an_answer_of_their_own(mini: Benchmark) -> None:
    for name in ("ai", "music"):
        corpus = mini.corpus(name)
        keys = [q.key for q in generation.make_questions(corpus, M, generation.Sampling())]
        assert len(keys) == sum(len(s.entities) for s in corpus.train)
        assert len(set(keys)) == len(keys)


def test_a_repeated_entity_is_asked_about_with_another_seed() -> None:
    """A server that keeps to its seed would explain it twice in the same words."""
    bob, ada = Entity(0, 1, "person"), Entity(2, 3, "person")
    sentence = Sentence("s", ("Bob", "met", "Ada", "and", "Bob"), (bob, ada, Entity(4, 5, "person")))
    corpus = Corpus("c", ("person",), train=(sentence, replace(sentence, id="t")))
    asked = list(generation.make_questions(corpus, M, generation.Sampling(seed=7)))
    assert [(q.seed, q.sample) for q in asked] == [(7, 0), (7, 0), (8, 1)] * 2
    without = generation.make_questions(corpus, M, generation.Sampling(temperature=None))
    assert {q.seed for q in without} == {None}


def test_a_corpus_is_readable_and_complete(mini: Benchmark, tmp_path: Path) -> None:
    corpus = mini.corpus("ai")
    with running(Behaviour(content="It is one.")) as fake:
        records = list(generation.generate(corpus, client(fake, tmp_path), generation.Sampling()))
    gtok.write(tmp_path / "made.json", records)
    made = gtok.read(tmp_path / "made.json", corpus.without_test())
    gold = Counter((s.text, s.surface(e), e.type) for s in corpus.train for e in s.entities)
    assert Counter((e.sentence, e.span, e.type) for e in made) == gold


def test_interrupted_it_goes_on_entity_by_entity(mini: Benchmark, tmp_path: Path) -> None:
    corpus = mini.corpus("ai")
    with running(Behaviour(content="It is one.")) as fake:
        with pytest.raises(IncompleteError, match="max_requests=50"):
            list(generation.generate(corpus, client(fake, tmp_path, max_requests=50), generation.Sampling()))
        assert fake.answered.total() == 50
        records = list(generation.generate(corpus, client(fake, tmp_path), generation.Sampling()))
        assert set(fake.answered.values()) == {1}
    assert sum(len(r.explanations) for r in records) == fake.answered.total() == 167


def test_refusals_are_left_out(mini: Benchmark, tmp_path: Path) -> None:
    with running(Behaviour(always="refusal")) as fake:
        asked = client(fake, tmp_path, attempts=1)
        records = list(generation.generate(mini.corpus("ai"), asked, generation.Sampling()))
    assert all(r.explanations == () for r in records)
    assert asked.usage("released").states == {"refused": 167}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One. Two. Thr", "One. Two."),
        ("One. Two.", "One. Two."),
        ("One.\n\nTwo", "One."),
        ("v1.5 of a thing", "v1.5 of a thing"),
        ("Is it? Yes", "Is it?"),
    ],
)
def test_a_cut_off_explanation_ends_with_its_last_sentence(text: str, kept: str) -> None:
    assert generation.keep_whole_sentences(text) == kept


def test_from_the_command_line(tmp_path: Path, cli: Run) -> None:
    command = ["gtok", "generate", "--domain", "ai", "--benchmark", "mini", "--out", "made.json"]
    with running(Behaviour(content="It is one.")) as fake:
        done = cli(*command, "--llm", fake.url, "--model", "fake", "--concurrency", 16, OPENAI_API_KEY="")
        assert done.returncode == 0, done.stderr
    assert "167 requests, 0 of them answered before" in done.stdout
    assert "next: cdner-bench gtok clean made.json" in done.stdout
    assert len(json.loads((tmp_path / "made.json").read_text())) == 40
    assert not list(tmp_path.glob(".*.requests"))


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["--llm", "http://127.0.0.1:9/v1"], "which model there?", "add --model NAME"),
        (["--llm", "http://127.0.0.1:9/v1", "--model", "m"], "cannot be reached", "base_url=local"),
        (["--llm", "nowhere", "--model", "m"], "no address of a server", "http://host:port/v1"),
        (["--llm", "local", "--wording", "free"], "unknown wording 'free'", "choose from: released, paper"),
        (["--llm", "local", "--domain", "art"], "no domain", "choose from"),
        (["--llm", "local", "--model", "minilm"], "minilm is no language model", "take smollm2"),
        (["--llm", "hf:/no/such/folder"], "does not come up", "cdner-bench llm serve hf:/no/such/folder"),
    ],
)
def test_mistakes(arguments: list[str], said: str, hint: str, typed: Run) -> None:
    domain = [] if "--domain" in arguments else ["--domain", "ai"]
    done = typed("gtok", "generate", "--benchmark", "mini", "--out", "made.json", *domain, *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert hint in done.stderr


def test_what_is_no_explanation_is_left_out_and_thoughts_are_dropped(mini: Benchmark, tmp_path: Path) -> None:
    corpus = mini.corpus("ai")
    with running(Behaviour(content="<think>hm</think>\nIt is one.")) as fake:
        thought = list(generation.generate(corpus, client(fake, tmp_path / "thought"), generation.Sampling()))
    assert {e.text for record in thought for e in record.explanations} == {"It is one."}
    body = json.loads(completion("\n"))
    body["usage"]["completion_tokens"] = 1
    with running(Behaviour(status=(200, body))) as fake:
        blank = list(generation.generate(corpus, client(fake, tmp_path / "blank"), generation.Sampling()))
    assert [record.explanations for record in blank] == [()] * len(corpus.train)


def test_temperature_and_top_p_may_be_left_to_the_server(tmp_path: Path, cli: Run) -> None:
    options = ["gtok", "generate", "--benchmark", "mini", "--domain", "ai", "--out", "made.json", "--model", "fake"]
    with running(Behaviour(content="It is one.")) as fake:
        done = cli(*options, "--llm", fake.url, "--temperature", "none", "--top-p", "None", "--served-by", "mine")
        assert done.returncode == 0, done.stderr
        assert not any(name in sent for sent in fake.tries for name in ("temperature", "top_p", "seed"))
        asked = fake.tries.total()
        again = cli(*options, "--llm", fake.url, "--temperature", "none", "--top-p", "none", "--served-by", "mine")
        assert (again.returncode, fake.tries.total()) == (0, asked)
    for name, value, most in (("--temperature", "3", "2"), ("--top-p", "-0.1", "1"), ("--top-p", "nan", "1")):
        wrong = cli(*options, "--llm", "local", f"{name}={value}")
        assert wrong.returncode == 1
        assert f"{name} {value}: write a number from 0 to {most}, or none" in wrong.stderr
