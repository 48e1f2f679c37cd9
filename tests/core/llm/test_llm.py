"""Asking a language model: what is kept, what is asked again, what is never shown."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import socket
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from cdner_bench.errors import CdnerError, DataError, IncompleteError, NotRunError, OptionError
from cdner_bench.llm import Answer, Client, Endpoint, Limits, Price, Question, Store, find_endpoint
from cdner_bench.llm import store as store_module
from cdner_bench.llm.usage import look_up_price
from llm_server import CONTENT, TRANSPORT, Behaviour, FakeServer, completion, running

KEY = "sk-test-PLANTED-0123456789"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def questions(count: int, **parameters: Any) -> list[Question]:
    return [Question("fake", (("user", f"Name entities.\nAda saw Bob {n} ."),), 64, **parameters) for n in range(count)]


def client(fake: FakeServer, place: Path, **limits: Any) -> Client:
    chosen = {"timeout": 0.5, "retries": 6, **limits}
    return Client(
        find_endpoint("fake", fake.url),
        Store(place / "store"),
        Limits(**chosen),
        ledger=place / "asked",
        price=Price(1, 2),
    )


def test_answers_come_in_order_and_once(tmp_path: Path) -> None:
    with running(Behaviour(delay=0.005)) as fake:
        asked = client(fake, tmp_path, concurrency=8)
        answers = list(asked.answers(questions(100)))
        assert [a.text for a in answers] == ["(thing, Ada) (thing, Bob)"] * 100
        assert len({q.key for q in questions(100)}) == 100
        assert set(fake.answered.values()) == {1}
        assert 4 <= fake.busy <= 8
        assert fake.headers["authorization"] == f"bearer {KEY}".lower()
    again = client(fake, tmp_path)  # the server is gone
    assert list(again.answers(questions(100))) == answers
    usage = again.usage("p")
    assert (usage.requests, usage.tokens_in, usage.model) == (100, 10_000, "fake-2026-01-01")
    assert usage.states == {"answered": 100}
    assert usage.cost == pytest.approx((10_000 + 2 * usage.tokens_out) / 1e6)
    assert asked.waiting > 0


def test_a_question_under_way_is_not_asked_a_second_time(tmp_path: Path) -> None:
    with running(Behaviour(delay=0.02)) as fake:
        assert len(list(client(fake, tmp_path).answers(questions(1) * 20))) == 20
        assert list(fake.answered.values()) == [1]


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"messages": (("system", "x"),)},
        {"max_tokens": 65},
        {"temperature": 0.1},
        {"top_p": 0.9},
        {"seed": 1},
        {"schema": {}},
        {"sample": 1},
        {"served_by": "somewhere"},
    ],
)
def test_everything_that_determines_an_answer_is_in_its_key(change: dict[str, Any], monkeypatch: Any) -> None:
    plain: dict[str, Any] = {"model": "fake", "messages": (("user", "x"),), "max_tokens": 64}
    key = Question(**plain).key
    assert Question(**{**plain, **change}).key != key
    monkeypatch.setattr("cdner_bench.llm.question.CLIENT", "openai 4")
    assert Question(**plain).key != key


@pytest.mark.parametrize("fault", [*TRANSPORT, *CONTENT])
def test_each_fault_is_overcome(fault: str, tmp_path: Path) -> None:
    with running(Behaviour(faults=0.5, kinds=(fault,), seed=3)) as fake:
        answers = list(client(fake, tmp_path).answers(questions(8)))
        assert fake.done[fault] >= 2
        assert set(fake.answered.values()) == {1}
    assert [a.text for a in answers] == ["(thing, Ada) (thing, Bob)"] * 8
    assert sum(a.again for a in answers) == (fake.done[fault] if fault in CONTENT else 0)


@pytest.mark.parametrize(
    ("fault", "reason", "advice"),
    [
        ("429", "rate limited", "ask less at a time: -o concurrency=1; "),
        ("500", "server error", "see what the server itself says of it; "),
        ("hang", "timed out", "give it longer, or less at a time: -o timeout=600"),
        ("drip", "timed out", "give it longer, or less at a time: -o timeout=600"),
        ("drop", "connection closed", "whether its address begins with https; "),
        ("short", "connection closed", "whether its address begins with https; "),
        ("cut json", "garbled", "type the same command to ask for them"),
        ("other json", "garbled", "type the same command to ask for them"),
        ("no choice", "garbled", "type the same command to ask for them"),
        ("odd message", "garbled", "type the same command to ask for them"),
        ("odd choices", "garbled", "type the same command to ask for them"),
    ],
)
def test_what_never_arrives_is_counted_and_never_an_answer(
    fault: str, reason: str, advice: str, tmp_path: Path
) -> None:
    with running(Behaviour(always=fault)) as fake:
        asked = client(fake, tmp_path, retries=0, timeout=0.2)
        with pytest.raises(IncompleteError, match=f"3 of 3 answers are missing: 3 {reason}") as caught:
            list(asked.answers(questions(3)))
    assert advice in (caught.value.hint or "")
    assert (caught.value.hint or "").endswith("what was answered is kept")
    assert asked.usage("p").requests == 0


def test_how_long_an_answer_is_waited_for_is_the_endpoint_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_endpoint("gpt-4o").timeout == 120
    assert find_endpoint("fake", "local").timeout == 3600  # to ask it again would throw away what it has computed
    monkeypatch.setattr(Endpoint, "timeout", 0.2)
    with running(Behaviour(always="hang")) as fake:
        asked = client(fake, tmp_path, retries=0, timeout=None)
        with pytest.raises(IncompleteError, match="1 timed out"):
            list(asked.answers(questions(1)))


def test_a_refusal_is_asked_for_again_and_then_believed(tmp_path: Path) -> None:
    with running(Behaviour(always="refusal")) as fake:
        asked = client(fake, tmp_path, attempts=3)
        (answer,) = asked.answers(questions(1))
        assert fake.tries.total() == 3
    assert (answer.state, answer.again, answer.again_in) == ("refused", 2, 200)
    usage = asked.usage("p")
    assert (usage.requests, usage.sent, usage.read) == (1, 3, 300), "what it took is all that was sent"
    assert asked.price is not None
    assert usage.cost == pytest.approx(asked.price.of(300, usage.written), abs=1e-6)


def test_another_shape_than_was_asked_for_is_counted_as_such(tmp_path: Path) -> None:
    with running(Behaviour(content="no json")) as fake:
        asked = client(fake, tmp_path, attempts=2)
        asked.fits = lambda text: text.startswith("{")
        (answer,) = asked.answers(questions(1, schema={"type": "object"}))
        assert (answer.state, answer.text, fake.tries.total()) == ("malformed", "no json", 2)


def test_text_that_no_file_takes_is_made_writable(tmp_path: Path) -> None:
    with running(Behaviour(content="half \ud800 and \x00 \u2028 end")) as fake:
        (answer,) = client(fake, tmp_path).answers(questions(1))
    assert answer.text == "half ? and \x00 \u2028 end"
    assert list(client(fake, tmp_path).answers(questions(1))) == [answer]


def test_a_failure_keeps_what_the_others_answered(tmp_path: Path) -> None:
    with running(Behaviour(faults=0.3, in_a_row=99, kinds=("500",), seed=5)) as fake:
        asked = client(fake, tmp_path, retries=0)
        got: list[Answer] = []
        with pytest.raises(IncompleteError, match=r"\d+ of 40 answers are missing"):
            got.extend(asked.answers(questions(40)))
        assert len(got) < fake.answered.total() < 40
        before = dict(fake.answered)
        fake.behaviour = Behaviour()
        assert len(list(client(fake, tmp_path).answers(questions(40)))) == 40
        assert all(fake.tries[body] == count for body, count in before.items() if count)
        assert set(fake.answered.values()) == {1}


def test_a_server_that_is_gone_is_not_asked_on(tmp_path: Path) -> None:
    with running(Behaviour(always="500")) as fake:
        with pytest.raises(IncompleteError, match="not asked, after 8 failures in a row"):
            list(client(fake, tmp_path, retries=0, concurrency=2).answers(questions(500)))
        assert fake.tries.total() < 64


def test_max_requests_stops_and_raising_it_goes_on(tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        asked = client(fake, tmp_path, max_requests=7)
        got: list[Answer] = []
        with pytest.raises(IncompleteError, match="13 of 20 answers are missing: 13 not asked, max_requests=7") as e:
            got.extend(asked.answers(questions(20)))
        assert e.value.hint is not None
        assert e.value.hint.startswith("raise the limit")
        assert fake.answered.total() == 7
        assert len(list(client(fake, tmp_path, max_requests=20).answers(questions(20)))) == 20
        assert set(fake.answered.values()) == {1}


@pytest.mark.parametrize("fault", ["no choice", "refusal", "500"])
def test_requests_in_vain_count_too(fault: str, tmp_path: Path) -> None:
    with running(Behaviour(always=fault)) as fake:
        for limit in (2, 2, 5):
            asked = client(fake, tmp_path, max_requests=limit, retries=0)
            with pytest.raises(IncompleteError, match=f"max_requests={limit} is reached"):
                list(asked.answers(questions(20)))
            assert fake.tries.total() == limit


def test_budgets_do_not_hang_on_the_store(tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        for turn in range(3):
            asked = client(fake, tmp_path, max_requests=3)
            asked.store.folder = tmp_path / str(turn)
            with pytest.raises(IncompleteError):
                list(asked.answers(questions(20)))
        assert fake.tries.total() == 3


def test_max_cost_is_never_exceeded(tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        asked = client(fake, tmp_path, max_cost=0.003, concurrency=8)
        with pytest.raises(IncompleteError, match=r"max_cost=0.003 does not allow another \(\$0\.00\d+ spent\)"):
            list(asked.answers(questions(100)))
        spent = asked.usage("p").cost
        assert spent is not None
        assert 0.002 < spent <= 0.003
        with pytest.raises(IncompleteError):  # a second process has the same budget, not a new one
            list(client(fake, tmp_path, max_cost=0.003).answers(questions(100)))
        again = client(fake, tmp_path).usage("p").cost
        assert again is not None
        assert again <= 0.003


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -5, "completion_tokens": "many"}])
def test_answers_without_a_count_are_booked_at_their_limits(usage: Any, tmp_path: Path) -> None:
    body = json.loads(completion("(thing, Ada)"))
    body["usage"] = usage
    with running(Behaviour(status=(200, body))) as fake:
        asked = client(fake, tmp_path, max_cost=0.005, concurrency=1, attempts=1)
        with pytest.raises(IncompleteError, match="max_cost"):
            list(asked.answers(questions(1000)))
        most = asked.price.of(*questions(1)[0].most) if asked.price else 0
        assert 0.004 / most - 1 <= fake.tries.total() <= 0.005 / most


def test_what_was_paid_in_vain_is_booked(tmp_path: Path) -> None:
    with running(Behaviour(always="no choice")) as fake:
        for _ in range(3):
            with pytest.raises(IncompleteError):
                list(client(fake, tmp_path, max_cost=0.005, attempts=2).answers(questions(1000)))
        assert Price(1, 2).of(100 * fake.tries.total(), 0) <= 0.005


def test_a_ledger_survives_a_cut_off_line(tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        list(client(fake, tmp_path).answers(questions(3)))
        ledger = tmp_path / "asked"
        lines = ledger.read_text().splitlines(keepends=True)
        ledger.write_text("".join(lines[:-1]) + lines[-1][:10])
        asked = client(fake, tmp_path)
        assert (asked.usage("p").requests, asked.ledger.sent) == (2, 3)
        list(asked.answers(questions(3)))
        assert client(fake, tmp_path).usage("p").requests == 3


def test_a_question_under_way_needs_no_budget_of_its_own(tmp_path: Path) -> None:
    with running(Behaviour(delay=0.02)) as fake:
        assert len(list(client(fake, tmp_path, max_requests=1).answers(questions(1) * 3))) == 3
        assert fake.tries.total() == 1


def test_max_cost_needs_a_price(tmp_path: Path) -> None:
    place = find_endpoint("no-such-model", "http://127.0.0.1:1/v1")
    with pytest.raises(OptionError, match="needs the price of no-such-model"):
        Client(place, Store(tmp_path), Limits(max_cost=1.0), ledger=tmp_path / "asked")


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gpt-4o", Price(2.5, 10)),
        ("gpt-4o-2024-08-06", Price(2.5, 10)),
        ("gpt-4o-2024-05-13", Price(5, 15)),
        ("gpt-4-0613", Price(30, 60)),
        ("no-such-model-0613", None),
    ],
)
def test_a_snapshot_has_a_price_of_its_own_or_its_model_s(model: str, price: Price | None) -> None:
    """The list is asked for the whole name first."""
    assert look_up_price(model) == price


def test_an_estimate_counts_what_is_new(tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        asked = client(fake, tmp_path)
        list(asked.answers(questions(4)))
        estimate = asked.estimate(questions(10), characters=40)
    assert (estimate.requests, estimate.stored) == (10, 4)
    assert estimate.tokens_out == 60
    assert estimate.likely is not None
    assert estimate.most is not None
    assert estimate.likely < estimate.most
    assert "10 requests, 4 of them answered before; about" in str(estimate)


def test_replay_only_never_touches_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Behaviour()) as fake:
        list(client(fake, tmp_path).answers(questions(3)))
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr(socket, "socket", None)
    offline = client(fake, tmp_path, replay="only")
    assert len(list(offline.answers(questions(3)))) == 3
    with pytest.raises(IncompleteError, match=r"2 of 5 answers are missing in .*store, and replay=only asks nobody"):
        list(offline.answers(questions(5)))


ERRORS = [
    (401, {"message": f"Incorrect API key provided: {KEY}"}, "refuses the key", "check what OPENAI_API_KEY holds"),
    (403, {"message": KEY}, "refuses the key", "that it may use fake"),
    (404, {"message": "The model `fake` does not exist"}, "knows no model 'fake'", "check the model's name"),
    (402, {"message": "Insufficient credits"}, "has no quota left", "add credit"),
    (413, {"message": "too much"}, "characters is longer than fake", "(shots)"),
    (400, {}, r"refuses the request \(HTTP 400\): it does not say why", "options"),
    (429, {"message": "x", "code": "insufficient_quota"}, "has no quota left", "add credit"),
    (400, {"message": "x", "code": "context_length_exceeded"}, "characters is longer than fake", "(shots)"),
    (400, {"message": "x", "type": "exceed_context_size_error"}, "characters is longer than fake", "--context 8192"),
    (400, {"message": "Invalid schema for response_format"}, "does not take the JSON schema", "-o format=text"),
    (
        422,
        {"message": f"odd\n\x1b[31m {KEY} \u202e"},
        r"refuses the request \(HTTP 422\): odd \[31m \[key\]$",
        "options",
    ),
]


@pytest.mark.parametrize(("status", "error", "said", "hint"), ERRORS)
def test_what_the_user_can_mend(status: int, error: dict[str, Any], said: str, hint: str, tmp_path: Path) -> None:
    with running(Behaviour(status=(status, {"error": error}))) as fake:
        asked = client(fake, tmp_path, retries=0, concurrency=4)
        with pytest.raises(CdnerError, match=said) as caught:
            list(asked.answers(questions(200, schema={"type": "object"})))
        assert fake.tries.total() <= 4 + 1  # it makes no sense to ask on
    assert hint in (caught.value.hint or "")
    assert caught.value.__suppress_context__
    assert KEY not in str(caught.value) + str(caught.value.hint)


def test_a_prompt_that_the_provider_filters_is_an_answer_of_its_own_kind(tmp_path: Path) -> None:
    with running(Behaviour(status=(400, {"error": {"message": "x", "code": "content_filter"}}))) as fake:
        (answer,) = client(fake, tmp_path).answers(questions(1))
    assert (answer.state, answer.text) == ("filtered", "")


def test_an_address_where_nobody_listens(tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        pass
    with pytest.raises(CdnerError, match=r"127\.0\.0\.1:\d+/v1 cannot be reached: Connection refused") as caught:
        list(client(fake, tmp_path).answers(questions(3)))
    assert "base_url=local" in (caught.value.hint or "")


def test_a_key_is_needed_elsewhere_but_not_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    far = Client(find_endpoint("gpt-4o"), Store(tmp_path), Limits(), ledger=tmp_path / "asked")
    with pytest.raises(NotRunError, match=r"gpt-4o at api\.openai\.com needs a key, and OPENAI_API_KEY is not set"):
        list(far.answers(questions(1)))
    with running(Behaviour()) as fake:
        assert len(list(client(fake, tmp_path).answers(questions(1)))) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://x/v1", "no address of a server"),
        ("http://[::1/v1", "no address of a server"),
        ("http://host:99999/v1", "no address of a server"),
        (f"http://user:{KEY}@[::1/v1", "no address of a server"),
        (f"http://user:{KEY}@host/v1", "the address of host carries a password"),
        (f"http://host/v1?key={KEY}", "the address of host carries a password"),
    ],
)
def test_an_address_is_checked_and_never_shows_a_key(url: str, said: str) -> None:
    with pytest.raises(OptionError, match=said) as caught:
        find_endpoint("m", url)
    assert KEY not in str(caught.value)


def test_a_connection_does_not_show_its_key() -> None:
    from cdner_bench.llm.endpoint import Connection

    assert KEY not in repr(Connection("http://x", "m", KEY))


def test_local_models_are_named_by_their_weights(tmp_path: Path) -> None:
    assert find_endpoint("smollm2", "local").model == "smollm2@b179c9523d0e"
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "weights").write_text("1")
    named = find_endpoint(f"hf:{tmp_path / 'tiny'}", "local").model
    assert named.startswith("tiny@")
    assert str(tmp_path) not in named
    assert isinstance(find_endpoint("smollm2", "local"), Endpoint)


ANSWER = Answer("text", "answered", "m", 1, 2, 0.5, "2026-01-01T00:00:00+00:00")


def test_a_store_survives_a_cut_off_line_and_refuses_a_changed_one(tmp_path: Path) -> None:
    one, two, three = questions(3)
    store = Store(tmp_path)
    store.put(one, ANSWER)
    store.put(two, ANSWER)
    store.close()
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-1])
    unended = Store(tmp_path)
    unended.open("fake")  # a whole record that lacks only its end is mended
    unended.close()
    assert Store(tmp_path).get(two) == ANSWER
    path.write_bytes(path.read_bytes()[:-20])
    again = Store(tmp_path)
    assert again.get(one) == ANSWER
    assert again.get(two) is None
    again.put(three, ANSWER)
    again.close()
    assert Store(tmp_path).get(three) == ANSWER
    assert [json.loads(line)["answer"]["text"] for line in path.read_text().splitlines()] == ["text", "text"]
    path.write_text("nonsense\n" + path.read_text())
    with pytest.raises(DataError, match=r"fake\.jsonl:1 is not an answer"):
        Store(tmp_path).get(one)


def test_what_was_kept_before_servers_had_names_still_reads(tmp_path: Path) -> None:
    (question,) = questions(1)
    assert question.key == "fc1b6a2e31b0ba0206396d928919297acd42d1de8b1e9993021f0c4bf4606ec3"
    assert replace(question, served_by="somewhere").key != question.key
    answer = {name: value for name, value in asdict(ANSWER).items() if name != "fingerprint"}
    (tmp_path / "store").mkdir()
    kept = json.dumps({"key": question.key, "request": {}, "answer": answer})
    (tmp_path / "store" / "fake.jsonl").write_text(f"{kept}\n")
    (tmp_path / "asked").write_text(
        f'{{"in": 1, "out": 2}}\n{json.dumps({"key": question.key, "answer": {**answer, "text": ""}})}\n'
    )
    asked = Client(
        find_endpoint("fake", "local"), Store(tmp_path / "store"), Limits(replay="only"), ledger=tmp_path / "asked"
    )
    assert list(asked.answers([question])) == [ANSWER]
    assert (asked.usage("p").requests, asked.usage("p").fingerprint) == (1, "")
    assert asked.store.list_servers("fake") == [""]


def test_the_first_answer_stays(tmp_path: Path) -> None:
    one, other = Store(tmp_path), Store(tmp_path)
    question, second = questions(1)[0], replace(ANSWER, text="second")
    assert other.get(question) is None
    assert one.put(question, ANSWER) == ANSWER
    assert other.put(question, second) == ANSWER
    assert other.get(question) == Store(tmp_path).get(question) == ANSWER
    one.close()
    other.close()
    assert len(next(tmp_path.glob("*.jsonl")).read_text().splitlines()) == 1


def _fill(folder: Path, start: int) -> None:
    store = Store(folder)
    for question in questions(200)[start:]:
        store.put(question, ANSWER)
    store.close()


def test_two_processes_write_one_store(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_fill, args=(tmp_path, start)) for start in (0, 50)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store = Store(tmp_path)
    assert all(store.get(question) == ANSWER for question in questions(200))
    assert len((tmp_path / "fake.jsonl").read_text().splitlines()) == 200


def test_a_store_that_is_opened_while_another_writes_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = questions(2)
    other, own = Store(tmp_path / "other"), Store(tmp_path)
    other.put(second, ANSWER)
    other.close()
    line = (tmp_path / "other" / "fake.jsonl").read_bytes()
    path = tmp_path / "fake.jsonl"
    read, lines = store_module.AnswerFile.catch_up, [line]

    def then_written(self: object) -> None:
        read(self)  # type: ignore[arg-type]
        with path.open("ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            stream.write(b"".join(lines))
            lines.clear()

    monkeypatch.setattr(store_module.AnswerFile, "catch_up", then_written)
    own.put(first, ANSWER)
    own.close()
    monkeypatch.undo()
    if lines:  # it had to wait for the lock
        path.write_bytes(path.read_bytes() + line)
    assert [bool(record.strip()) for record in path.read_text().splitlines()] == [True, True]
    assert all(Store(tmp_path).get(question) == ANSWER for question in (first, second))


def test_a_place_that_takes_no_answers_is_noticed_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with running(Behaviour()) as fake:
        with pytest.raises(DataError, match=r"answers cannot be kept in .*store") as caught:
            list(client(fake, tmp_path).answers(questions(3)))
        assert fake.tries.total() == 0
    assert caught.value.hint == "name another: -o store=FOLDER"


def test_a_published_store_may_be_read_only(tmp_path: Path) -> None:
    with running(Behaviour()) as fake:
        list(client(fake, tmp_path).answers(questions(3)))
    (tmp_path / "store" / "fake.jsonl").chmod(0o444)
    (tmp_path / "store").chmod(0o555)
    try:
        assert len(list(client(fake, tmp_path, replay="only").answers(questions(3)))) == 3
    finally:
        (tmp_path / "store").chmod(0o755)


def test_no_proxy_stands_before_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with running(Behaviour()) as fake:
        assert len(list(client(fake, tmp_path).answers(questions(2)))) == 2


def test_elsewhere_a_proxy_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Behaviour(content="through the proxy")) as fake:
        monkeypatch.setenv("http_proxy", fake.url.removesuffix("/v1"))
        asked = Client(
            find_endpoint("m", "http://far.invalid/v1"), Store(tmp_path), Limits(retries=0), ledger=tmp_path / "asked"
        )
        (answer,) = asked.answers(questions(1))
    assert (answer.text, answer.server) == ("through the proxy", "far.invalid")


def test_an_account_at_openai_is_nobody_else_s_business(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-private")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-private")
    with running(Behaviour()) as fake:
        list(client(fake, tmp_path).answers(questions(1)))
    assert "private" not in str(fake.headers)


@pytest.mark.parametrize("bad", ["sk-proj-SECRET", "sk secret", "a1b2c3"])
def test_a_key_in_place_of_its_variable_is_refused_and_not_repeated(bad: str) -> None:
    with pytest.raises(OptionError) as caught:
        find_endpoint("m", "http://host/v1", bad)
    assert bad not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("held", ["sk-…", "sk-a\nb", "sk a"])
def test_what_cannot_be_a_key_is_not_sent(held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", held)
    with running(Behaviour()) as fake:
        with pytest.raises(CdnerError, match="what OPENAI_API_KEY holds is no key"):
            list(client(fake, tmp_path).answers(questions(1)))
        assert fake.tries.total() == 0


def test_a_closed_round_leaves_no_request_behind(tmp_path: Path) -> None:
    with running(Behaviour(delay=0.2)) as fake:
        answers = client(fake, tmp_path, concurrency=2).answers(questions(20))
        next(answers)
        answers.close()
        time.sleep(0.5)  # what was sent before arrives, on a busy machine later than the client is closed
        seen = fake.tries.total()
        time.sleep(0.5)
        assert fake.tries.total() == seen < 20
