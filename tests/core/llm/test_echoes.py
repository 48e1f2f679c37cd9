"""A server, or a method, that repeats a key wherever it can: the key is nowhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import Corpus, Method, Prediction, Rejected, RunContext, Sentence, Spec
from cdner_bench.data import Benchmark
from cdner_bench.errors import CdnerError, NotRunError
from cdner_bench.llm import Client, Limits, Question, Store, Usage, find_endpoint
from cdner_bench.plugins import Registered
from cdner_bench.records import results
from cdner_bench.reporting import FORMATS, make_boards
from cdner_bench.running import runner
from hostile import KEY, KEYS, find_harm
from llm_server import Behaviour, completion, running
from support import Nobody

OTHER = 'planted/key+WITH=9 odd"signs'


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("DOOR", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def ask(url: str, place: Path) -> str:
    """All that is left of asking: what is said, what is kept, what is reported."""
    chosen = Limits(timeout=5, retries=0, attempts=1)
    client = Client(find_endpoint("fake", url, "DOOR"), Store(place / "store"), chosen, ledger=place / "asked")
    said: list[object] = []
    try:
        said += map(asdict, client.answers([Question("fake", (("user", "Name.\nAda"),), 64)]))
    except CdnerError as error:
        said += [str(error), error.hint, repr(error)]
    kept = [path.read_text(encoding="utf-8") for path in place.rglob("*") if path.is_file()]
    return "\n".join([*kept, json.dumps(said, ensure_ascii=False), str(client.usage("p"))])


@pytest.mark.parametrize("text", KEYS, ids=lambda text: ascii(text)[:30])
def test_a_server_that_repeats_the_key(text: str, tmp_path: Path) -> None:
    good = json.loads(completion(text, state=text)) | {"model": text, "id": text}
    refused = json.loads(completion(None, refusal=text)) | {"model": text}
    bodies: list[tuple[int, Any]] = [(200, good), (200, refused), (200, text), (200, {"choices": text})]
    error = {"message": text, "code": text, "param": text}
    bodies += [(status, {"error": error}) for status in (400, 401, 404, 418, 500)]
    for n, (status, body) in enumerate(bodies):
        raw = (status, json.dumps(body).encode(), (f"x-request-id: {ascii(text)[1:-1]}",))
        with running(Behaviour(raw=raw)) as fake:
            left = ask(fake.url, tmp_path / str(n)).replace("\\n", "")
            assert KEY not in left, (status, body)
            assert [half for half in find_harm(left) if half[0] not in "\"'"] == [], (status, body)


class Telltale(Method):
    """Says what it knows wherever it can."""

    @dataclass(frozen=True)
    class Options:
        text: str = ""
        api_key: str = ""
        ends: str = "well"

    options: Options

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        o = self.options
        run.note(f"note {o.text} {o.api_key}")
        run.log.info("log %s %r", o.text, o.api_key)
        try:
            raise ValueError(f"{o.text} {o.api_key}")
        except ValueError:
            run.log.exception("caught %s", o.text)
        run.describe(backbone=o.text, trained=0, total=0, precision=o.api_key)
        day = "2026-01-01"
        seconds = dict.fromkeys(("p50", "p90", "p99"), 0.5)
        said = {"answered": 1}
        run.asked(Usage(o.text, o.text, "p", day, day, 1, said, 1, 1, None, seconds, fingerprint=o.api_key), 0)
        if o.ends == "badly":
            raise RuntimeError(f"{o.text} {o.api_key}")
        if o.ends == "not at all":
            raise NotRunError(f"{o.text} {o.api_key}", hint=o.text)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        o = self.options
        for sentence in sentences:
            said = (Rejected(o.text, o.api_key, "malformed"),)
            yield Prediction(sentence.id, rejected=said, raw=f"{o.text}\n{o.api_key}")


class Listener(Nobody):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def end(self, outcome: Any) -> None:
        self.told += [outcome.message, outcome.hint]


@pytest.mark.parametrize("ends", ["well", "badly", "not at all"])
def test_a_method_that_says_the_key(ends: str, mini: Benchmark, tmp_path: Path) -> None:
    spec = Spec("telltale", f"{__name__}:Telltale", "x", revision=1)
    entry = Registered(spec, "telling", "0", "file", sys.modules[__name__])
    chosen = {"text": " ".join(KEYS), "api_key": OTHER, "ends": ends}
    jobs = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], None, chosen, [0])
    (outcome,) = runner.run(jobs, tmp_path, Listener())
    assert outcome.status == {"well": "finished", "badly": "failed", "not at all": "not-run"}[ends], outcome.message
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "error.txt" for path in files) == (ends == "badly")
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace") if path.suffix != ".gz" else ""
        assert KEY not in text, path
        assert OTHER not in text, path
        assert json.dumps(OTHER)[1:-1] not in text, path
        assert "PLANTED-0123" not in text, path
    found = results.load_all(tmp_path / "leaderboards" / "results")
    for board in make_boards(found, mini):
        for write in FORMATS.values():
            assert find_harm(write(board)) == []
    if ends == "well":
        assert found[0].method.options["api_key"] == "[key]"
        chosen["api_key"] = "another-9"
        again = runner.plan(mini, mini.list_scenarios("single", ["ai"]), [entry], None, chosen, [0])
        (second,) = runner.run(again, tmp_path, Nobody())
        assert second.status == "skipped"  # with another key it is the same run
