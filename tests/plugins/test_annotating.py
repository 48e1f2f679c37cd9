"""annotate-then-tag: a fake language model labels the sample's text, a tiny random tagger learns from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cdner_annotating import sentences  # noqa: E402
from cdner_bench import CdnerError, Corpus, NotRunError, Prediction, Sentence, plugins  # noqa: E402
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.plugins import Registered, options  # noqa: E402
from cdner_bench.running import Change, Outcome, rescore, runner  # noqa: E402
from llm_server import Behaviour, FakeServer, running  # noqa: E402
from support import Listener, context  # noqa: E402

SMALL = {
    "network.precision": "fp32",
    "source.epochs": 1,
    "source.sentences": 20,
    "target.epochs": 1,
    "annotator.model": "fake",
    "annotator.served_by": "fake",
    "text.sentences": 12,
}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with running(Behaviour()) as fake:
        yield fake


def find() -> Registered:
    return plugins.discover().get("annotate-then-tag")


def run(out: Path, fake: FakeServer, tiny_bert: str, mini: Benchmark, **chosen: Any) -> tuple[Outcome, Listener]:
    values = {**SMALL, "annotator.base_url": fake.url, "backbone": tiny_bert, **chosen}
    scenarios = mini.cut_to(20).list_scenarios("multi", ["ai"])
    (job,) = runner.plan(mini.cut_to(20), scenarios, [find()], None, values, [0])
    listener = Listener()
    (outcome,) = runner.run([job], out, listener)
    return outcome, listener


def test_it_learns_from_what_was_said(server: FakeServer, tiny_bert: str, mini: Benchmark, tmp_path: Path) -> None:
    outcome, listener = run(tmp_path, server, tiny_bert, mini)
    assert outcome.status == "finished", outcome.message
    assert outcome.result is not None
    assert outcome.result.usage is not None
    assert len(server.answered) == 12
    assert "12 of 12 sentences are learnt as labelled" in "\n".join(listener.notes)
    phases = outcome.result.phases
    assert [(p.name, bool(p.epochs)) for p in phases][:3] == [("load", False), ("annotate", True), ("source", True)]
    assert outcome.result.model.backbone == tiny_bert
    again, _ = run(tmp_path / "again", server, tiny_bert, mini, **{"annotator.store": tmp_path / "runs" / "answers"})
    assert again.result is not None
    assert again.result.scores == outcome.result.scores


def test_its_results_are_scored_again(server: FakeServer, tiny_bert: str, mini: Benchmark, tmp_path: Path) -> None:
    """Two of its options name a model, and the tagger's is the backbone."""
    outcome, _ = run(tmp_path, server, tiny_bert, mini)
    assert outcome.result is not None
    assert outcome.result.method.backbone == tiny_bert
    changes = [rescored.change for rescored in rescore(tmp_path, mini.cut_to(20), plugins.discover())]
    assert changes == [Change.NOTHING]


def test_a_run_is_another_with_another_model_that_labels(tiny_bert: str, mini: Benchmark, tmp_path: Path) -> None:
    """By the content of both models, wherever they lie."""

    def name(content: str) -> str:
        (tmp_path / "config.json").write_text(content)
        values = {**SMALL, "annotator.model": f"hf:{tmp_path}", "annotator.base_url": "local", "backbone": tiny_bert}
        (job,) = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [find()], None, values, [0])
        return job.id

    assert name("{}") == name("{}") != name('{"layers": 1}')


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"finetuning.transfer": "direct"}, "direct learns nothing but the target"),
        ({"backbone": "t5"}, "is an encoder-decoder"),
    ],
)
def test_what_could_not_be_learnt_is_not_asked(
    server: FakeServer,
    tiny_bert: str,
    tiny_t5: str,
    mini: Benchmark,
    tmp_path: Path,
    chosen: dict[str, str],
    message: str,
) -> None:
    if "backbone" in chosen:
        chosen = {"backbone": tiny_t5}
    outcome, _ = run(tmp_path, server, tiny_bert, mini, **chosen)
    assert message in outcome.message
    assert not server.answered


def test_what_was_answered_is_not_asked_again(
    server: FakeServer, tiny_bert: str, mini: Benchmark, tmp_path: Path
) -> None:
    run(tmp_path, server, tiny_bert, mini)
    run(tmp_path, server, tiny_bert, mini, **{"target.epochs": 2})
    assert set(server.answered.values()) == {1}


