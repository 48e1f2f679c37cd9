"""Files that nobody should believe: each is refused with its field, and the others are shown."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broken_records import run
from cdner_bench import plugins
from cdner_bench.data import Benchmark, benchmark
from cdner_bench.errors import CdnerError, DataError, PredictionError, RefusedWarning, ResultError
from cdner_bench.knowledge import cleaning, gtok
from cdner_bench.llm import Question, Store
from cdner_bench.llm.ledger import Ledger
from cdner_bench.records import describe_comparable, measurements, results
from cdner_bench.running import campaign
from cdner_bench.scoring import HEADLINE, read_kept, read_own
from support import ROOT, Run

BOARDS = ROOT / "leaderboards"
GOOD = next((BOARDS / "results" / "mini" / "single" / "ai").glob("gpt4-*-0.json"))
OTHER = next((BOARDS / "results" / "mini" / "single" / "music").glob("gpt4-*-0.json"))
MEASURED = next((BOARDS / "measurements" / "mini" / "uid").glob("gtok-ai-*.json"))
HISTORY = Path(__file__).parent / "history"
ZEROS = " ".join(["0/0/0"] * 132)
GOLD = json.loads(GOOD.read_text())["scores"][HEADLINE]
GONE = object()


def change(text: str, field: str, value: object) -> str:
    """A record in which a field, named with dots, has another value or is gone."""
    record = json.loads(text)
    *places, name = field.split("/")
    table: Any = record
    for place in places:
        table = table[int(place)] if isinstance(table, list) else table[place]
    if value is GONE:
        del table[name]
    else:
        table[int(name) if isinstance(table, list) else name] = value
    return json.dumps(record)


# What is changed, with slashes between; to what; which field the message names (the same, if nothing else is said).
RESULTS: list[tuple[str, object, str]] = [
    ("schema", True, "schema"),
    ("schema", "5", "schema"),
    ("schema", 0, "schema"),
    ("schema", -1, "schema"),
    ("schema", 5.0, "schema"),
    ("schema", None, "schema"),
    ("schema", GONE, "schema"),
    ("status", "fine", "status"),
    ("status", None, "status"),
    ("status", "not-run", "scores"),
    ("run", "0123", "run"),
    ("run", "0123456789ABCDEF", "run"),
    ("run", 123, "run"),
    ("run", "../../../../etc/pwd", "run"),
    ("seed", None, "seed"),
    ("seed", -1, "seed"),
    ("seed", "0", "seed"),
    ("seed", 0.5, "seed"),
    ("seed", True, "seed"),
    ("seed", 10**31, "seed"),
    ("benchmark/name", "../mini", "benchmark.name"),
    ("benchmark/name", "", "benchmark.name"),
    ("benchmark/name", "mini\n", "benchmark.name"),
    ("benchmark/version", 2, "benchmark.version"),
    ("benchmark", [], "benchmark"),
    ("benchmark/nmae", "mini", "benchmark.nmae"),
    ("scenario/setting", "a/b", "scenario.setting"),
    ("scenario/target", "..", "scenario.target"),
    ("scenario/target", "\x1b[2J", "scenario.target"),
    ("scenario/sources", ["ai"], "scenario.sources"),
    ("scenario/sources", ["news", "news"], "scenario.sources"),
    ("scenario/sources", "news", "scenario.sources"),
    ("scenario/sources", ["politics"], "scenario.sources"),
    ("method/name", "/etc/passwd", "method.name"),
    ("method/name", "\ud800", "method.name"),
    ("method/options", [], "method.options"),
    ("method/options", "shots=0", "method.options"),
    ("method/revision", 1, "method.revision"),
    ("method/knowledge_options", "gtok", "method.knowledge_options"),
    ("scores", {}, f"scores.{HEADLINE}"),
    ("scores", None, "scores"),
    (f"scores/{HEADLINE}", GONE, f"scores.{HEADLINE}"),
    (f"scores/{HEADLINE}", {}, "strict-reading.algorithm"),
    (f"scores/{HEADLINE}/task", "NaN/0/0", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "inf/0/43", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "-50/0/93", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "0/-50/43", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "93/0/-50", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", f"{10**30}/0/43", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "0.5/0/42.5", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "0/43", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "0/0/43/0", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "0/0/４３", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "0/0/4_3", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", " 0/0/43", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "0/0/043", f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", [0, 0, 43], f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", True, f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", None, f"scores.{HEADLINE}.task"),
    (f"scores/{HEADLINE}/task", "43/0/0", "sentences"),
    (f"scores/{HEADLINE}/task", "0/0/42", "task"),
    (f"scores/{HEADLINE}/?", "0/0/0", "sentences"),
    (f"scores/{HEADLINE}/planet", "0/0/0", f"scores.{HEADLINE}.planet"),
    ("scores/strict-reading/task", "0/0/44", "scores.strict-reading.task"),
    ("scores/bio-projected/task", GONE, "scores.bio-projected.task"),
    ("scores/seqeval-default/task", "1/0/43", "scores.seqeval-default.task"),
    ("scores/topt-released/task", "1/0/-2", "scores.topt-released.task"),
    ("scores/topt-releasd", {}, "scores.topt-releasd"),
    ("sentences", "", "sentences"),
    ("sentences", ZEROS, "sentences"),
    ("sentences", [[0, 0, 0]], "sentences"),
    ("sentences", "0/0/0  0/0/0", "sentences"),
    ("sentences", "0/0/564 0/51/0", "comparable.sentences"),
    ("sentences", "1/0/-1 0/51/564", "sentences"),
    ("sentences", f"0/51/564 {ZEROS[6:]}", "sentences"),
    ("comparable/sentences", [40, 20, 131], "comparable.sentences"),
    ("comparable/sentences", [40, -20, 132], "comparable.sentences"),
    ("comparable/sentences", [40, 132], "comparable.sentences"),
    ("comparable/benchmark", "crossner", "comparable"),
    ("comparable/types", ["task"], f"scores.{HEADLINE}.algorithm"),
    ("answers", {"read": -1}, "answers.read"),
    ("answers", {"read": 133}, "answers.read"),
    ("answers", {"red": 1}, "answers.red"),
    ("answers", {"unseen entities": 565}, "answers.unseen entities"),
    ("answers", [1], "answers"),
    ("doubts", ["it rained"], "doubts.0"),
    ("phases/0/seconds", -1.0, "phases.0.seconds"),
    ("phases/0/seconds", 1e300, "phases.0.seconds"),
    ("phases/0/seconds", "1", "phases.0.seconds"),
    ("phases/0/seconds", True, "phases.0.seconds"),
    ("phases/0/epochs", 0.5, "phases.0.epochs"),
    ("phases/0/waiting", -0.1, "phases.0.waiting"),
    ("phases", {}, "phases"),
    ("usage/requests", -1, "usage.requests"),
    ("usage/tokens_in", 1.5, "usage.tokens_in"),
    ("usage/cost", -3.0, "usage.cost"),
    ("usage/latency", {}, "usage.latency"),
    ("usage/states", {"answered": 10**6}, "usage.states"),
    ("usage/first", "yesterday", "usage.first"),
    ("usage/again_tokens", [1], "usage.again_tokens"),
    ("peak_memory", -1, "peak_memory"),
    ("peak_memory", 10**31, "peak_memory"),
    ("peak_memory", None, "peak_memory"),
    ("model/total", -1, "model.total"),
    ("model", "big", "model"),
    ("device", 3, "device"),
    ("reason", "it was late", "reason"),
    ("provenance", [], "provenance"),
    ("provenance/created", 3, "provenance.created"),
    ("provenance/plugin", [], "provenance.plugin"),
    ("learnt_from", "gtok+" + "9" * 5000, "learnt_from"),
    ("colour", "red", "colour"),
]


def refusals(root: Path, of: Benchmark | str = "mini") -> tuple[list[str], int]:
    """What is said of the results in a folder, and how many are believed."""
    with pytest.warns(RefusedWarning) as caught:
        found = results.load_all(root, of)
    return [str(warning.message) for warning in caught], len(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two good results."""
    for path in (GOOD, OTHER):
        place = tmp_path / path.relative_to(BOARDS / "results")
        place.parent.mkdir(parents=True)
        shutil.copy(path, place)
    return tmp_path


