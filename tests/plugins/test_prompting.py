"""gpt4: whole runs against a server that misbehaves, and how answers become predictions."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import Cut, Entity, Method, Prediction, Rejected, Sentence, plugins, text2text
from cdner_bench.data import Benchmark, benchmark
from cdner_bench.llm.ending import judge
from cdner_bench.records import results
from cdner_bench.reporting import make_boards, write_rows
from cdner_bench.running import rescoring, runner
from cdner_prompting import reading
from cdner_prompting.demonstrations import Fixed, Nearest
from llm_server import Behaviour, FakeServer, running
from support import ROOT, Listener, Run

KEY = "sk-test-PLANTED-0123456789"
INJECTION = "IGNORE-ALL-PREVIOUS-INSTRUCTIONS"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def run(
    out: Path,
    fake: FakeServer | None,
    listener: Listener | None = None,
    *,
    preset: str | None = "paper",
    **options: Any,
) -> runner.Outcome:
    mini = benchmark.load("mini")
    chosen = {"model": "fake", "timeout": 30.0, "retries": 8, **options}
    if fake:
        chosen = {"base_url": fake.url, "served_by": "fake", **chosen}
    entry = plugins.discover().get("gpt4")
    (job,) = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], preset, chosen, [0])
    (outcome,) = runner.run([job], out, listener or Listener())
    return outcome


def predictions(out: Path, outcome: runner.Outcome) -> bytes:
    return (out / "runs" / outcome.job.id / "predictions.jsonl").read_bytes()


def lasting(outcome: runner.Outcome) -> results.Result:
    """A record without what a clock or a bad connection may change."""
    assert outcome.result is not None
    assert outcome.result.usage is not None
    usage = replace(
        outcome.result.usage, latency={}, again=0, again_tokens=(0, 0), replayed=0, first="", last="", cost=None
    )
    return replace(outcome.result, usage=usage, phases=(), provenance={}, peak_memory=0)


@pytest.mark.parametrize("options", [{}, {"format": "json"}, {"votes": 3, "temperature": 0.7}])
def test_a_third_of_faults_changes_nothing(options: dict[str, Any], tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        calm = run(tmp_path / "calm", fake, **options)
    with running(Behaviour(faults=0.3, seed=0)) as fake:
        rough = run(tmp_path / "rough", fake, concurrency=16, timeout=1.5, **options)
        assert len(fake.done) == 12, "every kind of fault happened"
        assert set(fake.answered.values()) == {1}, "what was answered is asked once"
    assert (calm.status, rough.status, rough.message) == ("finished", "finished", "")
    assert predictions(tmp_path / "calm", calm) == predictions(tmp_path / "rough", rough)
    assert lasting(calm) == lasting(rough)
    assert calm.f1 is not None
    assert calm.f1 > 0


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_the_same(tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        calm = run(tmp_path / "calm", fake)
    dice = random.Random(0)
    kills = 0
    with running(Behaviour(faults=0.3, delay=0.05, kinds=("429", "500", "drop", "refusal"))) as fake:
        command = [sys.executable, "-m", "cdner_bench", "run", "--method", "gpt4", "--setting", "single"]
        command += ["--benchmark", "mini", "--target", "ai", "--preset", "paper", "--out", str(tmp_path / "rough")]
        for option in (
            "model=fake",
            f"base_url={fake.url}",
            "served_by=fake",
            "timeout=0.5",
            "retries=8",
            "concurrency=1",
        ):
            command += ["-o", option]
        for _ in range(60):
            kept = _stored(tmp_path / "rough")
            tries = Counter(fake.tries)
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            seen = fake.tries.total()
            while process.poll() is None and fake.tries.total() == seen:
                time.sleep(0.005)
            if kills < 20:
                time.sleep(dice.uniform(0.0, 0.1))
            if kills < 20 and process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            output = process.communicate()[0].decode()
            asked = {_prompt(body) for body, count in fake.tries.items() if count > tries[body]}
            assert not asked & kept, "an answer in the store was asked for again"
            if process.returncode == 0:
                break
        assert process.returncode == 0, output
    assert kills == 20
    rough = run(tmp_path / "rough", None, served_by="fake", replay="only")
    assert rough.status == "skipped"
    assert predictions(tmp_path / "calm", calm) == predictions(tmp_path / "rough", rough)
    assert lasting(calm) == lasting(rough)


def _stored(out: Path) -> set[str]:
    found = set()
    for path in (out / "runs" / "answers").glob("*.jsonl"):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                found.add(json.loads(line)["request"]["messages"][-1][1])
    return found


def _prompt(body: str) -> str:
    return str(json.loads(body)["messages"][-1]["content"])


def test_what_is_missing_makes_the_run_incomplete_and_no_score(tmp_path: Path) -> None:
    with running(Behaviour(faults=0.2, in_a_row=99, kinds=("500",), seed=2)) as fake:
        outcome = run(tmp_path, fake, retries=0)
        assert (outcome.status, outcome.f1, outcome.failed) == ("incomplete", None, True)
        assert "of 132 answers are missing" in outcome.message
        assert "server error" in outcome.message
        (kept,) = results.load_all(tmp_path / "leaderboards" / "results")
        assert (kept.status, kept.scores) == ("incomplete", {})
        fake.behaviour = Behaviour()
        assert run(tmp_path, fake).status == "finished"
        assert set(fake.answered.values()) == {1}
    (kept,) = results.load_all(tmp_path / "leaderboards" / "results")
    assert kept.finished


def test_limits_and_places_are_no_part_of_a_run_s_identity(tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        stopped = run(tmp_path, fake, max_requests=10)
        assert (stopped.status, fake.answered.total()) == ("incomplete", 10)
        done = run(tmp_path, fake, max_requests=1000, concurrency=2)
        assert (done.status, done.job.id) == ("finished", stopped.job.id)
        assert fake.answered.total() == 132
        assert run(tmp_path, fake, format="json", max_requests=0).job.id != done.job.id
    assert "max_requests" not in done.job.method.options
    assert done.result is not None
    assert done.result.usage is not None
    assert done.result.usage.requests == 132


def test_a_published_store_is_replayed_without_network_or_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Behaviour()) as fake:
        there = run(tmp_path / "there", fake)
    monkeypatch.delenv("OPENAI_API_KEY")
    store = tmp_path / "there" / "runs" / "answers"
    here = run(tmp_path / "here", None, served_by="fake", store=str(store), replay="only")
    assert predictions(tmp_path / "there", there) == predictions(tmp_path / "here", here)
    assert here.result is not None
    assert here.result.usage is not None
    assert here.result.usage.replayed == 132
    missing = run(tmp_path / "here", None, served_by="fake", store=str(store), replay="only", shots=1)
    assert "132 of 132 answers are missing" in missing.message
    assert missing.hint == "leave out replay=only to ask the model, or name another store: -o store=FOLDER"
    unnamed = run(tmp_path / "here", None, store=str(store), replay="only")
    assert unnamed.hint == "it has answers of the server fake: -o served_by=fake"


COMMITTED = sorted((ROOT / "leaderboards" / "results" / "mini" / "single").glob("*/gpt4-*.json"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_committed_rows_are_replayed_from_their_answers(path: Path, tmp_path: Path) -> None:
    committed = results.load(path)
    mini = benchmark.load("mini")
    chosen = {**committed.method.options, "store": str(ROOT / "leaderboards" / "answers"), "replay": "only"}
    scenarios = mini.list_scenarios("single", [committed.scenario.target])
    jobs = runner.plan(mini, scenarios, [plugins.discover().get("gpt4")], "quick", chosen, [committed.seed])
    (outcome,) = runner.run(jobs, tmp_path, Listener())
    assert outcome.result is not None, outcome.message
    assert committed.scores == outcome.result.scores
    assert committed.usage is not None
    assert outcome.result.usage is not None
    assert committed.usage.tokens_out == outcome.result.usage.tokens_out


def test_without_a_key_it_is_recorded_as_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    outcome = run(tmp_path, None, model="gpt-4o")
    assert (outcome.status, outcome.failed) == ("not-run", False)
    assert "OPENAI_API_KEY is not set" in outcome.message


def test_no_key_and_nothing_the_model_says_is_shown(tmp_path: Path, cli: Run) -> None:
    injected = f"{INJECTION} <script>alert(1)</script> | [x](http://evil) (researcher, {INJECTION})"
    options = ["--method", "gpt4", "--setting", "single", "--benchmark", "mini", "--target", "ai"]
    options += ["--preset", "paper", "--out", str(tmp_path)]
    said = ""
    with running(Behaviour(content=injected)) as fake:
        one = cli("run", *options, "-o", "model=fake", "-o", f"base_url={fake.url}")
        assert one.returncode == 0, one.stderr
        fake.behaviour = Behaviour(status=(401, {"error": {"message": f"bad key {KEY} {INJECTION}"}}))
        two = cli("run", *options, "-o", "model=other", "-o", f"base_url={fake.url}")
        assert two.returncode == 1
        fake.behaviour = Behaviour(status=(400, {"error": {"message": f"odd {KEY}"}}))
        three = cli("run", *options, "-o", "model=third", "-o", f"base_url={fake.url}")
        assert three.returncode == 1
    boards = cli("leaderboard", "--out", tmp_path)
    for done in (one, two, three, boards):
        said += done.stdout + done.stderr
    assert "gpt4" in (tmp_path / "leaderboards" / "mini" / "single.md").read_text()
    assert KEY not in said
    assert INJECTION not in said
    data = {"predictions.jsonl", "fake.jsonl"}
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        packed = path.suffix == ".gz"
        text = gzip.decompress(path.read_bytes()).decode() if packed else path.read_text(encoding="utf-8")
        assert KEY not in text, path
        assert packed or path.name in data or INJECTION not in text, path
    assert fake.headers["authorization"].endswith(KEY.lower())


def test_an_estimate_comes_first(tmp_path: Path) -> None:
    mini = benchmark.load("mini")
    listener = Listener()
    with running(Behaviour()) as fake:
        chosen = {"model": "gpt-4o", "base_url": fake.url}
        entry = plugins.discover().get("gpt4")
        jobs = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], None, chosen, [0])
        list(runner.run(jobs, tmp_path, listener))
    (note,) = listener.notes
    assert note.startswith("132 requests, 0 of them answered before; about 15,031 tokens in")
    assert "about $0.07" in note
    assert "at most $0.62" in note


SENTENCE = Sentence("s", ("Ada", "Lovelace", "met", "Bob", "in", "Paris", "."))
TYPES = ("person", "location")


def test_the_prompt_is_topt_s() -> None:
    (message,) = _messages(shots=0)
    assert message == ("user", text2text.prompt(SENTENCE, TYPES))


def test_examples_come_as_a_conversation() -> None:
    messages = _messages(shots=2)
    assert [role for role, _ in messages] == ["user", "assistant", "user", "assistant", "user"]
    assert messages[1][1].startswith("(")
    assert json.loads(_messages(shots=1, format="json")[1][1])["entities"]


def _messages(**options: Any) -> list[tuple[str, str]]:
    entry = plugins.discover().get("gpt4")
    method: Any = entry.spec.load(Method)(entry.spec.resolve(None, options))
    train = benchmark.load("mini").corpus("ai").train
    method.schema = reading.schema(TYPES) if options.get("format") == "json" else None
    method.examples = Fixed(train, options["shots"], 0)
    return list(method.messages(SENTENCE, TYPES))


def test_demonstrations_are_from_the_train_split(mini: Benchmark) -> None:
    corpus = mini.corpus("ai")
    assert Fixed(corpus.train, 5, 0).of(SENTENCE) == Fixed(corpus.train, 5, 0).of(corpus.test[0])
    assert Fixed(corpus.train, 5, 0).chosen != Fixed(corpus.train, 5, 1).chosen
    nearest = Nearest(corpus.train, 3)
    for sentence in corpus.train[:5]:
        assert nearest.of(sentence)[-1] == sentence, "the nearest to a train sentence is itself"
    assert set(nearest.of(corpus.test[0])) <= set(corpus.train)
    assert Nearest([], 3).of(SENTENCE) == Fixed([], 3, 0).of(SENTENCE) == []
    assert nearest.of(Sentence("x", ("zzz",))) == list(reversed(corpus.train[:3]))


def test_json_round_trip_on_gold(mini: Benchmark) -> None:
    for name in mini.domains:
        corpus = mini.corpus(name)
        for sentence in (*corpus.train, *corpus.dev, *corpus.test):
            read = text2text.read(reading.as_json(sentence), sentence, corpus.types)
            assert (read.entities, read.rejected) == (sentence.entities, ())
            assert reading.fits(reading.as_json(sentence))


@pytest.mark.parametrize(
    ("text", "entities", "rejected"),
    [
        ('{"entities": []}', (), ()),
        ("", (), ()),
        ("none", (), (Rejected("?", "none", "prose"),)),
        ('{"entities": [{"type": "person", "text": "Bob"}', (Entity(3, 4, "person"),), ()),
        (
            '{"entities": [{"type": "person", "text": "Bob"}, {"type": "loc',
            (Entity(3, 4, "person"),),
            (Rejected("?", '"type": "loc', "malformed"),),
        ),
        ('{"entities": [{"type": "city", "text": "Paris"}]}', (), (Rejected("city", "Paris", "unknown type"),)),
        ('{"entities": [{"type": "person", "text": "Eve"}]}', (), (Rejected("person", "Eve", "not in sentence"),)),
        ('{"entities": "Bob"}', (), (Rejected("?", '{"entities": "Bob"}', "malformed"),)),
        ('```json\n{"entities": [{"type": "person", "text": "Bob"}]}\n```', (Entity(3, 4, "person"),), ()),
        ('{"entities": null}', (), ()),
        ('Sure! {"entities": []}', (), (Rejected("?", "Sure!", "prose"),)),
    ],
)
def test_json_that_is_cut_off_or_wrong(text: str, entities: Any, rejected: Any) -> None:
    read = text2text.read(text, SENTENCE, TYPES)
    assert (read.entities, read.rejected) == (entities, rejected)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ('<think>x</think>{"entities": []}', "answered"),
        ('so it is </think>\n```json\n{"entities": []}\n```', "answered"),
        ('{"entities": [{"type": "person", "text": "<think>"}]}', "answered"),
        ('{"entities": []} <think>or is', "malformed"),
        ('Sure! {"entities": []}', "malformed"),
    ],
)
def test_json_behind_thinking_or_in_a_fence_has_the_shape_that_was_asked_for(text: str, state: str) -> None:
    """It was asked for, and paid, three times."""
    assert judge(text, None, "stop", 9, reading.fits)[0] == state


def test_malformed_json_never_raises_and_loses_nothing(mini: Benchmark) -> None:
    dice = random.Random(0)
    corpus = mini.corpus("ai")
    for n in range(20_000):
        sentence = corpus.test[n % len(corpus.test)]
        letters = list(reading.as_json(sentence))
        for _ in range(dice.randrange(1, 6)):
            place = dice.randrange(len(letters))
            letters[place : place + dice.randrange(0, 9)] = dice.choice(
                ['"', "}", "]", "{", "\\", "[1", "", "null,", "é"]
            )
        text = "".join(letters[: dice.randrange(len(letters) + 1)])
        read = text2text.read(text, sentence, corpus.types)
        whole = text.count('{"type": "')
        assert len(read.entities) + len(read.rejected) >= (1 if whole else 0), text
        assert all(e.end <= len(sentence.tokens) and e.type in corpus.types for e in read.entities)


def test_a_vote_needs_more_than_half() -> None:
    bob, ada, paris = Entity(3, 4, "person"), Entity(0, 2, "person"), Entity(5, 6, "location")
    wrong, eve = Entity(3, 4, "location"), Rejected("person", "Eve", "not in sentence")
    said = [
        Prediction("s", (ada, bob), (eve, eve)),
        Prediction("s", (bob, paris), (eve,)),
        Prediction("s", (wrong, ada)),
    ]
    assert reading.vote(said) == Prediction("s", (ada, bob), (eve,))
    assert reading.vote(said[:1]) is said[0]
    assert reading.vote([Prediction("s", (bob,)), Prediction("s", (wrong,))]) == Prediction("s")
    cut = [Prediction("s", cut=(Cut.ANSWER,)), Prediction("s"), Prediction("s", cut=(Cut.ANSWER,))]
    assert reading.vote(cut) == Prediction("s", cut=(Cut.ANSWER,)), "what a limit cut is no whole answer"


def test_without_a_temperature_seeds_are_told_apart_and_not_sent(tmp_path: Path) -> None:
    mini = benchmark.load("mini")
    with running(Behaviour()) as fake:
        chosen = {"model": "fake", "base_url": fake.url, "temperature": "none", "votes": 3}
        entry = plugins.discover().get("gpt4")
        jobs = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], None, chosen, [0, 1])
        assert [o.status for o in runner.run(jobs, tmp_path, Listener())] == ["finished"] * 2
        assert set(fake.answered.values()) == {6}
        assert not any('"seed"' in body or '"temperature"' in body for body in fake.tries)


def test_a_missing_package_does_not_cost_what_was_predicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Behaviour()) as fake:
        stopped = run(tmp_path, fake, max_requests=10)
        kept = predictions(tmp_path, stopped)
        assert kept
        monkeypatch.setitem(sys.modules, "openai", None)
        outcome = run(tmp_path, fake)
    assert (outcome.status, outcome.hint) == ("failed", "pip install 'cdner-bench[llm]'")
    assert predictions(tmp_path, stopped) == kept


def test_a_refusal_is_no_prediction_and_a_cut_off_answer_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    with running(Behaviour(always="refusal")) as fake:
        refused = run(tmp_path, fake, attempts=1)
    assert refused.result is not None
    assert refused.result.usage is not None
    assert refused.result.usage.states == {"refused": 132}
    assert refused.f1 == 0
    said = [json.loads(line) for line in predictions(tmp_path, refused).splitlines()]
    assert not any("rejected" in line or "raw" in line for line in said)


@pytest.mark.parametrize("options", [{}, {"format": "json"}])
def test_what_the_model_refused_or_a_filter_cut_is_not_read(options: dict[str, Any], tmp_path: Path) -> None:
    claim = "(person, Ada) " * 3 if not options else '{"entities": [{"type": "person", "text": "Ada"}]}'
    with running(Behaviour(content=claim, finish="content_filter")) as fake:
        filtered = run(tmp_path, fake, **options)
    assert filtered.result is not None
    assert filtered.result.usage is not None
    assert (filtered.result.usage.states, filtered.result.answers) == ({"filtered": 132}, {})
    assert b"Ada" not in predictions(tmp_path, filtered)


@pytest.mark.parametrize("finish", ["", "length", "tool_calls"])
def test_answers_without_a_word_make_the_run_incomplete(finish: str, tmp_path: Path) -> None:
    with running(Behaviour(content=" ", finish=finish)) as fake:
        outcome = run(tmp_path, fake, attempts=1)
    assert (outcome.status, outcome.f1) == ("incomplete", None)
    assert "empty" in outcome.message


def test_another_server_is_another_run_unless_it_counts_as_the_same(tmp_path: Path) -> None:
    with running(Behaviour()) as one, running(Behaviour(content="(task, parsing)")) as other:
        first = run(tmp_path, one, served_by=None)
        second = run(tmp_path, other, served_by=None)
        assert (first.status, second.status) == ("finished", "finished")
        assert first.job.method.options["served_by"] == f"localhost:{one.port}"
        assert first.job.id != second.job.id
        assert first.f1 != second.f1
        assert (one.answered.total(), other.answered.total()) == (132, 132)
        assert run(tmp_path, one, served_by=None).status == "skipped"
        same = run(tmp_path, other, served_by=f"localhost:{one.port}")
        assert (same.status, same.f1) == ("skipped", first.f1)
        again = run(tmp_path, other, served_by=f"localhost:{one.port}", shots=1)
        assert again.status == "finished"
        assert other.answered.total() == 264
    board = results.load_all(tmp_path / "leaderboards" / "results")
    assert len({kept.method.row for kept in board}) == 3


def test_the_address_in_the_environment_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Behaviour()) as fake:
        monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
        outcome = run(tmp_path, None)
        assert outcome.job.method.options["served_by"] == f"localhost:{fake.port}"
    entry = plugins.discover().get("gpt4")
    recorded = {"model": "fake", "format": "text"}
    assert rescoring.modernise(entry, recorded)["options"]["served_by"] is None, "an old record is what it was"


@pytest.mark.parametrize(
    ("states", "mixed"), [((), False), (("fp_1",), False), (("fp_1", "fp_2"), True), (tuple("abcdefgh"), True)]
)
def test_a_server_in_several_states_is_told(states: tuple[str, ...], mixed: bool, tmp_path: Path) -> None:
    listener = Listener()
    with running(Behaviour(states=states)) as fake:
        outcome = run(tmp_path, fake, listener, concurrency=1)
    assert outcome.result is not None
    assert outcome.result.usage is not None
    shown = (*states[:4], "4 others") if len(states) > 4 else states
    assert outcome.result.usage.fingerprint == ", ".join(shown)
    assert outcome.result.usage.mixed is mixed
    notes = [note for note in listener.notes if note.startswith("the answers do not come from one model")]
    assert len(notes) == mixed
    (board,) = make_boards([outcome.result], benchmark.load("mini"))
    models = board.models()
    assert models is not None
    assert write_rows(models)[0][1] == ("fake-2026-01-01 (mixed)" if mixed else "fake-2026-01-01")


@pytest.mark.parametrize("options", [{}, {"format": "json"}])
def test_a_truncated_answer_is_marked_as_cut(options: dict[str, Any], tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        whole = run(tmp_path / "whole", fake, **options)
    with running(Behaviour(finish="length")) as fake:
        cut = run(tmp_path / "cut", fake, **options)
    assert whole.result is not None
    assert cut.result is not None
    assert cut.result.scores == whole.result.scores
    assert "answer cut" not in whole.result.answers
    assert cut.result.answers == {**whole.result.answers, "answer cut": 132}


@pytest.mark.parametrize(
    ("options", "said", "hint"),
    [
        ({"votes": 3}, "votes of equal answers", "temperature=0.7"),
        ({"price_in": 1}, "price_in and price_out go together", "add the other"),
        ({"max_cost": 1, "model": "nobody-s"}, "max_cost needs the price of nobody-s", "price_in=2.5"),
        ({"base_url": "local", "model": "minilm"}, "minilm is no language model", "take smollm2"),
        ({"base_url": "local", "model": "hf:x", "format": "json"}, "knows no JSON schemas", "-o format=text"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], said: str, hint: str, tmp_path: Path) -> None:
    outcome = run(tmp_path, None, **options)
    assert outcome.status == "failed"
    assert said in outcome.message
    assert hint in (outcome.hint or "")


@pytest.mark.slow
def test_the_local_model_answers_without_network(tmp_path: Path) -> None:
    """`quick` starts a server of its own and stops it: the real SmolLM2 through llama.cpp."""
    legal = tmp_path / "legal.toml"
    sentences = (ROOT / "benchmarks" / "mini" / "ai" / "test.txt").read_text().split("\n\n")[:2]
    (tmp_path / "test.txt").write_text("\n\n".join(sentences) + "\n\n")
    legal.write_text(
        'name = "two"\nextends = "mini"\n[domains.two]\ntrain = "test.txt"\ndev = "test.txt"\ntest = "test.txt"\n'
        '[settings.single]\nsources = ["news"]\ntargets = ["two"]\n'
    )
    command = [sys.executable, "-m", "cdner_bench", "run", "--method", "gpt4", "--setting", "single"]
    command += ["--benchmark", str(legal), "--preset", "quick", "-o", "max_tokens=16", "-o", "format=json"]
    environment = {**os.environ, "OPENAI_API_KEY": "", "HTTP_PROXY": ""}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    (kept,) = results.load_all(tmp_path / "leaderboards" / "results")
    assert kept.usage is not None
    assert (kept.model.backbone, kept.usage.server, kept.usage.requests) == (
        "smollm2@b179c9523d0e",
        "this machine",
        2,
    )
    assert kept.usage.tokens_out > 2
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # the server, of the same process group, ended with the run