def make(tiny_bert: str, fake_url: str, **chosen: Any) -> Any:
    entry = find()
    values = {**SMALL, "annotator.base_url": fake_url, "backbone": tiny_bert, **chosen}
    kind = entry.spec.load(plugins.Method)
    return kind(options.settle(entry.spec.resolve(None, values)))


def test_what_is_no_whole_answer_is_not_learnt(tiny_bert: str, mini: Benchmark, tmp_path: Path) -> None:
    target = replace(mini.corpus("ai").without_test(), dev=())
    told = r"labelled none of 12 sentences: 12 answers were cut at annotator\.max_tokens="
    with running(Behaviour(finish="length")) as fake, pytest.raises(CdnerError, match=told) as refused:
        make(tiny_bert, fake.url).fit([], target, context(tmp_path))
    assert "annotator.max_tokens=N" in (refused.value.hint or "")


def test_sentences_without_entities(tiny_bert: str, mini: Benchmark, tmp_path: Path) -> None:
    target = mini.corpus("ai").without_test()
    with running(Behaviour(content="None")) as fake:
        with pytest.raises(CdnerError, match="found nothing"):
            make(tiny_bert, fake.url).fit([], target, context(tmp_path / "1"))
        made = make(tiny_bert, fake.url, **{"text.keep_empty": True})
        made.fit([], target, context(tmp_path / "2"))
        assert all(isinstance(p, Prediction) for p in made.predict(target.dev[:2], context(tmp_path / "2")))


def test_without_a_text(tiny_bert: str, server: FakeServer, mini: Benchmark, tmp_path: Path) -> None:
    target = replace(mini.corpus("ai").without_test(), resources={})
    with pytest.raises(NotRunError, match="no unlabelled text of ai"):
        make(tiny_bert, server.url).fit([], target, context(tmp_path))
    (tmp_path / "few.txt").write_text("Too short .\n", encoding="utf-8")
    with pytest.raises(CdnerError, match="no sentence to label"):
        make(tiny_bert, server.url, **{"text.file": tmp_path / "few.txt"}).fit([], target, context(tmp_path))


def test_sentences_of_the_test_split_are_not_asked(
    tiny_bert: str, server: FakeServer, mini: Benchmark, tmp_path: Path
) -> None:
    whole = mini.corpus("ai")
    held = [s.text for s in (*whole.train[:3], *whole.dev[:3], *whole.test[:3])]
    (tmp_path / "text.txt").write_text("\n".join([*held, "A new Sentence about Neural Networks ."]), encoding="utf-8")
    made = make(tiny_bert, server.url, **{"text.file": tmp_path / "text.txt", "annotator.shots": 0})
    made.fit([], whole.without_test(), context(tmp_path))
    assert [json.loads(body)["messages"][-1]["content"].rsplit("\n", 1)[-1] for body in server.answered] == [
        "A new Sentence about Neural Networks ."
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("The Cyc project , by D. Lenat , is old .", [["The Cyc project , by D. Lenat , is old ."]]),
        ("It isn't self-organizing (or so).", [["It isn't self-organizing ( or so ) ."]]),
        (
            "One two three four five. Six seven eight nine ten!",
            [["One two three four five .", "Six seven eight nine ten !"]],
        ),
        (
            "Written so , by two . A second one by Ada L. Lovelace",
            [["Written so , by two .", "A second one by Ada L. Lovelace"]],
        ),
        ("The map 's Kohonen layer", [["The map 's Kohonen layer"]]),
        ("too short", [[]]),
        ("a b c d e\na b c d e", [["a b c d e"]]),
        ("", [[]]),
    ],
)
def test_a_text_becomes_sentences(text: str, read: list[list[str]], tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    assert [s.text for s in sentences.read(tmp_path / "t.txt")] == read[0]


def test_bytes_that_are_no_text_end_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"one two \xff three four five .\n")
    assert [s.text for s in sentences.read(tmp_path / "t.txt")] == ["one two \ufffd three four five ."]


def test_a_domain_with_one_type(server: FakeServer, tiny_bert: str, mini: Benchmark, tmp_path: Path) -> None:
    whole = mini.corpus("ai").without_test()
    one = whole.types[0]

    def keep(part: tuple[Sentence, ...]) -> tuple[Sentence, ...]:
        return tuple(replace(s, entities=tuple(e for e in s.entities if e.type == one)) for s in part)

    target = Corpus("ai", (one,), keep(whole.train), keep(whole.dev), (), whole.resources)
    made = make(tiny_bert, server.url)
    made.fit([], target, context(tmp_path))
    assert {e.type for p in made.predict(target.dev, context(tmp_path)) for e in p.entities} <= {one}