def test_what_is_committed_is_believed(mini: Benchmark, crossner: Benchmark) -> None:
    paths = list((BOARDS / "results").rglob("*.json"))
    assert len(results.load_all(BOARDS / "results")) == len(paths)
    for data in (mini, crossner):
        own = [path for path in paths if data.name in path.parts]
        assert len(results.load_all(BOARDS / "results", data)) == len(own)
    assert len(measurements.load_all(BOARDS / "measurements")) == len(list((BOARDS / "measurements").rglob("*.json")))


@pytest.mark.parametrize(("field", "value", "named"), RESULTS, ids=[f"{f}={v!r:.20}" for f, v, _ in RESULTS])
def test_a_hostile_result_is_refused_with_its_field(
    folder: Path, mini: Benchmark, field: str, value: object, named: str
) -> None:
    path = folder / GOOD.relative_to(BOARDS / "results")
    path.write_text(change(path.read_text(), field, value))
    (said,), believed = refusals(folder, mini)
    assert believed == 1
    message, hint = said.split("\n")
    assert str(path) in message
    assert named in message
    assert f"rm {path}" in hint


TEXTS: list[tuple[Callable[[str], str], str]] = [
    (lambda t: "", "is not JSON: Expecting value"),
    (lambda t: t[: len(t) // 2], "is not JSON"),
    (lambda t: "\ufeff" + t, "is not JSON"),
    (lambda t: "[" * 100_000 + "]" * 100_000, "nested too deeply"),
    (lambda t: '{"a":' * 100_000, "nested too deeply"),
    (lambda t: t.replace('"options": {', '"options": {"x": ' + "[" * 65 + "]" * 65 + ", "), "nested too deeply"),
    (lambda t: t.replace('"seed": 0', '"seed": 0, "seed": 1'), "'seed' stands twice"),
    (lambda t: t.replace('"task"', '"misc"'), "'misc' stands twice"),
    (lambda t: t.replace('"seed": 0', '"seed": NaN'), "NaN is no number"),
    (lambda t: t.replace('"seed": 0', '"seed": -Infinity'), "-Infinity is no number"),
    (lambda t: t.replace('"seed": 0', '"seed": 1e999'), "1e999 is too large"),
    (lambda t: t.replace('"seed": 0', f'"seed": {"9" * 5000}'), "a number has 5000 digits"),
    (lambda t: "[]", "it has no schema"),
    (lambda t: "null", "it has no schema"),
    (lambda t: '"schema"', "it has no schema"),
    (lambda t: "{}", "it has no schema"),
    (lambda t: " " * (17 * 2**20), "larger than 16 MiB"),
]


@pytest.mark.parametrize(("damage", "said"), TEXTS, ids=range(len(TEXTS)))
def test_a_file_that_is_no_record_is_named(folder: Path, damage: Callable[[str], str], said: str) -> None:
    path = folder / GOOD.relative_to(BOARDS / "results")
    path.write_text(damage(path.read_text()))
    (message,), believed = refusals(folder)
    assert believed == 1
    assert str(path) in message
    assert said in message


def move(folder: Path, place: str) -> None:
    there = folder / place
    there.parent.mkdir(parents=True, exist_ok=True)
    (folder / GOOD.relative_to(BOARDS / "results")).rename(there)


def test_a_copy_is_not_counted_and_the_original_is(folder: Path) -> None:
    path = folder / GOOD.relative_to(BOARDS / "results")
    for copy in (path.with_name("copy.json"), path.parent.parent / "politics" / path.name, folder / "mini" / path.name):
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(path, copy)
        (message,), believed = refusals(folder)
        assert f"{copy} is a copy" in message
        assert f"rm {copy}" in message
        assert believed == 2
        copy.unlink()


@pytest.mark.parametrize("place", ["mini/single/ai/x.json", "mini/single/politics/", "mini/multi/ai/", "mini/a/b/c/d/"])
def test_a_file_whose_place_contradicts_it_is_refused(folder: Path, place: str) -> None:
    move(folder, place if place.endswith(".json") else place + GOOD.name)
    (message,), believed = refusals(folder)
    assert f"mv {folder}" in message
    assert believed == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("method/name", "better"), ("method/options/shots", 3), ("seed", 1), ("scenario/target", "music")],
)
def test_a_changed_identity_is_in_the_wrong_place(folder: Path, field: str, value: object) -> None:
    path = folder / GOOD.relative_to(BOARDS / "results")
    path.write_text(change(path.read_text(), field, value))
    (message,), believed = refusals(folder)
    assert f"{path} is a copy, or was changed" in message
    assert believed == 1


def test_two_results_of_one_run_are_refused(folder: Path) -> None:
    """One was copied, changed and renamed: nobody can tell which."""
    path = folder / GOOD.relative_to(BOARDS / "results")
    made = results.load(path)
    path.write_text(change(path.read_text(), "seed", 7))
    path.rename(path.with_name(path.name.replace("-0.json", "-7.json")))
    shutil.copy(GOOD, path)
    (message,), believed = refusals(folder)
    assert f"are both of run {made.run}" in message
    assert believed == 1


def test_gold_of_the_benchmark_s_pins_is_enough(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the files are not here, the size of gold is known all the same."""
    data = benchmark.load("mini")
    monkeypatch.setattr(benchmark.DataFile, "is_present", lambda _: False)
    assert len(results.load_all(folder, data)) == 2
    path = folder / GOOD.relative_to(BOARDS / "results")
    record = json.loads(path.read_text())
    for per_type in record["scores"].values():
        per_type["task"] = "0/0/42"
    right, wrong, missed = record["by_train"]["unseen"].split("/")
    record["by_train"]["unseen"] = f"{right}/{wrong}/{int(missed) - 1}"
    first, _, rest = record["sentences"].partition("/")
    record["sentences"] = " ".join(["0/51/563", *["0/0/0"] * 131])
    assert first
    assert rest
    path.write_text(json.dumps(record))
    (message,), _ = refusals(folder, data)
    assert f"scores.{HEADLINE}: counted over" in message


@pytest.mark.parametrize("schema", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("value", [None, [], {}, "x", 3, True, [[]], {"a": None}])
def test_old_schemas_are_refused_without_a_traceback(tmp_path: Path, schema: int, value: object) -> None:
    text = (HISTORY / f"schema-{schema}.json").read_text()
    path = tmp_path / "r.json"
    needed = ("run", "benchmark", "scenario", "method", "seed", "scores", "sentences")
    for field in [*needed, "method/options", "scores/span-f1", "scores/span-f1/task", "benchmark/name"]:
        if (field, value) == ("seed", 3) or (field.endswith(("options", "scores", "span-f1")) and value == {}):
            continue
        if (field, value) == ("benchmark/name", "x") or (field == "method/options" and isinstance(value, dict)):
            continue
        path.write_text(change(text, field, value))
        with pytest.raises(ResultError, match=r"r\.json"):
            results.load(path)


MEASUREMENTS: list[tuple[str, object, str]] = [
    ("schema", True, "schema"),
    ("seed", None, "seed"),
    ("seed", -1, "seed"),
    ("seed", "0", "seed"),
    ("seconds", -1, "seconds"),
    ("peak_memory", 10**20, "peak_memory"),
    ("measurement", [], "measurement"),
    ("measurement", None, "measurement"),
    ("measurement/numbers", {}, "no such number"),
    ("measurement/numbers/mean", "2.0", "measurement.numbers.mean"),
    ("measurement/numbers/mean", True, "measurement.numbers.mean"),
    ("measurement/numbers/mean", [1], "measurement.numbers.mean"),
    ("measurement/columns", [], "measurement.columns"),
    ("measurement/columns/length", [1, 2], "measurement.columns"),
    ("measurement/columns/length", "1 x", "measurement.columns.length"),
    ("measurement/columns/length", "1 nan", "length"),
    ("measurement/columns/length", "1", "columns are of different lengths"),
    ("measurement/intervals", {"mean": {"low": 2, "high": 1}}, "measurement.intervals.mean"),
    ("measurement/intervals", {"maen": {"low": 1, "high": 2}}, "maen"),
    ("measurement/plots/0/kind", "pie", "measurement.plots.0.kind"),
    ("analysis/name", "../uid", "analysis.name"),
    ("analysis/options", None, "analysis.options"),
    ("corpus/benchmark", "../mini", "corpus.benchmark"),
    ("corpus/version", None, "corpus.version"),
    ("corpus/domain", "a/b", "corpus.domain"),
    ("corpus/name", 3, "corpus.name"),
    ("corpus/name", "9" * 5000, "corpus.name"),
    ("provenance/plugin", 3, "provenance.plugin"),
    ("model/total", -5, "model.total"),
    ("colour", 1, "colour"),
]


@pytest.mark.parametrize(("field", "value", "named"), MEASUREMENTS, ids=[f"{f}={v!r:.20}" for f, v, _ in MEASUREMENTS])
def test_a_hostile_measurement_is_refused_with_its_field(tmp_path: Path, field: str, value: object, named: str) -> None:
    path = tmp_path / MEASURED.relative_to(BOARDS / "measurements")
    path.parent.mkdir(parents=True)
    path.write_text(change(MEASURED.read_text(), field, value))
    with pytest.warns(RefusedWarning) as caught:
        assert measurements.load_all(tmp_path) == []
    (said,) = [str(warning.message) for warning in caught]
    assert str(path) in said
    assert named in said


def test_a_copied_measurement_is_refused(tmp_path: Path) -> None:
    path = tmp_path / MEASURED.relative_to(BOARDS / "measurements")
    path.parent.mkdir(parents=True)
    for place in (path, path.with_name("copy.json")):
        shutil.copy(MEASURED, place)
    with pytest.warns(RefusedWarning, match=r"copy\.json is a copy"):
        assert len(measurements.load_all(tmp_path)) == 1


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def make_blanks(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(2 * 2**30)


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (make_pipe, "no regular file"),
    "folder": (Path.mkdir, "Is a directory"),
    "socket": (make_socket, "No such device or address"),
    "link to nothing": (lambda path: path.symlink_to("nothing"), "a link to nothing"),
    "link to itself": (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "no regular file"),
    "2 GB": (make_blanks, "larger than"),
    "not UTF-8": (lambda path: path.write_bytes(b"\xff\xfe"), "not UTF-8: byte 0 is 0xff"),
    "empty": (lambda path: path.write_bytes(b""), "is not JSON"),
    "brackets": (lambda path: path.write_text("[" * 100_000), "nested too deeply"),
}
READERS: dict[str, Callable[[Path], object]] = {
    "result": results.load,
    "measurement": measurements.load,
    "campaign": campaign.read,
    "benchmark": lambda path: benchmark.load(str(path)),
    "rules": cleaning.read_rules,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("odd", ODD)
def test_a_thing_that_is_no_file_is_named(tmp_path: Path, reader: str, odd: str) -> None:
    path = tmp_path / "x.toml"
    make, said = ODD[odd]
    make(path)
    with pytest.raises(CdnerError, match=r"x\.toml") as caught:
        READERS[reader](path)
    assert said in str(caught.value) or odd in ("empty", "brackets")


@pytest.mark.parametrize("odd", sorted(ODD.keys() - {"2 GB", "empty"}))
def test_stores_gtok_and_predictions_are_read_with_the_same_care(tmp_path: Path, odd: str, mini: Benchmark) -> None:
    make, _ = ODD[odd]
    for name in ("m.jsonl", "p.jsonl", "p.jsonl.gz", "g.json"):
        make(tmp_path / name)
    target = mini.corpus("ai")
    if odd in ("not UTF-8", "brackets"):
        (tmp_path / "m.jsonl").write_bytes((tmp_path / "m.jsonl").read_bytes() + b"\n")
        assert read_own(tmp_path / "p.jsonl", target.test, target.types) == ([], 0)
    else:
        with pytest.raises(PredictionError, match=r"p\.jsonl"):
            read_own(tmp_path / "p.jsonl", target.test, target.types)
    for name in ("p.jsonl", "p.jsonl.gz"):
        with pytest.raises(PredictionError, match=name):
            read_kept(tmp_path / name, target.test, target.types)
    with pytest.raises(DataError, match=r"m\.jsonl"):
        Store(tmp_path).get(Question("m", [("user", "?")], 1))
    with pytest.raises(DataError, match=r"g\.json"):
        gtok.read(tmp_path / "g.json")


LINE = {"key": "", "request": {}, "answer": {"text": "x", "state": "answered", "model": "m", "tokens_in": 1,
        "tokens_out": 1, "seconds": 0.5, "asked": "2026-01-01"}}  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        "null",
        "[]",
        json.dumps(LINE).replace('"key"', '"key": "x", "key"'),
        json.dumps(LINE).replace("0.5", "NaN"),
        json.dumps(LINE).replace("0.5", "1e999"),
        *(change(json.dumps(LINE), field, value) for field, value in [
            ("key", None), ("request", []), ("answer", []), ("answer/text", None), ("answer/text", GONE),
            ("answer/tokens_in", "1"), ("answer/tokens_in", -1), ("answer/tokens_in", 1.5), ("answer/tokens_in", True),
            ("answer/seconds", "1"), ("answer/again", None), ("answer/model", 3), ("answer/colour", "red"),
        ]),
    ],
)  # fmt: skip
def test_a_line_that_is_no_answer_is_named(tmp_path: Path, line: str) -> None:
    question = Question("m", [("user", "?")], 1)
    good = json.dumps(LINE).replace('""', f'"{question.key}"')
    path = tmp_path / "m.jsonl"
    path.write_text(f"{good}\n")
    assert Store(tmp_path).get(question)
    path.write_text(f"{good}\n{line}\n")
    with pytest.raises(DataError, match=r"m\.jsonl:2 is not an answer"):
        Store(tmp_path).get(Question("m", [("user", "!")], 1))
    if '"request": []' in line:
        return  # nobody reads that of a ledger
    (tmp_path / "asked.jsonl").write_text(f'{{"in": 1, "out": 1}}\n{line}\n')
    with pytest.raises(DataError, match=r"asked\.jsonl:2 does not say what was asked"):
        Ledger(tmp_path / "asked.jsonl")


BENCHMARK = """extends = "mini"
name = "legal"
title = "Legal"
version = "1"
preset = "quick"
deduplicate = false
[domains.contracts]
types = ["judge"]
train = "train.txt"
dev = { path = "dev.txt", sentences = 1, sha256 = "00" }
test = "test.txt"
labels = { judge = "magistrate" }
resources = { gtok = "g.json" }
[settings.single]
title = "s"
sources = ["news"]
targets = ["contracts"]
"""
CAMPAIGN = """benchmark = "mini"
preset = "quick"
[[rows]]
method = "bert-tagger"
settings = ["single"]
seeds = 2
options = { "target.epochs" = 3 }
"""
WRONG = ["3", "true", "nan", "[]", "{}", "[[]]", '""', '"\\u0000"', '"../x"', "2020-01-01", "[{}]", "1" + "0" * 30]


@pytest.mark.parametrize("text", [BENCHMARK, CAMPAIGN], ids=["benchmark", "campaign"])
def test_no_value_of_a_toml_file_ends_in_a_traceback(tmp_path: Path, mini: Benchmark, text: str) -> None:
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.txt").write_text("Ada\tB-judge\n")
    path, lines, registry = tmp_path / "x.toml", text.splitlines(), plugins.discover()
    refused = 0
    for n, line in enumerate(lines):
        for value in [value for value in WRONG if not line.startswith("[")]:
            path.write_text("\n".join([*lines[:n], f"{line.partition(' = ')[0]} = {value}", *lines[n + 1 :]]))
            try:
                if text is CAMPAIGN:
                    assert list(campaign.read(path).jobs(mini, registry))
                else:
                    data = benchmark.load(str(path))
                    describe_comparable(data, data.list_scenarios("single")[0])
            except CdnerError as error:
                refused += len(str(error)) < 400
    assert refused > 0.7 * len(WRONG) * sum(" = " in line for line in lines)


def test_broken_records_end_no_board() -> None:
    """A few hundred of them here; `python tests/broken_records.py 10000` tries more."""
    assert run(300, seed=1).startswith("300 files: ")


def test_the_command_shows_the_others_and_fails(typed: Run, tmp_path: Path) -> None:
    for target in ("ai", "music", "politics"):
        shutil.copytree(
            BOARDS / "results" / "mini" / "single" / target, tmp_path / "leaderboards/results/mini/single" / target
        )
    place = tmp_path / "leaderboards" / "results" / "mini" / "single"
    shutil.copytree(
        BOARDS / "measurements" / "mini" / "uid", tmp_path / "leaderboards" / "measurements" / "mini" / "uid"
    )
    assert typed("leaderboard").returncode == 0
    whole = (tmp_path / "leaderboards" / "mini" / "single.md").read_text()
    bad, schema = place / "ai" / GOOD.name, json.loads(GOOD.read_text())["schema"]
    bad.write_text(change(bad.read_text(), f"scores/{HEADLINE}/task", "NaN/0/0"))
    os.mkfifo(place / "ai" / "x.json")
    for command in (["leaderboard", "--check"], ["leaderboard"], ["leaderboard", "--format", "json"], ["rescore"]):
        done = typed(*command)
        assert done.returncode == 1, done.stderr
        assert (
            f'{GOOD.name} is not a result of schema {schema}: scores.{HEADLINE}.task: "NaN/0/0" is not' in done.stderr
        )
        assert "x.json: it is no regular file" in done.stderr
        assert "2 files refused, the others count" in done.stderr
        assert "Traceback" not in done.stderr
    shown = (tmp_path / "leaderboards" / "mini" / "single.md").read_text()
    assert "gpt4" in shown
    assert shown != whole
    assert json.loads((tmp_path / "leaderboards" / "mini" / "single.json").read_text())
    done = typed("plan", "--method", "gpt4", "--setting", "single", "--benchmark", "mini")
    assert done.returncode == 1
    assert "runs to make" in done.stdout


def test_what_is_timed_is_not_refused() -> None:
    """What `perf/records.py` makes of a committed result is a result."""
    command = [sys.executable, str(ROOT / "perf" / "records.py"), "2"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split(" of ")[0]) == (0, "2 results"), done.stderr
